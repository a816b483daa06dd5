"""The home tab: drawn when it is opened, and again after a button on it did something."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.domain.approval import Approval, Mandate
from bot.domain.errors import NoAccess, Refused
from bot.domain.operation import DocumentKind, Role
from bot.domain.ports import ReadBooks
from bot.domain.receivables import AgeingQuestion
from bot.handlers.admin import checklist
from bot.handlers.blocks.cards import invoice_file_card, invoice_title
from bot.handlers.blocks.credit_notes import note_card, note_title
from bot.handlers.blocks.home import closed_home, home_blocks, reminders_today
from bot.handlers.blocks.reminders import plan_title, plan_view
from bot.handlers.blocks.terms_requests import terms_request_card, terms_request_title
from bot.handlers.blocks.text import escape
from bot.handlers.blocks.withdrawals import withdrawal_card, withdrawal_title
from bot.handlers.blocks.write_offs import write_off_card, write_off_title
from bot.handlers.commands import Reply, id_of, press
from bot.handlers.flow import settings_of
from bot.handlers.forms import Block
from bot.handlers.request import Call
from bot.handlers.shortcuts import open_find, open_record
from bot.observe import log

OVERTAKEN = "hash_conflict"
MOST_APPROVALS = 5


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
        person, work, ageing, reminders = call.desk.ask(
            lambda books: (
                books.person(actor.team, actor.user),
                books.worklist(actor, now),
                books.ageing(question),
                _reminders(books, today),
            ),
            call.request,
        )
    except NoAccess:
        return closed_home()
    assert person is not None
    todo = checklist(call) if person.role >= Role.ADMINISTRATOR else []
    mine = approvals_of(work.waiting, actor.user, person.role, work.mandates)[:MOST_APPROVALS]
    page = replace(work, waiting=mine)
    title, begin, *rest = home_blocks(page, ageing, settings, role=person.role, today=today, todo=todo)
    return [title, begin, *reminders_today(reminders), *rest]


def _reminders(books: ReadBooks, today: date) -> str:
    """Today's plan in a line; nothing while there is none."""
    run = books.reminder_run_of(today)
    return plan_title(plan_view(books, run.id), books.settings()) if run is not None else ""


def approvals_of(
    waiting: Sequence[Approval], user: str, role: Role, mandates: Sequence[Mandate] = ()
) -> list[Approval]:
    """What somebody asked for, and what they may decide, by their own right or in somebody's place."""
    principals = {each.principal for each in mandates if each.role >= Role.MANAGER}
    return [each for each in waiting if each.requester == user or role >= Role.MANAGER or principals - {each.requester}]


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
    text, blocks = call.desk.ask(
        lambda books: WAITING[approval.document](approval.document_id, books, call.request.now), call.request
    )
    return Reply(escape(text), blocks)


def _note(document_id: int, books: ReadBooks, _now: datetime) -> tuple[str, list[Block]]:
    settings, file = books.settings(), books.note_file(document_id)
    return note_title(file, settings), note_card(file, settings)


def _withdrawal(document_id: int, books: ReadBooks, _now: datetime) -> tuple[str, list[Block]]:
    settings, file = books.settings(), books.withdrawal_file(document_id)
    return withdrawal_title(file, settings), withdrawal_card(file, settings)


def _terms(document_id: int, books: ReadBooks, now: datetime) -> tuple[str, list[Block]]:
    settings, file = books.settings(), books.terms_file(document_id)
    return terms_request_title(file, settings), terms_request_card(file, settings, now)


def _write_off(document_id: int, books: ReadBooks, _now: datetime) -> tuple[str, list[Block]]:
    settings, file = books.settings(), books.write_off_file(document_id)
    return write_off_title(file, settings), write_off_card(file, settings)


# The card of each kind of document that others decide: its first line and its blocks.
WAITING: dict[DocumentKind, Callable[[int, ReadBooks, datetime], tuple[str, list[Block]]]] = {
    DocumentKind.WITHDRAWAL: _withdrawal,
    DocumentKind.CREDIT_NOTE: _note,
    DocumentKind.TERMS: _terms,
    DocumentKind.WRITE_OFF: _write_off,
}


@press("home_invoice", by=Role.VIEWER)
def press_invoice(call: Call, action: dict[str, Any]) -> Reply:
    file = call.desk.ask(lambda books: books.invoice_file(id_of(action["value"])), call.request)
    settings = settings_of(call)
    return Reply(escape(invoice_title(file.invoice, file.customer, settings)), invoice_file_card(file, settings))
