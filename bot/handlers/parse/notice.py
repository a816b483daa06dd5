"""Bank notifications and notes of colleagues to suggestions, each with the words it came from; what can be read in two
ways is asked back, and money that went out is said to have.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Generic, TypeVar

from bot.domain.money import Currency, currency
from bot.handlers.parse.notice_dates import Day, Posted, date_spans, days_of, promised_days
from bot.handlers.parse.notice_direction import why_nothing
from bot.handlers.parse.notice_money import Book, Sum, sums_of
from bot.handlers.parse.notice_names import Named, invoices_of, payers_of, references_of
from bot.handlers.parse.notice_text import Part, Role, Text, parts_of, plain_text

T = TypeVar("T")
LONGEST_READ = 6000
MOST_INVOICES = 20
_LEVELS = (Role.REFERENCE, Role.TRANSACTION, Role.PURPOSE)


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One thing read from a message and the piece it came from; or why it is asked instead."""

    value: T | None = None
    source: str = ""
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a message says of a payment, as suggestions; `nothing` says why there is none at all."""

    payer: Reading[str] = field(default_factory=Reading)
    amount: Reading[Decimal] = field(default_factory=Reading)
    currency: Reading[Currency] = field(default_factory=Reading)
    reference: Reading[str] = field(default_factory=Reading)
    invoices: Reading[tuple[str, ...]] = field(default_factory=Reading)
    day: Reading[date] = field(default_factory=Reading)
    nothing: str = ""
    sentence: str = ""


def read_notice(message: str, *, book: Book, posted: Posted) -> Notice:
    """Read a message as people see it. Nothing in it is guessed, and no message breaks this."""
    if len(message) > LONGEST_READ:
        return Notice(
            nothing="The message is too long to be read for certain; fill in what it says.", sentence=_first(message)
        )
    text = plain_text(message)
    nothing = why_nothing(text)
    parts = parts_of(text)
    dates = date_spans(text)
    sums = sums_of(text, parts, dates, book)
    main = [each for each in sums if each.role is not Role.OTHER]
    if not nothing and any(each.sign == "-" for each in main):
        nothing = "This reads like money going out: a minus stands before the amount. Nothing is filled in from it."
    if nothing:
        return Notice(nothing=nothing, sentence=_first(message))
    spans = [(each.start, each.end) for each in sums]
    notice = _payment(text, parts, main, [*dates, *spans], book)
    invoices, is_range = invoices_of(text, parts, spans)
    return replace(
        notice,
        invoices=_invoices(text, invoices, is_range=is_range),
        day=_day(text, days_of(text, parts, posted)),
        sentence=_sentence(text, parts, main) or _first(message),
    )


def read_promise(message: str, *, book: Book, posted: Posted) -> Notice:
    """Read what somebody says they will pay and by when, by the same rules: what can be read in two ways is asked."""
    if len(message) > LONGEST_READ:
        return Notice(
            nothing="The message is too long to be read for certain; fill in what it says.", sentence=_first(message)
        )
    text = plain_text(message)
    parts = parts_of(text)
    dates = date_spans(text)
    sums = sums_of(text, parts, dates, book)
    main = [each for each in sums if each.role is not Role.OTHER]
    spans = [(each.start, each.end) for each in sums]
    amount, of = _amount(text, main, book)
    payer = _one(text, payers_of(text, parts, [*dates, *spans]), "payers", lambda each: each.value.casefold())
    invoices, is_range = invoices_of(text, parts, spans)
    return Notice(
        payer=payer,
        amount=amount,
        currency=of,
        invoices=_invoices(text, invoices, is_range=is_range),
        day=_day(text, promised_days(text, posted)),
        sentence=_sentence(text, parts, main) or _first(message),
    )


def _payment(
    text: Text, parts: Sequence[Part], main: Sequence[Sum], taken: Sequence[tuple[int, int]], book: Book
) -> Notice:
    """Amount, payer and reference; of several payments in one message all is asked."""
    payers, references = payers_of(text, parts, taken), references_of(text, parts)
    amount, of = _amount(text, main, book)
    payer = _one(text, payers, "payers", lambda each: " ".join(each.value.casefold().replace(".", " ").split()))
    reference = _reference(text, references)
    firm = [each for each in main if each.role in {Role.CREDITED, Role.AMOUNT}]
    if len(firm) > 1 and (
        payer.asked.startswith("two") or reference.asked.startswith("two") or _is_said_twice(text, firm)
    ):
        several = "the message may tell of several payments; record them one by one"
        return Notice(Reading(asked=several), Reading(asked=several), Reading(asked=several), Reading(asked=several))
    return Notice(payer, amount, of, reference)


def _is_said_twice(text: Text, firm: Sequence[Sum]) -> bool:
    """Whether the same sum comes in twice, in sentences of their own."""
    credited = [each for each in firm if each.role is Role.CREDITED]
    between = [text.plain[one.end : other.start] for one, other in pairwise(credited)]
    return any(re.search(r"[.\n!]", each) and not re.search(r"[:=]\s*$", each) for each in between)


def _amount(text: Text, main: Sequence[Sum], book: Book) -> tuple[Reading[Decimal], Reading[Currency]]:
    """The one sum that came in, and its currency."""
    chosen, why = _chosen(text, main)
    if not chosen:
        return Reading(asked=why), Reading(asked=why)
    sum_ = max(chosen, key=lambda each: (bool(each.codes), -each.start))
    source = text.piece(sum_.start, sum_.end)
    if sum_.value is None:
        return Reading(source=source, asked=sum_.asked), Reading(asked=sum_.asked)
    of = _currency(text, chosen, source, book)
    if of.value is None:  # an amount says nothing without its currency
        return Reading(source=source, asked=of.asked), of
    return Reading(sum_.value, source), of


def _currency(text: Text, chosen: Sequence[Sum], source: str, book: Book) -> Reading[Currency]:
    named = [each.codes for each in chosen if each.codes]
    codes = [code for code in (named[0] if named else ()) if all(code in others for others in named)]
    spoken = _spoken_codes(text, book)
    if not named:
        codes = spoken or (list(book.codes) if len(book.codes) == 1 else [])
        if not codes:
            return Reading(asked=f"no currency stands beside {source}")
    kept = [code for code in codes if code in book.codes]
    codes = codes if len(codes) == 1 else kept
    if len(codes) == 1:
        return Reading(currency(codes[0]), source)
    may_be = " or ".join(named[0][:3]) if named and not kept else " or ".join(codes)
    return Reading(source=source, asked=f"{source} can be {may_be}")


def _spoken_codes(text: Text, book: Book) -> list[str]:
    """The currency that a line of its own names."""
    found = {
        word.upper()
        for part in parts_of(text)
        if part.role is Role.CURRENCY
        for word in text.plain[part.start : part.end].split()[:1]
    }
    return [code for code in found if code in book.codes] if len(found) == 1 else []


def _chosen(text: Text, main: Sequence[Sum]) -> tuple[list[Sum], str]:
    """The sums that all say the same one amount; else none, and why."""
    if not main:
        return [], "no amount stands in the message"
    unread = [each for each in main if each.value is None]
    if unread:
        return ([], unread[0].asked) if len(main) > 1 else (list(main), "")
    for pick in (_all, _without_second, _the_total):
        picked = pick(main)
        if picked and _is_one(picked):
            return picked, ""
    shown = list(dict.fromkeys(" ".join(text.piece(each.start, each.end).split()) for each in main))
    number = {2: "two"}.get(len(shown), str(len(shown)))
    return [], f"{number} amounts stand in the message: {' and '.join(shown[:3])}"


def _all(main: Sequence[Sum]) -> list[Sum]:
    return list(main)


def _without_second(main: Sequence[Sum]) -> list[Sum]:
    """What was credited counts when all the rest is what was sent at first."""
    credited = [each for each in main if each.role is Role.CREDITED]
    rest = [each for each in main if each.role not in {Role.CREDITED, Role.SECOND}]
    return credited if not rest and any(each.role is Role.SECOND for each in main) else []


def _the_total(main: Sequence[Sum]) -> list[Sum]:
    """The total counts when the others add up to it."""
    totals = [each for each in main if each.role is Role.TOTAL]
    others = [each.value for each in main if each.role is not Role.TOTAL and each.value is not None]
    if not totals or not _is_one(totals) or len(others) <= 1:
        return []
    return totals if sum(others, Decimal(0)) == totals[0].value else []


def _is_one(sums: Sequence[Sum]) -> bool:
    """Whether all are the same amount in currencies that can be the same."""
    named = [set(each.codes) for each in sums if each.codes]
    return len({each.value for each in sums}) == 1 and (not named or bool(set.intersection(*named)))


def _one(text: Text, found: Sequence[Named], what: str, fold: Callable[[Named], str]) -> Reading[str]:
    """What all agree on; else asked."""
    values = {fold(each): each for each in reversed(found) if each.value}
    doubts = [each for each in found if each.asked]
    if len(values) > 1:
        shown = " and ".join(each.value[:40] for each in reversed(values.values()))
        return Reading(asked=f"two {what} stand in the message: {shown}")
    if values:
        (sole,) = values.values()
        return Reading(sole.value, text.piece(sole.start, sole.end))
    if doubts:
        return Reading(source=text.piece(doubts[0].start, doubts[0].end), asked=doubts[0].asked)
    return Reading()


def _reference(text: Text, found: Iterable[Named]) -> Reading[str]:
    """What is called a reference; without one the transaction's number, then what the payment is for."""
    several = list(found)
    for level in _LEVELS:
        at_level = [each for each in several if each.role is level]
        if at_level:
            return _one(text, at_level, "references", lambda each: "".join(each.value.split()).casefold())
    return Reading()


