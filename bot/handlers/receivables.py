"""/aging: aged receivables at any day, by due or issue date, for all or one; as text, table and file."""

from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain.errors import Refused
from bot.domain.money import currency
from bot.domain.operation import Role
from bot.domain.receivables import Ageing, AgeingQuestion, Basis, check_edges
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.receivables import ageing_blocks, ageing_text, detail_blocks
from bot.handlers.commands import Command, Reply, Sub, carried, command, id_of, press
from bot.handlers.files import SHEETS, offer, send_file
from bot.handlers.flow import settings_of
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import phrase
from bot.handlers.request import Call

KEYWORDS = {
    "as-of": "as_of",
    "asof": "as_of",
    "by": "basis",
    "customer": "customer",
    "currency": "currency",
    "buckets": "buckets",
    **dict.fromkeys(SHEETS, "file"),
    "table": "table",
}


def read_question(call: Call, text: str, settings: Settings) -> tuple[AgeingQuestion, frozenset[str]]:
    """`[as-of DATE] [by due|issue] [customer X] [currency C] [buckets 30,60,90] [csv|xlsx]`. Refuses what is odd."""
    spoken = phrase(text, KEYWORDS)
    today = settings.today(call.request.now)
    as_of = parse_date(spoken.text("as_of"), today=today) if spoken.text("as_of") else today
    if as_of > today:
        raise Refused("The report is for today or an earlier day; nothing is known of later ones.", field="as_of")
    basis = spoken.text("basis") or Basis.DUE.value
    if basis not in {each.value for each in Basis}:
        raise Refused("Type by due or by issue.", field="basis")
    name = spoken.text("customer") or " ".join(word.text for word in spoken.lead)
    question = AgeingQuestion(
        as_of=as_of,
        basis=Basis(basis),
        customer_id=find.customer_named(call, name).id if name else None,
        currency_code=currency(spoken.text("currency")).code if spoken.text("currency") else None,
    )
    if "buckets" in spoken.clauses:
        question = replace(question, edges=_edges(spoken.text("buckets")))
    return question, frozenset({*spoken.clauses, spoken.spelled.get("file", "").lower()})


def _edges(text: str) -> tuple[int, ...]:
    numbers = text.replace(",", " ").split()
    if not all(each.isascii() and each.isdigit() and len(each) < 6 for each in numbers):  # noqa: PLR2004  # days of a decade
        raise Refused("Type bucket edges in days, such as buckets 30,60,90.", field="buckets")
    return check_edges([int(each) for each in numbers])


def aging(call: Call, text: str) -> Reply:
    """The report for the asker alone; `csv` or `xlsx` sends the file by direct message. Rules 79-84."""
    settings = settings_of(call)
    question, asked = read_question(call, text, settings)
    kept = question_json(question)
    for form in SHEETS:
        if form in asked:
            return send_file(call, "ageing", kept, form)
    report = call.desk.ask(lambda books: books.ageing(question), call.request)
    if question.customer_id is not None:
        details = call.desk.ask(lambda books: books.ageing_detail(question, 50), call.request)
        blocks = detail_blocks(report, details, settings)
    else:
        blocks = ageing_blocks(report, settings, as_table="table" in asked)
    return Reply(ageing_text(report, settings), [*blocks, *offer("ageing", kept)])


def question_json(question: AgeingQuestion) -> dict[str, Any]:
    """A report's question, as its file is rendered from later; a retry gives the same figures."""
    return {
        "as_of": question.as_of.isoformat(),
        "basis": question.basis.value,
        "edges": list(question.edges),
        "customer": question.customer_id,
        "currency": question.currency_code,
    }


AGING = command(
    Command(
        "aging",
        "Aged receivables at any day",
        "as-of 2026-10-31 by due customer Acme",
        main="show",
        subs=(
            Sub("show", Role.VIEWER, "/aging as-of 2026-10-31 by issue buckets 15,30,60", "receivables by age", aging),
            Sub(
                "csv",
                Role.VIEWER,
                "/aging csv",
                "the same as a file",
                lambda call, text: aging(call, f"{text} csv".strip()),
            ),
            Sub(
                "xlsx",
                Role.VIEWER,
                "/aging xlsx",
                "the same as a spreadsheet",
                lambda call, text: aging(call, f"{text} xlsx".strip()),
            ),
        ),
    )
)


@press("aging_customer", by=Role.VIEWER)
def press_customer(call: Call, action: dict[str, Any]) -> Reply:
    """Open a row to its invoices. Rule 83."""
    customer_id, _, rest = action["selected_option"]["value"].partition(":")
    settings = settings_of(call)
    question = replace(_question_of(rest), customer_id=id_of(customer_id))
    report: Ageing = call.desk.ask(lambda books: books.ageing(question), call.request)
    details = call.desk.ask(lambda books: books.ageing_detail(question, 50), call.request)
    return Reply(ageing_text(report, settings), detail_blocks(report, details, settings))


def _question_of(text: str) -> AgeingQuestion:
    """The question a row was an answer to. Refuses: Refused."""
    with carried():
        as_of, basis, edges = text.split("|")
        return AgeingQuestion(
            as_of=date.fromisoformat(as_of), basis=Basis(basis), edges=tuple(int(each) for each in edges.split(","))
        )
