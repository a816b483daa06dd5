"""What a reminder says: the values of one customer, written as its reader writes dates and amounts."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bot.domain.errors import TemplateRefused
from bot.domain.money import Money
from bot.domain.reminder_plan import CustomerFacts, Line
from bot.domain.reminder_ports import Message, Template
from bot.domain.reminder_sending import Letter
from bot.domain.reminder_text import fill
from bot.domain.settings import Settings
from bot.handlers.blocks.text import date_text, escape, money, plain, shorten

LONGEST_TITLE = 140
LONGEST_PIECE = 2_800
MOST_PIECES = 20


def template_for(templates: Sequence[Template], name: str, language: str, settings: Settings) -> Template | None:
    """The text of a name in a language, else in the book's, else in English, else in the first there is. Rule 86."""
    called = {each.language: each for each in templates if each.name.casefold() == name.casefold()}
    wanted = (language, language.partition("_")[0], settings.locale, settings.locale.partition("_")[0], "en")
    return next((called[each] for each in wanted if each in called), next(iter(called.values()), None))


def values_of(
    customer: CustomerFacts, lines: Sequence[Line], today: date, settings: Settings, locale: str
) -> Mapping[str, Any]:
    """What a template can name, for these invoices on a day. Rule 90."""
    of = customer.currency
    late = [line for line in lines if line.invoice.due_on < today]
    return {
        "customer": customer.name,
        "code": customer.code,
        "company": settings.company,
        "today": date_text(today, locale),
        "count": len(lines),
        "currency": of.code,
        "total": money(Money(sum(line.invoice.open_micros for line in lines), of), locale),
        "overdue": money(Money(sum(line.invoice.open_micros for line in late), of), locale),
        "oldest_days": max(((today - line.invoice.due_on).days for line in late), default=0),
        "level": max(line.due.step.level for line in lines),
        "payment_note": settings.payment_note,
        "invoices": [_invoice(line, today, customer, locale) for line in lines],
    }


def _invoice(line: Line, today: date, customer: CustomerFacts, locale: str) -> Mapping[str, Any]:
    invoice, late = line.invoice, (today - line.invoice.due_on).days
    return {
        "number": invoice.number,
        "issued": date_text(invoice.issue_on, locale),
        "due": date_text(invoice.due_on, locale),
        "days_overdue": max(0, late),
        "days_left": max(0, -late),
        "total": money(Money(invoice.total_micros, customer.currency), locale),
        "open": money(Money(invoice.open_micros, customer.currency), locale),
        "level": line.due.step.level,
    }


def write(
    customer: CustomerFacts,
    lines: Sequence[Line],
    today: date,
    settings: Settings,
    template: Template,
    own: tuple[str, str] | None = None,
) -> tuple[str, str]:
    """Subject and text of a message, by a template or by a text of its own. Refuses: TemplateRefused."""
    subject, body = own or (template.subject, template.body)
    return fill(subject, body, values_of(customer, lines, today, settings, template.language))


def words_of(
    message: Message, letter: Letter, customer: CustomerFacts, templates: Sequence[Template], settings: Settings
) -> tuple[str, str]:
    """What a planned message says as it stands now. Refuses: TemplateRefused."""
    step = max((line.due.step for line in letter.lines), key=lambda step: step.offset)
    template = template_for(templates, step.template, customer.language, settings)
    if template is None:
        raise TemplateRefused(f"There is no text {step.template} any more.")
    own = (message.subject, message.body) if message.subject is not None and message.body is not None else None
    return write(customer, letter.lines, message.day, settings, template, own)


def paper_of(customer: CustomerFacts, today: date) -> str:
    """The statement that goes with a reminder: what is open on the day."""
    question = {
        "customer": str(customer.id),
        "kind": "open",
        "since": today.replace(day=1).isoformat(),
        "until": today.isoformat(),
    }
    return json.dumps({"file": "statement", "format": "pdf", "question": question})


def posted(said: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """A letter as a message in the customer's channel: plain text throughout, nothing in it is interpreted."""
    lines, pieces = said["body"].split("\n"), [""]
    for line in lines:
        if len(pieces[-1]) + len(line) >= LONGEST_PIECE:
            pieces.append("")
        pieces[-1] += f"{line[: LONGEST_PIECE - 1]}\n"
    title = {"type": "header", "text": plain(shorten(said["subject"], LONGEST_TITLE))}
    sections = [{"type": "section", "text": plain(piece.rstrip())} for piece in pieces[:MOST_PIECES]]
    return escape(said["subject"]), [title, *sections]
