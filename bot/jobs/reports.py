"""Files that somebody asked for, rendered when they are sent and delivered by direct message."""

import json
from collections import defaultdict
from datetime import date, datetime
from typing import Any

from slack_sdk import WebClient

from bot.desk import Desk
from bot.documents.sheets import csv_file
from bot.domain.errors import NoAccess
from bot.domain.money import Money
from bot.domain.operation import Actor, Request, Role
from bot.domain.ports import AuditQuestion
from bot.domain.receivables import AgeingDetail, AgeingQuestion, Basis
from bot.observe import log
from bot.storage.outbox import Claimed
from bot.storage.reports import SqlReadBooks

MOST_AUDIT = 1_000_000
MOST_INVOICES = 1_000_000
AUDIT_COLUMNS = ("App", "Event", "Description", "Actor", "Affected Organization", "Datetime")


def send_report(desk: Desk, client: WebClient, row: Claimed) -> None:
    """Render and upload one file, if its reader may still read it; a retry gives the same figures, since the question
    is kept.
    """
    asked: dict[str, Any] = json.loads(row.payload)
    to: dict[str, str] = json.loads(row.destination)
    user, kind = to["user"], asked["file"]
    request = Request(
        actor=Actor(team=to["team"], user=user),
        now=desk.clock(),
        key=f"report:{row.id}",
        request_id=f"report {row.id}",
        command=kind,
    )
    try:
        name, content, says = desk.ask(lambda books: RENDER[kind](books, asked), request, by=READERS[kind])
    except NoAccess:
        log.info("report %s is not sent: its reader has no right to it any more", row.id)
        return
    channel = client.conversations_open(users=user)["channel"]["id"]
    client.files_upload_v2(
        channel=channel, filename=name, content=content, title=name, initial_comment=says, request_file_info=False
    )


def ageing_csv(books: SqlReadBooks, asked: dict[str, Any]) -> tuple[str, bytes, str]:
    """Rows by customer with their invoices below, and totals by currency. Rules 82, 83."""
    question = question_of(asked["question"])
    report = books.ageing(question)
    headers = ("customer", "code", "invoice", "issued", "due", "currency", *report.labels, "total", "unapplied credit")
    rows: list[list[str]] = []
    behind: dict[int, list[AgeingDetail]] = defaultdict(list)
    for each in books.ageing_detail(question, limit=MOST_INVOICES):
        behind[each.customer_id].append(each)
    for row in report.rows:
        figures = [*row.buckets_micros, row.total_micros, row.unapplied_micros]
        rows.append(
            [row.name, row.code, "", "", "", row.currency.code, *(_plain(each, row.currency) for each in figures)]
        )
        for each in behind[row.customer_id]:
            buckets = [
                _plain(each.open.micros if index == each.bucket else 0, row.currency)
                for index in range(len(report.labels))
            ]
            dates = [each.issue_on.isoformat(), each.due_on.isoformat()]
            rows.append(
                [
                    row.name,
                    row.code,
                    each.number,
                    *dates,
                    row.currency.code,
                    *buckets,
                    _plain(each.open.micros, row.currency),
                    "",
                ]
            )
    for sums in report.totals:
        figures = [*(each.micros for each in sums.buckets), sums.total.micros, sums.unapplied.micros]
        rows.append(["Total", "", "", "", "", sums.currency.code, *(_plain(each, sums.currency) for each in figures)])
    name = f"aged-receivables-{question.as_of}.csv"
    return name, csv_file(headers, rows), f"Aged receivables as of {question.as_of}, {len(report.rows)} customers"


def audit_csv(books: SqlReadBooks, asked: dict[str, Any]) -> tuple[str, bytes, str]:
    """The six columns; says how many entries and which time range it covers. Rule 116."""
    given = asked["question"]
    question = AuditQuestion(
        since=_instant(given["since"]),
        until=_instant(given["until"] or asked["asked_at"]),
        event=given["event"],
        app=given["app"],
        customer_id=given["customer"],
        actor=given["actor"],
        limit=MOST_AUDIT,
    )
    lines = books.audit(question)
    rows = [[each.app, each.event, each.description, each.actor, each.affected, each.at.isoformat()] for each in lines]
    since = given["since"] or (lines[-1].at.isoformat() if lines else "the beginning")
    says = f"Audit log: {len(lines)} entries from {since} to {given['until'] or asked['asked_at']}"
    return "audit.csv", csv_file(AUDIT_COLUMNS, rows), says


def question_of(given: dict[str, Any]) -> AgeingQuestion:
    return AgeingQuestion(
        as_of=date.fromisoformat(given["as_of"]),
        basis=Basis(given["basis"]),
        edges=tuple(given["edges"]),
        customer_id=given["customer"],
        currency_code=given["currency"],
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _plain(micros: int, currency: Any) -> str:
    money = Money(micros, currency)
    return f"{money.decimal():.{currency.digits if money.is_whole_minor else 6}f}"


RENDER = {"ageing": ageing_csv, "audit": audit_csv}
READERS = {"ageing": Role.VIEWER, "audit": Role.ADMINISTRATOR}
