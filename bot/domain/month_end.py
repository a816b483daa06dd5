"""Month end: what a customer used in the months before the running one becomes its invoice and its summary."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.customers import CustomerState, Mode
from bot.domain.errors import DateInFuture, Refused, WrongState
from bot.domain.invoices import InvoiceChanged
from bot.domain.mailing import Mailing, mail_sent_invoice
from bot.domain.money import Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.usage_invoices import bill_of, billed, send_bill

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_MONTH = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseMonth:
    """Invoice what a customer used up to the end of a month, given by its first day."""

    customer_id: int
    month: date
    mail: Mailing = Mailing.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthClosed:
    """A customer's invoice of what it owes for usage, its summary of what was deducted, or both."""

    month: date
    made: tuple[InvoiceChanged, ...]
    operation_id: int

    def trace(self) -> Trace:
        first = self.made[0]
        effect = first.effect
        said = " and ".join(f"{each.invoice.label} of {each.invoice.total}" for each in self.made)
        return Trace(
            description=f"{effect.after.code} invoiced for {month_label(self.month)}: {said}",
            customer_id=effect.after.id,
            document=first.invoice.label,
            before={
                "amount_due": str(effect.before.amount_due),
                "unbilled_micros": str(effect.before.controls.unbilled),
            },
            after={"amount_due": str(effect.after.amount_due), "unbilled_micros": str(effect.after.controls.unbilled)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        """No card for each invoice: one message tells of all customers. What credit paid on the way is refreshed."""
        own = [each.invoice.id for each in self.made]
        others = self.made[0].effect.announcements()
        return (
            *(Announcement(document=DocumentKind.INVOICE, document_id=each, refresh_only=True) for each in own),
            *(each for each in others if each.document is not DocumentKind.INVOICE or each.document_id not in own),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSum:
    """All invoices, or all summaries, of a month in one currency: their total, what was to pay, and what we owe."""

    mode: Mode
    count: int
    total: Money
    to_pay: Money
    below: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A customer without its invoice of the month, and why."""

    customer_id: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTold:
    """What a month end comes to, as its message tells it."""

    month: date
    sums: tuple[MonthSum, ...]
    left_out: tuple[LeftOut, ...]


def month_label(month: date) -> str:
    """`2026-10`, as months are typed and kept."""
    return f"{month:%Y-%m}"


def read_month(text: str, today: date) -> date:
    """A month that is over, from `2026-10` or a day of it; the one before the running one when nothing is typed.
    Refuses: Refused.
    """
    try:
        month = date.fromisoformat(text if text.count("-") > 1 else f"{text}-01") if text else month_before(today)
    except ValueError:
        raise Refused(f"{text[:20]} is no month; type one such as 2026-10.", field="date") from None
    if last_day(month) >= today.replace(day=1):
        raise Refused(f"{month_label(month)} is not over yet; it is invoiced once it is.", field="date")
    return month.replace(day=1)


def run_day(month: date) -> date:
    """The day that a run for a month is entered under: the first after it."""
    return last_day(month) + timedelta(days=1)


def last_day(month: date) -> date:
    """The last day of a month."""
    return (month.replace(day=1) + timedelta(days=LONGEST_MONTH)).replace(day=1) - timedelta(days=1)


def month_before(day: date) -> date:
    """The first day of the month before the one of a day."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


@operation(by=Role.NONE)
def close_month(command: CloseMonth, books: "Books", context: Context) -> MonthClosed:
    """Invoice a customer's usage up to the end of a month, each half in the mode it was charged in. Rules 57, 101,
    104, 105. Refuses: DateInFuture, WrongState.
    """
    customer = books.customers.lock(command.customer_id)
    through = last_day(command.month)
    if through >= context.today.replace(day=1):
        raise DateInFuture(f"{month_label(command.month)} is not over yet; it is invoiced once it is.", field="month")
    matching = Matching(customer, books, context)
    # A closed customer owes nothing and takes nothing; what it used ahead of closing is summed up all the same.
    modes = (Mode.PREPAID,) if customer.state is CustomerState.CLOSED else (Mode.POSTPAID, Mode.PREPAID)
    bills = [bill for mode in modes if (bill := bill_of(mode, through, matching)) is not None]
    if not bills:
        raise WrongState(
            f"{customer.name} has nothing to invoice up to {through}; what comes to less than the smallest coin goes "
            "on the next invoice.",
            field="customer",
        )
    sent = [(send_bill(bill, matching), bill) for bill in bills]
    matching.sweep(context.today)
    matching.write()
    made = []
    for invoice, bill in sent:
        done = billed(invoice, bill, matching)
        to = mail_sent_invoice(command.mail, done.invoice, customer, books, context)
        made.append(replace(done, mailed_to=to))
    return MonthClosed(month=command.month.replace(day=1), made=tuple(made), operation_id=context.operation_id)
