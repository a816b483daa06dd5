"""Month end: each customer with usage of the months before gets its invoices, one transaction each, whoever runs it."""

from pydantic import TypeAdapter

from bot.desk import Desk, by_itself
from bot.domain.errors import Busy, Refused
from bot.domain.mailing import Mailing
from bot.domain.month_end import (
    CloseMonth,
    LeftOut,
    MonthTold,
    close_month,
    last_day,
    month_before,
    month_label,
)
from bot.handlers.blocks.month_end import month_summary
from bot.observe import log
from bot.storage.jobs import Finished, JobRun

MOST_TRIES = 3  # before it is told who could not be invoiced because of a fault
_TOLD = TypeAdapter(MonthTold)


class Unfinished(Exception):  # noqa: N818  # no fault of its own: some customers are tried again
    """Some customers could not be invoiced by a fault that may pass."""


def told_of(payload: str) -> MonthTold:
    """What a run has to tell, as it was found."""
    return _TOLD.validate_json(payload)


def run_month_end(desk: Desk, run: JobRun) -> Finished:
    """Invoice the month before the day of the run; a customer is done once, and a bad one never stops the rest."""
    month = month_before(run.day)
    through = last_day(month)
    waiting = desk.store.read(lambda books: books.customers_to_bill(through))
    mails = desk.mails and desk.store.read(lambda books: books.settings()).mails_invoices
    mailing = Mailing.IF_POSSIBLE if mails else Mailing.NO
    left_out, faults = [], 0
    for customer_id in waiting:
        run.go_on()
        command = CloseMonth(customer_id=customer_id, month=month, mail=mailing)
        key = f"month-end:{month_label(month)}:{customer_id}"
        request = by_itself(desk.clock(), key)
        try:
            desk.carry_out(close_month, command, request)
        except Refused as refusal:
            faults += isinstance(refusal, Busy)
            left_out.append((customer_id, refusal.sentence))
        except Exception as fault:  # noqa: BLE001  # the others get their invoices; this one is tried again
            log.error("month end of customer %s failed", customer_id, exc_info=fault)
            faults += 1
            left_out.append((customer_id, "A fault; the log says which. Run the month end again once it is mended."))
    if faults and run.attempt < MOST_TRIES:
        raise Unfinished(f"{faults} customers are tried again")
    names = desk.store.read(lambda books: {each: books.customer(each).name for each, _ in left_out})
    told = MonthTold(
        month=month,
        sums=tuple(desk.store.read(lambda books: books.billed_of_month(through))),
        left_out=tuple(LeftOut(customer_id=each, name=names[each], why=why) for each, why in left_out),
    )
    nothing = not told.sums and not told.left_out
    return Finished(
        result=month_summary(told), payload="" if nothing else _TOLD.dump_json(told).decode(), kind="month_end"
    )
