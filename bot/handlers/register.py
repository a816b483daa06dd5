"""Registers every command, form, button and search with Bolt; what each does stands in its own module."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_sdk import WebClient

from bot.desk import Desk
from bot.domain.errors import NotFound, Refused
from bot.handlers import (
    admin,
    approvals,
    credit_notes,
    customer_card,
    customers,
    files,
    home,
    invoices,
    mails,
    payment_settings,
    payments,
    receivables,
    reminder_review,
    reminder_terms,
    reminder_texts,
    reminders,
    statements,
    terms,
    undo,
    withdrawals,
)
from bot.handlers import credits as credit_documents
from bot.handlers.blocks.text import escape
from bot.handlers.commands import COMMANDS, PRESSES, SUGGESTIONS, Command, Press, Reply, pressed
from bot.handlers.errors import explain, sentence_of, tell
from bot.handlers.flow import FLOWS, Flow
from bot.handlers.forms import alert_block, message_view, section
from bot.handlers.members import on_user_change
from bot.handlers.request import HOME_OPENED, MESSAGE, Call, call_of
from bot.handlers.shortcuts import READERS, SHORTCUTS, Shortcut
from bot.handlers.thread_words import on_message

DeskOf = Callable[[dict[str, Any]], Desk]
MODULES = (
    files,
    approvals,
    withdrawals,
    credit_documents,
    credit_notes,
    payments,
    customers,
    customer_card,
    invoices,
    mails,
    receivables,
    reminder_texts,
    reminder_terms,
    reminder_review,
    reminders,
    statements,
    terms,
    payment_settings,
    undo,
    admin,
    home,
)
LISTENERS: dict[str, Callable[[Call], None]] = {
    "user_change": on_user_change,
    HOME_OPENED: home.on_home_opened,
    MESSAGE: on_message,
}
NO_OWNER = (
    "This book has no owner yet. Set DUEDESK_OWNER to your Slack user id and restart, or run "
    "`duedesk owner set {user}` where the bot runs; then come back."
)
NO_OWNER_OF_BOOK = (
    "This book has no owner yet. Whoever looks after Duedesk can name one where it runs: "
    "`duedesk owner set {user} --book {book}`; then come back."
)


def register(app: App, desk_of: DeskOf, *, prefix: str = "") -> None:
    """Bind everything to the app; commands carry the workspace's prefix if it has one."""
    for name, command in COMMANDS.items():
        app.command(f"/{prefix}{name}")(_on_command(command, desk_of))
    for callback_id, flow in FLOWS.by_id.items():
        app.view(callback_id)(_on_submit(flow, desk_of))
    for callback_id, read in READERS.items():
        app.view(callback_id)(_on_read(read, desk_of))
    for shortcut in SHORTCUTS.values():
        app.shortcut(shortcut.callback_id)(_on_shortcut(shortcut, desk_of))
    for press in PRESSES.values():
        app.action(press.action_id)(_on_press(press, desk_of))
    for name in sorted(dispatching()):
        app.action(name)(_on_change(desk_of))
    for action_id, run in SUGGESTIONS.items():
        app.options(action_id)(_on_suggest(run, desk_of))
    for name, hear in LISTENERS.items():
        app.event(name)(_on_event(hear, desk_of))
    app.error(_on_error)


def dispatching() -> set[str]:
    """The fields whose change shows the effect anew."""
    fields = [field for flow in FLOWS.by_id.values() for field in flow.form.fields if field.dispatches]
    return {field.name for field in fields} - set(PRESSES)


def _on_error(error: Exception, body: dict[str, Any]) -> BoltResponse:
    return explain(error, body)


def _received(context: dict[str, Any]) -> float:
    """When the door took the request in; the deadline counts from there."""
    return float(context.get("received") or time.monotonic())


def _call(body: dict[str, Any], client: WebClient, context: dict[str, Any], desk_of: DeskOf) -> Call:
    call = call_of(body, desk_of(body), client, _received(context))
    of = context.get("authorize_result")
    return replace(call, home=of.team_id or "", home_enterprise=of.enterprise_id) if of is not None else call


def _on_command(command: Command, desk_of: DeskOf) -> Callable[..., None]:
    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        call = _call(body, client, context, desk_of)
        if not call.desk.store.read(lambda books: books.has_owner(), call.request.deadline):
            says = NO_OWNER if call.desk.store.book == "main" else NO_OWNER_OF_BOOK
            raise NotFound(says.format(user=call.request.actor.user, book=call.desk.store.book))
        reply = command.run(call, str(body.get("text") or ""))
        ack(**reply.body()) if reply is not None else ack()

    return listen


def _on_submit(flow: Flow[Any, Any], desk_of: DeskOf) -> Callable[..., None]:
    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        call = _call(body, client, context, desk_of)
        call.desk.ask(lambda _: None, call.request, by=flow.operation.by)
        answer = flow.submit(call)
        home.refresh(call)
        ack(**answer)

    return listen


def _on_read(read: Callable[[Call], dict[str, Any]], desk_of: DeskOf) -> Callable[..., None]:
    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        call = _call(body, client, context, desk_of)
        call.desk.ask(lambda _: None, call.request)
        ack(**read(call))

    return listen


def _on_shortcut(shortcut: Shortcut, desk_of: DeskOf) -> Callable[..., None]:
    """A shortcut opens its form, or says in a form why not: nothing else can answer it."""

    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        call = _call(body, client, context, desk_of)
        try:
            call.desk.ask(lambda _: None, call.request, by=shortcut.by)
            shortcut.open(call)
        except Refused as refusal:
            blocks = [alert_block(sentence_of(refusal)), section(escape(refusal.sentence))]
            client.views_open(trigger_id=call.trigger_id, view=message_view(shortcut.name, blocks))
        ack()

    return listen


def _on_press(press: Press, desk_of: DeskOf) -> Callable[..., None]:
    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        call = _call(body, client, context, desk_of)
        try:
            call.desk.ask(lambda _: None, call.request, by=press.by)
            reply = press.run(call, pressed(body["actions"][0]))
        except Exception as fault:  # noqa: BLE001  # a click always gets an answer; a bug is logged with its number
            reply = Reply(escape(sentence_of(fault)))
        if reply is not None:
            _answer(call, reply)
            home.refresh(call)
        ack()

    return listen


def _answer(call: Call, reply: Reply) -> None:
    """A click on a message is answered for the person alone; a click in a form or at home by a form on top."""
    if call.response_url:
        tell(dict(call.body), reply.text, list(reply.blocks) or None)
    else:
        blocks = list(reply.blocks) or [section(escape(reply.text))]
        view = message_view(
            "Duedesk", [block for block in blocks if block["type"] != "alert"] or [alert_block(reply.text)]
        )
        show = call.client.views_open if call.is_at_home else call.client.views_push
        show(trigger_id=call.trigger_id, view=view)


def _on_change(desk_of: DeskOf) -> Callable[..., None]:
    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        call = _call(body, client, context, desk_of)
        flow = FLOWS.by_id.get(str(call.view.get("callback_id", "")))
        if flow is not None:
            flow.changed(call)
        ack()

    return listen


def _on_event(hear: Callable[[Call], None], desk_of: DeskOf) -> Callable[..., None]:
    def listen(body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        hear(_call(body, client, context, desk_of))

    return listen


def _on_suggest(run: Callable[[Call, str], list[dict[str, Any]]], desk_of: DeskOf) -> Callable[..., None]:
    def listen(ack: Ack, body: dict[str, Any], client: WebClient, context: dict[str, Any]) -> None:
        ack(options=run(_call(body, client, context, desk_of), str(body.get("value") or "")))

    return listen
