"""The home tab: drawn when it is opened, and again after a button on it did something."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.domain.approvals import Approval
from bot.domain.errors import NoAccess, Refused
from bot.domain.operation import DocumentKind, Role
from bot.domain.receivables import AgeingQuestion
from bot.handlers.admin import checklist
from bot.handlers.blocks.cards import invoice_file_card, invoice_title
from bot.handlers.blocks.credit_notes import note_card, note_title
from bot.handlers.blocks.home import closed_home, home_blocks
from bot.handlers.blocks.text import escape
from bot.handlers.blocks.withdrawals import withdrawal_card, withdrawal_title
from bot.handlers.commands import Reply, id_of, press
from bot.handlers.flow import settings_of
from bot.handlers.request import Call
from bot.handlers.shortcuts import open_find, open_record
from bot.observe import log

OVERTAKEN = "hash_conflict"


def on_home_opened(call: Call) -> None:
    """Draw the page for whoever looks at it; the tab for messages is left alone."""
    if call.body["event"].get("tab") == "home":
        publish(call, call.body["event"].get("view"))


def publish(call: Call, drawn: Mapping[str, Any] | None = None) -> None:
    """Draw the page of this person anew, unless another drawing overtook the one they look at."""
    view = {"type": "home", "callback_id": "home", "blocks": _blocks(call)}
    seen = {"hash": drawn["hash"]} if drawn is not None and drawn.get("hash") else {}
    try:
        call.client.views_publish(user_id=call.request.actor.user, view=view, **seen)
    except SlackApiError as fault:
        if fault.response.get("error") != OVERTAKEN:
            raise


def refresh(call: Call) -> None:
    """Draw it anew after something was done from it. What was done stands, so a fault here is logged and no more."""
    if not call.is_for_home:
        return
    try:
        publish(call)
    except (SlackApiError, OSError, Refused) as fault:
        log.warning("home tab not drawn: %s", type(fault).__name__)


def _blocks(call: Call) -> list[dict[str, Any]]:
    settings = settings_of(call)
    today = settings.today(call.request.now)
    actor, now = call.request.actor, call.request.now
    question = AgeingQuestion(as_of=today)
    try:
        person, work, ageing = call.desk.ask(
            lambda books: (
                books.person(actor.team, actor.user),
                books.worklist(actor, now),
                books.ageing(question),
            ),
            call.request,
        )
    except NoAccess:
        return closed_home()
    assert person is not None
    todo = checklist(call) if person.role >= Role.ADMINISTRATOR else []
    mine = approvals_of(work.waiting, actor.user, person.role)
    return home_blocks(replace(work, waiting=mine), ageing, settings, role=person.role, today=today, todo=todo)


def approvals_of(waiting: Sequence[Approval], user: str, role: Role) -> list[Approval]:
    """What somebody asked for, and what they may decide."""
    return [each for each in waiting if each.requester == user or role >= Role.MANAGER]


@press("home_record", by=Role.CLERK)
def press_record(call: Call, _action: dict[str, Any]) -> None:
    open_record(call)


@press("home_find", by=Role.VIEWER)
def press_find(call: Call, _action: dict[str, Any]) -> None:
    open_find(call)


@press("home_approval", by=Role.CLERK)
def press_approval(call: Call, action: dict[str, Any]) -> Reply:
    """The card of what waits, with its buttons."""
    approval_id = id_of(action["value"])
    approval = call.desk.ask(lambda books: books.approval(approval_id), call.request)
    settings = settings_of(call)
    if approval.document is DocumentKind.CREDIT_NOTE:
        note = call.desk.ask(lambda books: books.note_file(approval.document_id), call.request)
        return Reply(escape(note_title(note, settings)), note_card(note, settings))
    file = call.desk.ask(lambda books: books.withdrawal_file(approval.document_id), call.request)
    return Reply(escape(withdrawal_title(file, settings)), withdrawal_card(file, settings))


@press("home_invoice", by=Role.VIEWER)
def press_invoice(call: Call, action: dict[str, Any]) -> Reply:
    file = call.desk.ask(lambda books: books.invoice_file(id_of(action["value"])), call.request)
    settings = settings_of(call)
    return Reply(escape(invoice_title(file.invoice, file.customer, settings)), invoice_file_card(file, settings))
