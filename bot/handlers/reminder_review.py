"""The card of a plan at work: send, hold, postpone, cancel, and the messages one by one."""

import json
from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.domain.errors import NotFound, Refused
from bot.domain.mail import MailAbout
from bot.domain.operation import Role
from bot.domain.reminder_ports import Message, MessageState, RunState
from bot.domain.reminder_runs import (
    CancelReminders,
    EditReminder,
    ExcludeReminder,
    MessageChanged,
    PostponeReminders,
    ReleaseReminders,
    RunChanged,
    cancel_reminders,
    edit_reminder,
    exclude_reminder,
    postpone_reminders,
    release_reminders,
)
from bot.domain.reminder_text import LONGEST_SUBJECT
from bot.domain.reminder_views import PlanLine
from bot.domain.schedules import read_time
from bot.domain.settings import Settings
from bot.handlers import customers
from bot.handlers.blocks.reminder_letters import template_for
from bot.handlers.blocks.reminder_review import A_PAGE, MOST_ROWS, left_blocks, read_blocks, review_blocks
from bot.handlers.blocks.reminder_texts import letter_blocks, variables_text
from bot.handlers.blocks.reminders import clock, plan_card, plan_day, plan_sums, plan_title, plan_view
from bot.handlers.blocks.rich import Part, bold, rich, typed
from bot.handlers.blocks.text import counted, escape, shorten
from bot.handlers.commands import OTHER_VERSION, Reply, carried, id_of, press
from bot.handlers.files import offer, send_file
from bot.handlers.flow import OVERTAKEN, Flow, flow, settings_of
from bot.handlers.forms import MOST_TYPED, Block, Form, TextField, Values, message_view
from bot.handlers.reminder_letters import Written, of_message, send_to_me
from bot.handlers.request import Call, button_key
from bot.storage.reports import SqlReadBooks

MOST_REVIEWED = 2_000
TITLE = "Reminders"
FILE = "reminders"

TIME = TextField("until", "Send at", longest=5, placeholder="11:30", hint="A time of today, in the book's zone.")
SUBJECT = TextField("subject", "Subject", longest=LONGEST_SUBJECT)
BODY = TextField("body", "Text", multiline=True)


def _run_effect(outcome: RunChanged, settings: Settings) -> list[Block]:
    """What becomes of a plan."""
    run = outcome.run
    says = f"sends at {clock(run.send_at, settings)}" if run.state is RunState.PLANNED else run.state.value
    lines: list[tuple[Part, ...]] = [
        (bold(f"Reminders for {plan_day(run.day, settings)}"), f"  {outcome.step}: {says}")
    ]
    if run.state is RunState.CANCELLED:
        dropped = counted(outcome.count, "message")
        lines.append((f"{dropped} not sent; what is due is planned again on the next day.",))
    return [rich(*lines, block_id="effect")]


def _plan_of(about: Mapping[str, Any]) -> tuple[int, int]:
    return id_of(about["run"]), int(about["version"])


def _postpone(values: Values, about: Mapping[str, Any], _call: Call) -> PostponeReminders:
    run_id, version = _plan_of(about)
    until = values.need(TIME).strip()
    try:
        read_time(until)
    except Refused as refusal:
        refusal.field = TIME.name
        raise
    return PostponeReminders(run_id=run_id, version=version, until=until)


def _cancel(_values: Values, about: Mapping[str, Any], _call: Call) -> CancelReminders:
    run_id, version = _plan_of(about)
    return CancelReminders(run_id=run_id, version=version)


POSTPONE = flow(
    Flow(
        form=Form("reminders_postpone", "Postpone reminders", (TIME,)),
        operation=postpone_reminders,
        command=_postpone,
        effect=_run_effect,
        verb=lambda outcome, settings: f"Send at {clock(outcome.run.send_at, settings)}",
        done=_run_effect,
    )
)
CANCEL = flow(
    Flow(
        form=Form("reminders_cancel", "Cancel reminders", (), intro="Nothing of this plan is sent."),
        operation=cancel_reminders,
        command=_cancel,
        effect=_run_effect,
        verb=lambda outcome, _settings: f"Cancel {counted(outcome.count, 'message')}",
        done=_run_effect,
    )
)


def _edit(values: Values, about: Mapping[str, Any], _call: Call) -> EditReminder:
    return EditReminder(
        message_id=id_of(about["message"]),
        version=int(about["version"]),
        subject=values.need(SUBJECT),
        body=values.need(BODY),
    )


def _edited(outcome: MessageChanged, _settings: Settings) -> list[Block]:
    return [rich((bold(typed(outcome.customer)), f"  this message alone is {outcome.step}"), block_id="effect")]


