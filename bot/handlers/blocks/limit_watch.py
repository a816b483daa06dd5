"""What is told of a limit: how much is used, or when it ends, in the book's own time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.limit_watch import AlertKind, LimitAnnounced
from bot.domain.limits import limit_at, used_of_limit
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold, rich, typed
from bot.handlers.blocks.terms import limit_parts, terms_title
from bot.handlers.blocks.text import date_text, money
from bot.handlers.forms import Block, button


def zoned(at: datetime, settings: Settings) -> str:
    """An instant in the book's zone: `1 Dec 2026, 08:00 Asia/Singapore`."""
    there = at.astimezone(ZoneInfo(settings.zone))
    return f"{date_text(there.date(), settings.locale)}, {there:%H:%M} {settings.zone}"


def announced_title(outcome: LimitAnnounced, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    customer = outcome.customer
    ends = zoned(customer.limit_ends_at, settings) if customer.limit_ends_at is not None else ""
    if outcome.kind is AlertKind.ENDS:
        what = f"limit ends {ends}"
    elif outcome.kind is AlertKind.ENDED:
        what = f"limit ended {ends}"
    else:
        in_force = bool(limit_at(customer, outcome.at))
        what = f"{outcome.level} % of the limit used" if in_force else "more is used than is there, and no limit"
    return terms_title(customer, what)


def announced_card(outcome: LimitAnnounced, settings: Settings) -> list[Block]:
    """Title, the limit and its use, and what can be done about it."""
    customer = outcome.customer
    lines: list[tuple[Part, ...]] = [limit_parts(customer, settings, outcome.at), _advice(outcome, settings)]
    return [
        rich((bold(typed(announced_title(outcome, settings))),), block_id="title"),
        rich(*lines, block_id="facts"),
        {
            "type": "actions",
            "block_id": "actions",
            "elements": [button("Customer", "customer_show", str(customer.id))],
        },
    ]


def _advice(outcome: LimitAnnounced, settings: Settings) -> tuple[Part, ...]:
    customer, locale = outcome.customer, settings.locale
    used = used_of_limit(customer, outcome.at)
    if outcome.kind is AlertKind.ENDS:
        return (f"After that there is none. /credit-limit extend {customer.code} for 7 days lets it end later.",)
    if outcome.kind is AlertKind.ENDED:
        left = f"{money(used, locale)} is in use: nothing can be bought until that is paid, or " if used else ""
        return (f"{left}/credit-limit {customer.code} gives another one.",)
    usable = customer.usable(outcome.at)
    if usable.micros <= 0:
        return ("Nothing can be bought until it is paid, or the limit raised.",)
    return (f"{money(usable, locale)} may still be spent.",)


def announced_said(outcome: LimitAnnounced, settings: Settings) -> tuple[Part, ...]:
    """The line of the thread."""
    said = announced_title(outcome, settings).rpartition(" · ")[2]
    return (bold(said), ": ", *limit_parts(outcome.customer, settings, outcome.at))
