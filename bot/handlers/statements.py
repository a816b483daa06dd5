"""/statement: a customer's account, as open items at a day or as every movement of a period; as text and as file."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.operation import Role
from bot.domain.settings import Settings
from bot.domain.statements import StatementKind, StatementQuestion, usual_start
from bot.handlers import find
from bot.handlers.blocks.statements import MOST_ROWS, statement_blocks, statement_text
from bot.handlers.blocks.text import escape
from bot.handlers.commands import Command, Reply, Sub, carried, command, id_of, press
from bot.handlers.files import PAPER, SHEETS, file_format, offer, send_file
from bot.handlers.flow import Answer, settings_of, update
from bot.handlers.forms import (
    Block,
    ChoiceField,
    DateField,
    Form,
    FormRefused,
    SearchField,
    Values,
    button,
    message_view,
)
from bot.handlers.mails import open_statement
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import Word, clauses, join, split
from bot.handlers.request import Call
from bot.handlers.statement_questions import question_json, question_of

KEYWORDS = {"from": "since", "to": "until", "until": "until", "as-of": "until", "asof": "until"}
FORMATS = (*SHEETS, *PAPER)
SEND = "send"

WHOSE = SearchField("customer", "Customer", placeholder="Name, code, UUID or wallet ID")
KIND = ChoiceField(
    "kind", "Show", choices=(("What is open at the last day", "open"), ("Every movement of the days", "activity"))
)
SINCE = DateField("since", "From", needed=False, hint="Of the movements; empty means the month before and this one.")
UNTIL = DateField("until", "To")
ASK = Form("statement", "Statement of account", (WHOSE, KIND, SINCE, UNTIL), submit="Show")


def read_words(text: str, today: date) -> tuple[str, StatementQuestion, str]:
    """`CUSTOMER [from DATE] [to DATE] [open|activity] [pdf|csv|xlsx|send]`: the name, the question without its
    customer, and the format or `send`. Refuses what is odd.
    """
    text, form = file_format(text, FORMATS)
    spoken = clauses(split(text), KEYWORDS)
    parts = {"lead": spoken.lead, **spoken.clauses}
    kinds = []
    for part, words in parts.items():
        if _is_word(words, SEND) and (part != "lead" or len(words) > 1):
            if form:
                raise Refused("Type send, or a format, one of them: a statement is sent as a PDF.")
            form, words = SEND, words[:-1]  # noqa: PLW2901  # the same words, without the last
            parts[part] = words
        if _names_kind(words) and (part != "lead" or len(words) > 1):
            kinds.append(words[-1].text.lower())
            parts[part] = words[:-1]
    since, until = (join(parts.get(name, ())) for name in ("since", "until"))
    name, dates = _dates_apart(parts["lead"])
    if dates and (since or until):
        raise Refused("Type the days once: from 2026-10-01 to 2026-10-31.", field="since")
    if len(dates) > 1:
        since, until = dates
    elif dates:
        since, until = ("", dates[0]) if "activity" not in kinds else (dates[0], "")
    if len(kinds) > 1:
        raise Refused("Type open or activity, one of them.", field="kind")
    kind = StatementKind(kinds[0]) if kinds else StatementKind.ACTIVITY if since else StatementKind.OPEN
    last = parse_date(until, today=today) if until else today
    first = parse_date(since, today=today) if since else usual_start(last)
    return join(name), StatementQuestion(customer_id=0, kind=kind, since=first, until=last).check(today), form


def _is_word(words: tuple[Word, ...], text: str) -> bool:
    return bool(words) and not words[-1].quoted and words[-1].text.lower() == text


def _names_kind(words: tuple[Word, ...]) -> bool:
    return any(_is_word(words, kind.value) for kind in StatementKind)


def _dates_apart(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """A name, and up to two days such as 2026-10-31 after it."""
    end = len(words)
    while end > 1 and len(words) - end < 2 and _is_day(words[end - 1]):  # noqa: PLR2004  # from and to
        end -= 1
    return words[:end], tuple(word.text for word in words[end:])


def _is_day(word: Word) -> bool:
    if word.quoted or word.text.count("-") != 2:  # noqa: PLR2004  # year, month, day
        return False
    return word.text.replace("-", "").isdigit()


def statement(call: Call, text: str) -> Reply | None:
    """The statement for the asker alone, the form when nothing is typed, a file where one is named."""
    if not text:
        today = settings_of(call).today(call.request.now)
        given = {"kind": StatementKind.OPEN.value, "until": today}
        call.client.views_open(trigger_id=call.trigger_id, view=ASK.draw(Values(given), "{}"))
        return None
    name, _, _ = read_words(text, settings_of(call).today(call.request.now))
    found = find.customers_named(call, name) if name else ()
    asked = find.ask_which(found, name, "choose_statement", text)
    return asked if asked is not None else _answered(call, text, find.customer_named(call, name))


def _answered(call: Call, text: str, customer: Customer) -> Reply | None:
    _, question, form = read_words(text, settings_of(call).today(call.request.now))
    question = replace(question, customer_id=customer.id)
    if form == SEND:
        open_statement(call, question)
        return None
    return send_file(call, "statement", question_json(question), form) if form else show(call, question)


def show(call: Call, question: StatementQuestion) -> Reply:
    """A statement, with its files and the other kind below it."""
    settings = settings_of(call)
    made = call.desk.ask(lambda books: books.statement(question, MOST_ROWS + 1), call.request)
    return Reply(
        escape(statement_text(made, settings)), [*statement_blocks(made, settings), _actions(question, settings)]
    )


def _actions(question: StatementQuestion, _settings: Settings) -> Block:
    kept = question_json(question)
    (files,) = offer("statement", kept)
    is_open = question.kind is StatementKind.OPEN
    other = replace(question, kind=StatementKind.ACTIVITY if is_open else StatementKind.OPEN)
    elements = [
        button("PDF", "statement_pdf", json.dumps(kept)),
        *files["elements"],
        button("Activity" if is_open else "Open items", "statement_show", json.dumps(question_json(other))),
        button("E-mail", "statement_mail", json.dumps(kept)),
        button("Customer", "customer_show", str(question.customer_id)),
    ]
    return {"type": "actions", "block_id": "actions", "elements": elements}


def _carried(value: str) -> StatementQuestion:
    """A question that a button carries. Refuses: Refused."""
    with carried():
        given = json.loads(value)
    return question_of(given)


def show_asked(call: Call) -> Answer:
    """The statement that the form asks for, in its place. Refuses: NoAccess, NotFound, Refused."""
    try:
        values = ASK.read(call.view)
    except FormRefused as refused:
        return {"response_action": "errors", "errors": refused.errors}
    until = values.need(UNTIL)
    question = StatementQuestion(
        customer_id=id_of(values.need(WHOSE)[1]),
        kind=StatementKind(values.need(KIND)),
        since=values.get(SINCE) or usual_start(until),
        until=until,
    )
    try:
        question.check(settings_of(call).today(call.request.now))
    except Refused as refusal:
        return {"response_action": "errors", "errors": {refusal.field or UNTIL.name: refusal.sentence}}
    return update(message_view(ASK.title, list(show(call, question).blocks)))


STATEMENT = command(
    Command(
        "statement",
        "Statements of account",
        "Acme from 2026-10-01 to 2026-10-31",
        main="show",
        subs=(
            Sub(
                "show",
                Role.VIEWER,
                "/statement Acme from 2026-10-01 to 2026-10-31 activity pdf",
                "what is open at a day, or every movement of some days",
                statement,
            ),
        ),
    )
)


@press("statement_show", by=Role.VIEWER)
def press_show(call: Call, action: dict[str, Any]) -> Reply:
    return show(call, _carried(action["value"]))


@press("statement_pdf", by=Role.VIEWER)
def press_pdf(call: Call, action: dict[str, Any]) -> Reply:
    """The statement above as paper, for the one who pressed."""
    return send_file(call, "statement", question_json(_carried(action["value"])), "pdf")


@press("statement_mail", by=Role.CLERK)
def press_mail(call: Call, action: dict[str, Any]) -> None:
    """The form that sends the statement above to the customer."""
    open_statement(call, _carried(action["value"]))


@press("customer_statement", by=Role.VIEWER)
def press_customer(call: Call, action: dict[str, Any]) -> Reply:
    """What is open of a customer today, from its card."""
    today = settings_of(call).today(call.request.now)
    question = StatementQuestion(
        customer_id=id_of(action["value"]), kind=StatementKind.OPEN, since=usual_start(today), until=today
    )
    return show(call, question)


find.on_choice("choose_statement", _answered, by=Role.VIEWER)