def _as_read(outcome: MessageChanged, _values: Values, call: Call) -> list[Block]:
    """The changed text with the values of its customer. Refuses: TemplateRefused."""
    written = call.desk.ask(lambda books: of_message(books, outcome.message), call.request)
    return letter_blocks("What it says then", *written.words) if written.words is not None else []


EDIT = flow(
    Flow(
        form=Form("reminder_edit", "Edit one message", (SUBJECT, BODY), intro=variables_text()),
        operation=edit_reminder,
        command=_edit,
        effect=_edited,
        verb=lambda _outcome, _settings: "Save",
        done=_edited,
        shows=_as_read,
    )
)


def show_plan(call: Call, run_id: int) -> Reply:
    """The card of a plan as it stands, for the asker. Refuses: NotFound."""
    settings = settings_of(call)
    view = call.desk.ask(lambda books: plan_view(books, run_id), call.request)
    return Reply(escape(plan_title(view, settings)), plan_card(view, settings))


def _both(value: str) -> tuple[int, int]:
    """An id and a version or page that a button carries. Refuses: Refused."""
    with carried():
        first, _, second = value.partition(":")
        return id_of(first), int(second)


def _release(call: Call, action: dict[str, Any], *, now: bool) -> Reply:
    run_id, version = _both(action["value"])
    command = ReleaseReminders(run_id=run_id, version=version, now=now)
    outcome = call.desk.carry_out(release_reminders, command, call.keyed(button_key(call, action)))
    call.desk.on_job()
    settings = settings_of(call)
    view = call.desk.ask(lambda books: plan_view(books, run_id), call.request)
    when = "now" if outcome.run.state is RunState.RELEASED else f"at {clock(outcome.run.send_at, settings)}"
    return Reply(escape(f"Sending {when}, each within its customer's hours: {plan_sums(view.counts, settings)}."))


@press("reminders_send", by=Role.CLERK)
def press_send(call: Call, action: dict[str, Any]) -> Reply:
    return _release(call, action, now=True)


@press("reminders_let_go", by=Role.CLERK)
def press_let_go(call: Call, action: dict[str, Any]) -> Reply:
    return _release(call, action, now=False)


