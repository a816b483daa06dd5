"""How one customer is reminded: now, later, otherwise, or not at all; and invoices that are not chased."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.domain.customers import Customer
from bot.domain.errors import NotFound, Refused
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.reminder_sending import RemindNow, remind_now
from bot.domain.reminder_terms import (
    LONGEST_REASON,
    SLACK,
    ChasingChanged,
    GoOnChasing,
    PauseReminders,
    RemindersChanged,
    ResumeReminders,
    SetReminders,
    StopChasing,
    go_on_chasing,
    pause_reminders,
    resume_reminders,
    set_reminders,
    stop_chasing,
)
from bot.domain.settings import LOCALES, Settings
from bot.handlers import find
from bot.handlers.blocks.reminder_terms import chasing_said, terms_changed_lines, way_text
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.blocks.text import counted, date_text, escape, money, shorten
from bot.handlers.commands import Reply, carried, id_of, press, suggest
from bot.handlers.disputes import open_promise
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import (
    Block,
    ChannelField,
    ChoiceField,
    DateField,
    Form,
    SearchField,
    TextField,
    TickField,
    Values,
    option,
)
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import join, phrase
from bot.handlers.request import Call, button_key

PAUSE_WORDS = {"until": "until", "because": "reason", "reason": "reason"}
BOOKS_LANGUAGE = "-"  # no choice can be taken back in Slack, so that the book's own is one
SUBJECTLESS = "Only its own documents go there, and an administrator chooses it."

UNTIL = DateField("until", "Until", hint="On that day it is reminded again.")
WHY = TextField("reason", "Reason", needed=False, longest=LONGEST_REASON, multiline=True)
SCHEDULE = SearchField("schedule", "Schedule", needed=False, hint="Empty means the default one.")
LANGUAGE = ChoiceField(
    "language", "Language", choices=(("the book's", BOOKS_LANGUAGE), *((each, each) for each in LOCALES))
)
CHANNEL = ChannelField("channel", "Its Slack channel", needed=False, hint=f"Empty means e-mail. {SUBJECTLESS}")
NEVER = TickField("opted_out", "Never", text="Do not remind this customer at all")
STOPPED_BECAUSE = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)


def _lines(outcome: RemindersChanged, settings: Settings) -> list[Block]:
    lines = terms_changed_lines(outcome, settings)
    return [rich((bold(typed(outcome.customer.name)),), *lines, block_id="effect")]


PAUSE = flow(
    Flow(
        form=Form("reminders_pause", "Pause reminders", (UNTIL, WHY), intro="Nothing is sent to it until then."),
        operation=pause_reminders,
        command=lambda values, about, _call: PauseReminders(
            customer_id=id_of(about["customer"]), until=values.need(UNTIL), reason=values.text(WHY)
        ),
        effect=_lines,
        verb=lambda _outcome, _settings: "Pause",
        done=_lines,
    )
)


def _set(values: Values, about: Mapping[str, Any], call: Call) -> SetReminders:
    """What is filled in. Refuses: NotFound, Refused."""
    chosen, language, channel = values.get(SCHEDULE), values.get(LANGUAGE), values.get(CHANNEL) or ""
    customer_id = id_of(about["customer"])
    kept = call.desk.ask(lambda books: books.reminder_terms(customer_id), call.request)
    way = f"{SLACK}{channel}" if channel else ""
    if way and way != kept.channel:
        _check_channel(call, channel)
    return SetReminders(
        customer_id=customer_id,
        version=int(about["version"]),
        schedule=_schedule_named(call, id_of(chosen[1])) if chosen else "",
        language="" if language in {None, BOOKS_LANGUAGE} else str(language),
        channel=way,
        opted_out=values.ticked(NEVER),
        reason=values.text(WHY),
    )


def _check_channel(call: Call, channel: str) -> None:
    """A channel that the bot is in. Refuses: Refused."""
    try:
        found: dict[str, Any] = call.client.conversations_info(channel=channel)["channel"]
    except SlackApiError as fault:
        if fault.response.get("error") != "channel_not_found":
            raise
        raise Refused("I see no such channel: invite me there first with /invite @duedesk.", field="channel") from fault
    if found.get("is_archived") or not found.get("is_member"):
        raise Refused("I am not in that channel, or it is archived; invite me there first.", field="channel")


def _schedule_named(call: Call, schedule_id: int) -> str:
    found = call.desk.ask(lambda books: books.reminder_schedules(), call.request)
    name = next((each.name for each in found if each.id == schedule_id), None)
    if name is None:
        raise NotFound("This schedule was changed or retired meanwhile; choose it again.", field="schedule")
    return name


HOW = flow(
    Flow(
        form=Form("reminders_how_form", "How it is reminded", (SCHEDULE, LANGUAGE, CHANNEL, NEVER, WHY)),
        operation=set_reminders,
        command=_set,
        effect=_lines,
        verb=lambda _outcome, _settings: "Save",
        done=_lines,
    )
)


@suggest("schedule")
def suggest_schedules(call: Call, text: str) -> list[Block]:
    """Schedules whose name is like what was typed."""
    found = call.desk.ask(lambda books: books.reminder_schedules(), call.request)
    wanted = [each for each in found if text.strip().casefold() in each.name.casefold()]
    return [option(each.name, str(each.id)) for each in wanted[: find.MOST_OPTIONS]]


def _chasing(outcome: ChasingChanged, settings: Settings) -> list[Block]:
    worth = money(outcome.invoice.open, settings.locale)
    says = "is left out of all reminders; it stays owed." if outcome.step == "chased no more" else "is chased again."
    return [
        rich((bold("What will happen"),), (bold(outcome.invoice.label), f"  {worth} open {says}"), block_id="effect")
    ]


STOP = flow(
    Flow(
        form=Form("invoice_leave", "Do not chase an invoice", (STOPPED_BECAUSE,), intro="It stays owed."),
        operation=stop_chasing,
        command=lambda values, about, _call: StopChasing(
            invoice_id=id_of(about["invoice"]), reason=values.need(STOPPED_BECAUSE)
        ),
        effect=_chasing,
        verb=lambda outcome, _settings: f"Do not chase {outcome.invoice.label}",
        done=lambda outcome, _settings: [
            rich((bold(outcome.invoice.label), ": ", *chasing_said(outcome)), block_id="done")
        ],
    )
)
GO_ON = flow(
    Flow(
        form=Form("invoice_chase", "Chase an invoice again", (), intro="Its next step counts from what was sent."),
        operation=go_on_chasing,
        command=lambda _values, about, _call: GoOnChasing(invoice_id=id_of(about["invoice"])),
        effect=_chasing,
        verb=lambda outcome, _settings: f"Chase {outcome.invoice.label}",
        done=lambda outcome, _settings: [
            rich((bold(outcome.invoice.label), ": ", *chasing_said(outcome)), block_id="done")
        ],
    )
)


def open_chasing(call: Call, invoice: Invoice, *, again: bool) -> None:
    """The form that leaves an invoice out of reminders, or takes it in again. Refuses: NoAccess."""
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    line = f"{invoice.label} · {money(invoice.open, settings_of(call).locale)} open"
    about = {"invoice": str(invoice.id), "line": line}
    (GO_ON if again else STOP).open(call, Values(), about, preview=again)


def pause(call: Call, text: str) -> Reply | None:
    """`Acme until 5 dec [because ...]`."""
    spoken = phrase(text, PAUSE_WORDS)
    name = join(spoken.lead)
    if not name:
        raise Refused("Name a customer: /reminders pause Acme until 5 dec.", field="customer")
    today = settings_of(call).today(call.request.now)
    until = parse_date(spoken.text("until"), today=today, future=True) if spoken.text("until") else None
    found = find.customers_named(call, name)
    asked = find.ask_which(found, name, "choose_pause", text)
    if asked is not None:
        return asked
    open_pause(call, find.customer_named(call, name), until=until, reason=spoken.text("reason"))
    return None


def _pause_chosen(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, PAUSE_WORDS)
    today = settings_of(call).today(call.request.now)
    until = parse_date(spoken.text("until"), today=today, future=True) if spoken.text("until") else None
    open_pause(call, customer, until=until, reason=spoken.text("reason"))


def open_pause(call: Call, customer: Customer, *, until: date | None = None, reason: str = "") -> None:
    """The form of a pause; with its day it is checked at once."""
    about = {"customer": str(customer.id), "line": f"{shorten(customer.name, 80)} · {customer.code}"}
    PAUSE.open(call, Values({"until": until, "reason": reason}), about, preview=until is not None)


def resume(call: Call, text: str) -> Reply:
    """`Acme`: at once, since it moves no money and writes to nobody by itself."""
    return _resumed(call, find.customer_named(call, text.strip()), call.request.key)


def _resumed(call: Call, customer: Customer, key: str) -> Reply:
    outcome = call.desk.carry_out(resume_reminders, ResumeReminders(customer_id=customer.id), call.keyed(key))
    return Reply(escape(outcome.trace().description), _lines(outcome, settings_of(call)))


def _customer(call: Call, value: str) -> Customer:
    return call.desk.ask(lambda books: books.customer(id_of(value)), call.request)


@press("pause_reminders", by=Role.CLERK)
def press_pause(call: Call, action: dict[str, Any]) -> None:
    open_pause(call, _customer(call, action["value"]))


@press("resume_reminders", by=Role.CLERK)
def press_resume(call: Call, action: dict[str, Any]) -> Reply:
    """Remind again. The key has the version, since the same card may be pressed after another pause."""
    customer = _customer(call, action["value"])
    terms = call.desk.ask(lambda books: books.reminder_terms(customer.id), call.request)
    return _resumed(call, customer, f"{button_key(call, action)}:{terms.version}")


@press("remind_now", by=Role.CLERK)
def press_remind(call: Call, action: dict[str, Any]) -> Reply:
    """Remind of all that is overdue, once a day however often it is pressed. Rules 85, 88, 89. Refuses:
    ReminderRefused.
    """
    customer = _customer(call, action["value"])
    settings = settings_of(call)
    key = f"{button_key(call, action)}:{settings.today(call.request.now)}"
    outcome = call.desk.carry_out(remind_now, RemindNow(customer_id=customer.id), call.keyed(key))
    call.desk.on_job()
    about = f"{counted(outcome.message.invoices, 'invoice')}, {money(outcome.message.open, settings.locale)}"
    when = date_text(outcome.message.opens_at.date(), settings.locale)
    return Reply(escape(f"A reminder to {customer.name} about {about} goes within its working hours, {when}."))


@press("reminders_how", by=Role.CLERK)
def press_how(call: Call, action: dict[str, Any]) -> None:
    """The form of how a customer is reminded, filled with what holds."""
    customer = _customer(call, action["value"])
    kept, found = call.desk.ask(
        lambda books: (books.reminder_terms(customer.id), books.reminder_schedules()), call.request
    )
    chosen = next((each for each in found if each.name.casefold() == kept.schedule.casefold()), None)
    given = {
        "schedule": (chosen.name, str(chosen.id)) if chosen is not None else None,
        "language": kept.language or BOOKS_LANGUAGE,
        "channel": kept.channel.removeprefix(SLACK),
        "opted_out": kept.opted_out,
        "reason": kept.reason,
    }
    line = f"{shorten(customer.name, 80)} · {customer.code} · by {way_text(kept.channel)}"
    HOW.open(call, Values(given), {"customer": str(customer.id), "version": kept.version, "line": line})


@press("promise_again", by=Role.VIEWER)
def press_promise(call: Call, action: dict[str, Any]) -> None:
    """The form of another promise, about what the broken one was about."""
    with carried():
        customer_id, invoice_id = action["value"].split(":")
    customer = _customer(call, customer_id)
    invoice = find.invoice_like(call, str(id_of(invoice_id))) if invoice_id != "0" else None
    open_promise(call, customer, invoice)


find.on_choice("choose_pause", _pause_chosen, by=Role.CLERK)
