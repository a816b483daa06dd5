"""How a customer stands with reminders, on its card and in threads: what it got, what comes next, and why not."""

from bot.domain.customers import Customer, CustomerState
from bot.domain.reminder_news import PromiseBroken
from bot.domain.reminder_plan import EMAIL, LeftOut, Planned
from bot.domain.reminder_ports import Message, MessageState
from bot.domain.reminder_sending import RemindedNow
from bot.domain.reminder_terms import SLACK, ChasingChanged, RemindersChanged
from bot.domain.reminder_views import Standing
from bot.domain.settings import Settings
from bot.handlers.blocks.reminders import level_name
from bot.handlers.blocks.rich import Part, bold, person, rich, typed
from bot.handlers.blocks.text import counted, date_text, money
from bot.handlers.forms import Block, button, confirmation

Line = tuple[Part, ...]
FARED = {
    MessageState.SENT: "delivered",
    MessageState.QUEUED: "on its way",
    MessageState.FAILED: "not delivered",
    MessageState.BOUNCED: "came back",
    MessageState.UNKNOWN: "not known whether delivered",
}
NAMES = {
    "schedule": "schedule",
    "language": "language",
    "channel": "way",
    "opted_out": "never reminded",
    "paused_until": "paused until",
}


def contact_line(standing: Standing, settings: Settings) -> Line:
    """`last reminder 19 Nov (level 2, delivered) · next: none before 28 Nov: payment promised`."""
    last = standing.last
    said = last_text(last, settings) if last is not None else "no reminder yet"
    return (bold("Reminders "), f"{said} · {next_text(standing, settings)}")


def last_text(last: Message, settings: Settings) -> str:
    """When, at which level, and how it fared."""
    day = date_text(last.sent_on or last.day, settings.locale)
    return f"last {day} ({level_name(last.level)}, {FARED.get(last.state, last.state.value)})"


def next_text(standing: Standing, settings: Settings) -> str:
    """What comes next, and why not earlier or not at all."""
    locale, next_on = settings.locale, standing.next_on
    if standing.is_off:
        return "reminders are off"
    if isinstance(standing.decided, LeftOut):
        why = f"{standing.decided.why.value} {standing.decided.detail}".strip()
        return f"next {date_text(next_on, locale)}, not today: {why}" if next_on else f"none next: {why}"
    if isinstance(standing.decided, Planned):
        lines = standing.decided.lines
        what = f"{standing.decided.step.name} about {counted(len(lines), 'invoice')}"
        return f"due today: {what}"
    return f"next {date_text(next_on, locale)}" if next_on else _nothing_next(standing)


def _nothing_next(standing: Standing) -> str:
    if standing.facts is None:
        return "nothing next: no invoice is open"
    if not standing.facts.steps:
        return "nothing next: there is no schedule"
    return "nothing next by its schedule"


def terms_lines(standing: Standing, settings: Settings) -> list[Line]:
    """What is said about this customer alone."""
    terms = standing.terms
    lines: list[Line] = []
    if terms.opted_out:
        lines.append((bold("Never reminded "), typed(terms.reason, 200)))
    elif standing.is_paused and terms.paused_until is not None:
        reason = f": {typed(terms.reason, 200)}" if terms.reason else ""
        lines.append((bold("Reminders paused "), f"until {date_text(terms.paused_until, settings.locale)}{reason}"))
    own = [f"schedule {terms.schedule}"] if terms.schedule else []
    own += [f"language {terms.language}"] if terms.language else []
    own += ["in its Slack channel"] if terms.channel else []
    return [*lines, (bold("Reminded "), typed(", ".join(own)))] if own else lines


def reminder_actions(customer: Customer, standing: Standing, settings: Settings) -> list[Block]:
    """What can be done about the reminders of a customer, from its card."""
    if customer.state is CustomerState.CLOSED:
        return []
    value = str(customer.id)
    elements: list[Block] = []
    if standing.overdue is not None and standing.can_be_reminded and customer.state is CustomerState.ACTIVE:
        sure = confirmation(
            "Remind this customer now?",
            f"{customer.name} gets one message about {money(standing.overdue, settings.locale)} overdue, within its"
            " working hours.",
            yes="Remind",
        )
        elements.append(button("Remind now", "remind_now", value, confirm=sure))
    is_stopped = standing.is_paused or standing.terms.opted_out
    elements.append(
        button("Resume reminders", "resume_reminders", value)
        if is_stopped
        else button("Pause reminders", "pause_reminders", value)
    )
    elements.append(button("How it is reminded", "reminders_how", value))
    return [{"type": "actions", "block_id": "reminder_actions", "elements": elements}]


def terms_changed_title(outcome: RemindersChanged) -> str:
    return f"Customer {outcome.customer.name} · reminders {outcome.step}"