def _invoices(text: Text, found: Sequence[Named], *, is_range: bool) -> Reading[tuple[str, ...]]:
    if is_range:
        return Reading(asked="a range of invoices is named; type each")
    if len(found) > MOST_INVOICES:
        return Reading(asked=f"{len(found)} invoices are named, more than a form takes")
    if not found:
        return Reading()
    source = text.piece(min(each.start for each in found), max(each.end for each in found))
    return Reading(tuple(each.value for each in found), source)


def _day(text: Text, days: Sequence[Day]) -> Reading[date]:
    """The value date if one is named; else the one date there is."""
    firm = [each for each in days if each.role is Role.VALUE_DATE] or list(days)
    asked = [each for each in firm if each.value is None]
    if asked:
        return Reading(source=text.piece(asked[0].start, asked[0].end), asked=asked[0].asked)
    values = {each.value: each for each in reversed(firm)}
    if len(values) > 1:
        shown = " and ".join(text.plain[each.start : each.end] for each in reversed(values.values()))
        return Reading(asked=f"two dates stand in the message: {shown}")
    if not values:
        return Reading()
    return Reading(firm[0].value, text.piece(firm[0].start, firm[0].end))


def _sentence(text: Text, parts: Sequence[Part], main: Sequence[Sum]) -> str:
    """The line that the amount stands in."""
    for part in parts:
        if main and part.start <= main[0].start < part.end:
            first = text.plain.rfind("\n", 0, part.start) + 1
            last = text.plain.find("\n", part.end)
            return " ".join(text.piece(first, last if last >= 0 else len(text.plain)).split())
    return ""


def _first(message: str) -> str:
    return " ".join(message[:400].split())
