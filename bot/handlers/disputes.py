"""/invoice dispute and promise, /customer promise: what people outside finance are told and log."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.customers import Customer
from bot.domain.disputes import (
    LONGEST_REASON,
    DisputeChanged,
    OpenDispute,
    ResolveDispute,
    open_dispute,
    resolve_dispute,
)
from bot.domain.errors import NotFound, Refused
from bot.domain.open_items import Invoice
from bot.domain.promises import EndPromise, LogPromise, PromiseChanged, end_promise, log_promise
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.disputes import dispute_effect, dispute_said, promise_effect, promise_said
from bot.handlers.blocks.rich import rich
from bot.handlers.blocks.text import escape, money
from bot.handlers.commands import Reply
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, DateField, Form, SearchField, TextField, Values, context
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import Phrase, join, phrase
from bot.handlers.request import Call

BECAUSE = {"because": "reason", "reason": "reason"}
BY = {"by": "by"}
RESOLVED, CANCELLED = "resolved", "cancelled"
SAID = "The invoice's card and its thread show it."

REASON = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)
OUTCOME = TextField("reason", "How it came out", longest=LONGEST_REASON, multiline=True)
CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code or wallet ID", dispatches=True)
INVOICE = TextField(
    "invoice",
    "Invoice",
    needed=False,
    longest=40,
    placeholder="INV-0042",
    hint="Empty means all that the customer owes.",
    dispatches=True,
)
AMOUNT = TextField("amount", "Amount", needed=False, longest=40, hint="Empty means all that is open.", dispatches=True)
DAY = DateField("promised_on", "Paid by")


def _done(outcome: DisputeChanged, _settings: Settings) -> Sequence[Block]:
    return [rich((f"{outcome.invoice.label}: ", *dispute_said(outcome)), block_id="done"), context(SAID)]


DISPUTE = flow(
    Flow(
        form=Form("invoice_dispute", "Dispute an invoice", (REASON,), intro="It stays owed and is not chased."),
        operation=open_dispute,
        command=lambda values, about, _call: OpenDispute(invoice_id=int(about["invoice"]), reason=values.need(REASON)),
        effect=dispute_effect,
        verb=lambda outcome, _settings: f"Dispute {outcome.invoice.label}",
        done=_done,
    )
)
RESOLVE = flow(
    Flow(
        form=Form("invoice_resolve", "Resolve a dispute", (OUTCOME,), intro="It is chased again if it is owed."),
        operation=resolve_dispute,
        command=lambda values, about, _call: ResolveDispute(
            invoice_id=int(about["invoice"]), reason=values.need(OUTCOME)
        ),
        effect=dispute_effect,
        verb=lambda outcome, _settings: f"Resolve {outcome.invoice.label}",
        done=_done,
    )
)


def _log(values: Values, about: Mapping[str, Any], call: Call) -> LogPromise:
    """The promise as filled in; where it was said comes with the form. Refuses: NotFound."""
    settings, worth = settings_of(call), values.text(AMOUNT).strip()
    customer_id = int(values.need(CUSTOMER)[1])
    customer = call.desk.ask(lambda books: books.customer(customer_id), call.request)
    number = values.text(INVOICE).strip()
    invoice = find.invoice_like(call, number) if number else None
    if number and invoice is None:
        raise NotFound(f"There is no invoice {number[:30]}; type a number such as INV-0042.", field="invoice")
    return LogPromise(
        customer_id=customer_id,
        promised_on=values.need(DAY),
        amount=find.money_typed(worth, settings, customer.currency) if worth else None,
        invoice_id=invoice.id if invoice is not None else None,
        source=str(about.get("line", "")) if about.get("from_message") else "",
    )


PROMISE = flow(
    Flow(
        form=Form("promise_log", "Log a promise to pay", (CUSTOMER, INVOICE, AMOUNT, DAY)),
        operation=log_promise,
        command=_log,
        effect=promise_effect,
        verb=lambda outcome, settings: f"Log {money(outcome.promise.amount, settings.locale)}",
        done=lambda outcome, settings: [rich(promise_said(outcome, settings), block_id="done")],
    )
)


def run_dispute(call: Call, text: str) -> None:
    """`INV-0033 because ...`, or `INV-0033 resolved because ...`."""
    spoken = phrase(text, BECAUSE)
    number, *rest = [word.text for word in spoken.lead] or [""]
    invoice = find.invoice_named(call, number)
    if rest and [each.lower() for each in rest] != [RESOLVED]:
        raise Refused(f"Type /invoice dispute {invoice.label} because, and then the reason; or resolved because.")
    open_hold(call, invoice, reason=spoken.text("reason"), resolve=bool(rest))


def open_hold(call: Call, invoice: Invoice, *, reason: str = "", resolve: bool) -> None:
    """The form of a dispute, or of its end; a reason that was typed is checked at once."""
    line = f"{invoice.label} · {money(invoice.open, settings_of(call).locale)} open"
    about = {"invoice": str(invoice.id), "line": line}
    (RESOLVE if resolve else DISPUTE).open(call, Values({"reason": reason}), about, preview=bool(reason))


def run_invoice_promise(call: Call, text: str) -> Reply | None:
    """`INV-0033 [50] by 28 nov`, or `INV-0033 cancelled`."""
    spoken = phrase(text, BY)
    invoice = find.invoice_named(call, spoken.lead[0].text if spoken.lead else "")
    customer = call.desk.ask(lambda books: books.customer(invoice.customer_id), call.request)
    rest = join(spoken.lead[1:])
    if rest.lower() == CANCELLED:
        return _end(call, EndPromise(customer_id=customer.id, invoice_id=invoice.id))
    open_promise(call, customer, invoice, amount=rest, spoken=spoken)
    return None


def run_customer_promise(call: Call, text: str) -> Reply | None:
    """`Acme 200 by 28 nov`, or `Acme cancelled`."""
    spoken = phrase(text, BY)
    if len(spoken.lead) > 1 and spoken.lead[-1].text.lower() == CANCELLED:
        return _end(call, EndPromise(customer_id=find.customer_named(call, join(spoken.lead[:-1])).id))
    name, amount = name_and_amount(spoken)
    open_promise(call, find.customer_named(call, name), None, amount=amount, spoken=spoken)
    return None


def _end(call: Call, command: EndPromise) -> Reply:
    """Take a promise back at once: it moves no money."""
    outcome: PromiseChanged = call.desk.carry_out(end_promise, command, call.request)
    return Reply(escape(outcome.trace().description))


def open_promise(
    call: Call, customer: Customer, invoice: Invoice | None, *, amount: str = "", spoken: Phrase | None = None
) -> None:
    """The form of a promise, filled; with its day it is checked at once. Refuses: Refused, a day that is none."""
    day = spoken.text("by") if spoken is not None else ""
    given: dict[str, Any] = {"customer": find.customer_option(customer), "amount": amount}
    if invoice is not None:
        given["invoice"] = invoice.label
    if day:
        given["promised_on"] = parse_date(day, today=settings_of(call).today(call.request.now), future=True)
    PROMISE.open(call, Values(given), preview=bool(day))