@press("reminders_more", by=Role.VIEWER)
def press_more(call: Call, action: dict[str, Any]) -> Reply | None:
    """The overflow menu of a plan's card. Refuses: NoAccess, NotFound, Refused."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    run_id, version = _both(about)
    if verb == "why":
        return show_left(call, run_id)
    run = call.desk.ask(lambda books: books.reminder_run(run_id), call.request)
    if verb == "file":
        return send_file(call, FILE, {"run": str(run.id)}, "xlsx")
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    if verb == "test":
        return Reply(escape(send_to_me(call, call.desk.ask(lambda books: _first(books, run.id), call.request))))
    settings = settings_of(call)
    carries = {"run": str(run.id), "version": version, "line": f"Reminders for {plan_day(run.day, settings)}"}
    if verb == "postpone":
        POSTPONE.open(call, Values(), carries)
    elif verb == "cancel":
        CANCEL.open(call, Values(), carries, preview=True)
    else:
        raise Refused(OTHER_VERSION)
    return None


def _first(books: SqlReadBooks, run_id: int) -> Written:
    """The letter of the first message that waits, those to look at before the others. Refuses: NotFound."""
    waits = [each for each in books.reminder_messages(run_id, limit=50) if each.message.state is MessageState.PLANNED]
    if not waits:
        raise NotFound("No message of this plan waits; there is nothing to test.")
    return of_message(books, waits[0].message)


@press("reminders_why", by=Role.VIEWER)
def press_why(call: Call, action: dict[str, Any]) -> Reply:
    return show_left(call, id_of(action["value"]))


def show_left(call: Call, run_id: int) -> Reply:
    """Who is left out of a plan, and why. Refuses: NotFound."""
    run, left, counts = call.desk.ask(
        lambda books: (
            books.reminder_run(run_id),
            books.reminder_left(run_id, MOST_ROWS + 1),
            books.reminder_counts(run_id),
        ),
        call.request,
    )
    if not left:
        return Reply("Nobody is left out of this plan.")
    more = offer(FILE, {"run": str(run.id)}) if counts.left_out > MOST_ROWS else []
    return Reply(f"Left out {counts.left_out:,}", left_blocks(left, counts.left_out, more=more))


@press("reminders_review", by=Role.VIEWER)
def press_review(call: Call, action: dict[str, Any]) -> None:
    """The messages of a plan, a page at a time."""
    view = _review(call, id_of(action["value"]), 0)
    show = call.client.views_push if call.view.get("type") == "modal" else call.client.views_open
    show(trigger_id=call.trigger_id, view=view)


def _review(call: Call, run_id: int, page: int) -> Block:
    """Refuses: NotFound."""
    actor = call.request.actor
    run, lines, person = call.desk.ask(
        lambda books: (
            books.reminder_run(run_id),
            books.reminder_messages(run_id, limit=MOST_REVIEWED),
            books.person(actor.team, actor.user),
        ),
        call.request,
    )
    may_write = person is not None and person.role >= Role.CLERK
    view = message_view(TITLE, review_blocks(run, lines, page, settings_of(call), may_write=may_write))
    return {**view, "private_metadata": json.dumps({"run": str(run.id), "page": page})}


def _redraw(call: Call, run_id: int, page: int) -> None:
    """Show the page anew in its place; one that was closed or drawn anew meanwhile is left as it is."""
    view = _review(call, run_id, page)
    try:
        call.client.views_update(view_id=call.view.get("id"), hash=call.view.get("hash"), view=view)
    except SlackApiError as fault:
        if fault.response.get("error") not in OVERTAKEN:
            raise


def _turn(call: Call, action: dict[str, Any]) -> None:
    run_id, page = _both(action["value"])
    if call.view.get("type") != "modal":
        raise Refused(OTHER_VERSION)
    _redraw(call, run_id, page)


for place in range(3):
    press(f"reminders_page_{place}", by=Role.VIEWER)(_turn)


def _message(call: Call, action: dict[str, Any]) -> Reply | None:
    """What can be done to one message of a plan. Refuses: NoAccess, NotFound, WrongState."""
    value = action["selected_option"]["value"]
    verb, _, about = value.partition(":")
    message_id, version = _both(about)
    message = call.desk.ask(lambda books: books.reminder_message(message_id), call.request)
    match verb:
        case "read":
            return _read(call, message)
        case "customer":
            found = call.desk.ask(lambda books: books.customer(message.customer_id), call.request)
            return customers.show_customer(call, found)
        case "exclude" | "include":
            return _exclude(
                call, message, version, back=verb == "include", key=button_key(call, {**action, "value": value})
            )
        case "edit":
            _open_edit(call, message, version)
            return None
        case "test":
            call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
            return Reply(
                escape(send_to_me(call, call.desk.ask(lambda books: of_message(books, message), call.request)))
            )
    raise Refused(OTHER_VERSION)


def _exclude(call: Call, message: Message, version: int, *, back: bool, key: str) -> Reply | None:
    """Leave a message out or take it in again, and show the page as it is then."""
    command = ExcludeReminder(message_id=message.id, version=version, back=back)
    outcome = call.desk.carry_out(exclude_reminder, command, call.keyed(key))
    if call.view.get("type") != "modal" or message.run_id is None:
        return Reply(escape(outcome.trace().description))
    page = call.metadata.get("page")
    _redraw(call, message.run_id, page if isinstance(page, int) else 0)
    return None


def _open_edit(call: Call, message: Message, version: int) -> None:
    """The form of one message, filled with its own text or with its template. Refuses: NoAccess, Refused."""
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    templates, customer = call.desk.ask(
        lambda books: (books.reminder_templates(), books.customer(message.customer_id)), call.request
    )
    kept = template_for(templates, message.template, message.language, settings_of(call))
    subject = message.subject or (kept.subject if kept is not None else "")
    body = message.body or (kept.body if kept is not None else "")
    if len(body) > MOST_TYPED:
        raise Refused("This text is longer than a form holds; leave the message out and write to them yourself.")
    notes = [f"{shorten(customer.name, 80)} · {customer.code}"]
    about = {"message": str(message.id), "version": version, "notes": notes}
    on_top = call.view.get("type") == "modal"
    EDIT.open(call, Values({"subject": subject, "body": body}), about, on_top=on_top)


def _read(call: Call, message: Message) -> Reply:
    """One message with its letter: as it was sent, or as it stands now."""
    customer = call.desk.ask(lambda books: books.customer(message.customer_id), call.request)
    line = PlanLine(message=message, customer_name=customer.name, customer_code=customer.code)
    settings = settings_of(call)
    kept = call.desk.ask(lambda books: books.mails_about(MailAbout.REMINDER, message.id, 1), call.request)
    mail = kept[0] if kept else None
    written = call.desk.ask(lambda books: of_message(books, message), call.request) if mail is None else None
    waits = message.state is MessageState.PLANNED and written is not None
    words = written.words if waits and written is not None else None
    why_not = written.why_not if waits and written is not None else message.note
    return Reply(escape(f"Reminder to {customer.name}"), read_blocks(line, words, why_not, mail, settings))


for place in range(A_PAGE):
    press(f"reminder_more_{place}", by=Role.VIEWER)(_message)