def terms_changed_lines(outcome: RemindersChanged, settings: Settings) -> list[Line]:
    """Each particular before and after."""
    lines: list[Line] = []
    before, after = outcome.before, outcome.terms
    for name, label in NAMES.items():
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            lines.append((bold(f"{label} "), typed(f"{_value(name, was, settings)} → {_value(name, now, settings)}")))
    if after.reason and after.reason != before.reason:
        lines.append((bold("reason "), typed(after.reason)))
    return lines or [("Nothing changes.",)]


def _value(name: str, value: object, settings: Settings) -> str:
    if name == "opted_out":
        return "yes" if value else "no"
    if name == "channel":
        return way_text(str(value))
    if not value:
        return "the default" if name == "schedule" else "the book's" if name == "language" else "no"
    return date_text(value, settings.locale) if name == "paused_until" else str(value)  # type: ignore[arg-type]  # a day


def way_text(channel: str) -> str:
    """How a customer is written to."""
    return "e-mail" if channel in {"", EMAIL} else f"Slack channel {channel.removeprefix(SLACK)}"


def terms_changed_card(outcome: RemindersChanged, settings: Settings) -> list[Block]:
    """A customer is reminded otherwise."""
    return [
        rich((bold(typed(terms_changed_title(outcome))),), block_id="title"),
        rich(*terms_changed_lines(outcome, settings), block_id="effect"),
        _customer_button(outcome.customer.id),
    ]


def terms_changed_said(outcome: RemindersChanged, settings: Settings) -> Line:
    """The line of the customer's thread."""
    until = outcome.terms.paused_until
    when = f" until {date_text(until, settings.locale)}" if outcome.step == "paused" and until else ""
    reason = f": {typed(outcome.terms.reason)}" if outcome.terms.reason else ""
    return (f"reminders {outcome.step}{when}{reason}",)


def asked_now_title(outcome: RemindedNow, customer: Customer, settings: Settings) -> str:
    return f"Customer {customer.name} · reminder about {money(outcome.message.open, settings.locale)} asked for"


def asked_now_card(outcome: RemindedNow, customer: Customer, settings: Settings) -> list[Block]:
    """Somebody asked for a reminder at once."""
    return [
        rich((bold(typed(asked_now_title(outcome, customer, settings))),), block_id="title"),
        rich(asked_now_said(outcome, settings), block_id="context"),
        _customer_button(customer.id),
    ]


def asked_now_said(outcome: RemindedNow, settings: Settings) -> Line:
    """The line of the customer's thread."""
    made = outcome.message
    about = f"{counted(made.invoices, 'invoice')}, {money(made.open, settings.locale)}"
    return (person(outcome.by), f" asked for a reminder now: {about}, within the customer's hours")


def chasing_said(outcome: ChasingChanged) -> Line:
    """The line of the invoice's thread."""
    reason = f": {typed(outcome.reason)}" if outcome.reason else ""
    return (f"{outcome.step}{reason}",)


def broken_title(outcome: PromiseBroken, settings: Settings) -> str:
    made = outcome.standing.promise
    said = f"{money(made.amount, settings.locale)} by {date_text(made.promised_on, settings.locale)}"
    return f"Promise of {outcome.customer.name} · {said} · broken"


def broken_said(outcome: PromiseBroken, settings: Settings) -> Line:
    """Who logged it is asked: what was promised, what came in, and that reminders go on."""
    made, locale = outcome.standing.promise, settings.locale
    promised = f"{money(made.amount, locale)} by {date_text(made.promised_on, locale)}"
    came = f"{money(outcome.standing.paid, locale)} came in" if outcome.standing.paid else "not paid"
    return (person(made.logged_by), f" promised {promised}; {came}; reminders go on")


def broken_actions(outcome: PromiseBroken) -> Block:
    """What can be done about a promise that was not kept."""
    made = outcome.standing.promise
    again = button("Log another promise", "promise_again", f"{made.customer_id}:{made.invoice_id or 0}")
    pause = button("Pause reminders", "pause_reminders", str(made.customer_id))
    return {"type": "actions", "block_id": "actions", "elements": [again, pause]}


def broken_card(outcome: PromiseBroken, settings: Settings) -> list[Block]:
    """A promise about all that a customer owes was not kept."""
    actions = broken_actions(outcome)
    customer = button("Customer", "customer_show", str(outcome.customer.id))
    return [
        rich((bold(typed(broken_title(outcome, settings))),), block_id="title"),
        rich(broken_said(outcome, settings), block_id="context"),
        {**actions, "elements": [*actions["elements"], customer]},
    ]


def _customer_button(customer_id: int) -> Block:
    return {
        "type": "actions",
        "block_id": "actions",
        "elements": [button("Customer", "customer_show", str(customer_id))],
    }
