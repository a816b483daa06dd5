"""The settings of a book: everything that is no secret and no address, changed under /duedesk settings."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.domain.customers import Month
from bot.domain.digest_plans import check_plans
from bot.domain.errors import NoAccess, SettingRefused, UnknownCurrency
from bot.domain.money import Currency, currency, plain
from bot.domain.operation import Announcement, Context, Role, Trace, operation
from bot.domain.policies import check_policy
from bot.domain.reminder_settings import (
    LONGEST_FRESH,
    LONGEST_GAP,
    TIMES,
    WAYS,
    check_days,
    check_holidays,
    check_hours,
    check_note,
    check_order,
    check_time,
)
from bot.domain.schedules import check_daily, check_monthly, instant, is_known_zone

if TYPE_CHECKING:
    from bot.domain.ports import Books

LOCALES = ("en", "en_GB", "de", "de_CH", "fr", "nl", "es", "it", "pt", "id", "vi", "th", "ja", "zh")
CHANNELS = ("finance_channel", "approvals_channel", "digest_channel", "heartbeat_channel")
# The hard lock may be empty too, but once it stands it stays.
EMPTIED = ("company", "soft_lock", "approval_policy", "reminder_holidays", "payment_note", *CHANNELS)
OWNERS = ("approval_policy", "approval_hours")  # who approves what is for the owner to say
SERIES = (
    "payment_series",
    "invoice_series",
    "proforma_series",
    "top_up_series",
    "withdrawal_series",
    "credit_series",
    "master_series",
    "note_series",
    "request_series",
    "write_off_series",
)
INVOICING = ("individual", "consolidated", "none")
LONGEST_PREFIX = 12
LONGEST_WAIT = 24 * 60
LONGEST_NUMBER = 12
LONGEST_DUE = 365
LONGEST_UNDO = 120
LONGEST_COMPANY = 120
LARGEST_TOP_UP = 1_000_000_000
LONGEST_NOTICE = 60
HIGHEST_RATE = 100


POLICY = (
    "withdrawal one; withdrawal two from 10000 SGD; credit_note none; credit_note one from 1000 SGD; "
    "limit_increase none; limit_increase one from 5000 SGD; mode_switch none; write_off one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One book's settings with their defaults. Rules 102-104."""

    company: str = ""
    zone: str = "UTC"
    locale: str = "en"
    currencies: str = "SGD"
    due_days: int = 30
    tax_rates: str = "0"
    payment_series: str = "PAY-:4"
    invoice_series: str = "INV-:4"
    proforma_series: str = "PRO-:4"
    top_up_series: str = "TOP-:4"
    withdrawal_series: str = "WDR-:4"
    credit_series: str = "CRD-:4"
    master_series: str = "MST-:4"
    note_series: str = "CN-:4"
    request_series: str = "REQ-:4"
    write_off_series: str = "WO-:4"
    approval_policy: str = POLICY
    approval_hours: int = 72
    limit_notice_days: int = 3
    undo_minutes: int = 10
    top_up_most: int = 1_000_000
    top_up_monthly: int = 10_000_000
    top_up_daily: int = 100_000_000
    hard_lock: str = ""
    soft_lock: str = ""
    finance_channel: str = ""
    approvals_channel: str = ""
    digest_channel: str = ""
    digests: str = ""
    risk_days: int = 90  # what is later than this is at risk
    heartbeat: str = "07:00"  # when the books are proved each day
    heartbeat_channel: str = ""
    month_end: str = "1 at 06:00"  # when usage of the months before is invoiced
    reminders: str = "review"  # planned for people to look at, sent without a look, or off
    reminder_plan_at: str = "08:00"
    reminder_send_at: str = "10:00"
    reminder_days: str = "weekdays"
    reminder_hours: str = "08:00-18:00"  # of each customer's own zone
    reminder_holidays: str = ""  # the country whose public holidays are kept
    reminder_gap_days: int = 3  # between two messages to one customer
    reminder_fresh_days: int = 3  # without a payment recorded, after which a person is asked first; 0 for never
    payment_note: str = ""  # how to pay, as reminders say it
    attach_papers: str = "on"  # invoices and credit notes as files in the threads of their cards
    mail_invoices: str = "off"  # invoices to the customer by e-mail, once they are sent
    invoicing: str = "individual"  # what the advice on limits goes by: which purchases wait for the monthly invoice
    version: int = 0

    def today(self, now: datetime) -> date:
        """The book's calendar day at an instant."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def month(self, now: datetime) -> Month:
        """The book's month at an instant."""
        first = self.today(now).replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        return Month(starts_on=first, ends_at=instant(following, time(), self.zone))

    def undo_until(self, now: datetime) -> datetime:
        return now + timedelta(minutes=self.undo_minutes)

    @property
    def attaches_papers(self) -> bool:
        return self.attach_papers == "on"

    @property
    def mails_invoices(self) -> bool:
        return self.mail_invoices == "on"

    @property
    def is_softly_locked(self) -> bool:
        """Whether days are locked that a manager may still post on."""
        return self.soft_lock > self.hard_lock

    def first_open_day(self) -> date:
        """The day after the later lock; everything posts on it or later."""
        lock = max(self.hard_lock, self.soft_lock)
        return date.fromisoformat(lock) + timedelta(days=1) if lock else date.min

    def past_soft_lock(self) -> "Settings":
        """What a manager goes by who gave a reason: the hard lock alone."""
        return replace(self, soft_lock="")

    def currency_codes(self) -> tuple[str, ...]:
        return tuple(self.currencies.split())

    def check_currency(self, of: Currency, field: str) -> None:
        """Money of this book is in its own currencies. Refuses: UnknownCurrency."""
        if of.code not in self.currency_codes():
            raise UnknownCurrency(
                f"This book keeps {', '.join(self.currency_codes())}; "
                f"an administrator adds {of.code} to them with /duedesk settings currencies.",
                field=field,
            )

    def rates(self) -> tuple[Decimal, ...]:
        return tuple(Decimal(rate) for rate in self.tax_rates.split())

    def number(self, series: str, counter: int) -> str:
        """A document number: the length excludes the prefix. Rule 103."""
        prefix, _, length = getattr(self, f"{series}_series").rpartition(":")
        return f"{prefix}{counter:0{int(length)}d}"


NAMES = tuple(field.name for field in fields(Settings) if field.name != "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSetting:
    """Give one setting a new value, typed as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanged:
    """A setting has a new value from now on."""

    name: str
    before: str
    after: str
    operation_id: int

    def trace(self) -> Trace:
        return Trace(
            description=f"Setting {self.name}: {self.before or 'empty'} to {self.after or 'empty'}",
            before={self.name: self.before},
            after={self.name: self.after},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@operation(by=Role.ADMINISTRATOR, alone=True)
def change_setting(command: ChangeSetting, books: "Books", context: Context) -> SettingChanged:
    """Change one setting for what happens from now on. Rules 102, 103. Refuses: SettingRefused."""
    if command.name not in NAMES:
        raise SettingRefused(
            f"There is no setting {command.name[:30]}; choose one of {', '.join(NAMES)}.", field="name"
        )
    if command.name in OWNERS and context.role is not Role.OWNER:
        raise NoAccess(f"Only the owner changes {command.name}.", field="name")
    value = check_setting(command.name, command.value.strip(), context.today)
    before = books.settings.current()
    if command.name == "hard_lock":
        check_hard_lock(value, before)
    others = [getattr(before, name) for name in SERIES if name != command.name] if command.name in SERIES else []
    if _prefix(value) in map(_prefix, others):
        raise _fail("Each kind of document needs a prefix of its own, such as PAY-, INV- and WDR-.")
    if others and books.intakes.has_numbers_like(_prefix(value)):
        raise _fail(f"Imported documents are numbered {_prefix(value)} already; choose another prefix.")
    if command.name == "currencies":
        _check_dropped({*before.currency_codes()} - {*value.split()}, books)
    if command.name in TIMES:
        check_order(with_values({**_texts(before), command.name: value}, before.version))
    books.settings.change(command.name, value)
    return SettingChanged(
        name=command.name, before=str(getattr(before, command.name)), after=value, operation_id=context.operation_id
    )


def _texts(settings: Settings) -> dict[str, str]:
    return {name: str(getattr(settings, name)) for name in NAMES}


def check_hard_lock(value: str, before: Settings) -> None:
    """What is locked hard stays locked. Refuses: SettingRefused."""
    if value < before.hard_lock:
        raise SettingRefused(f"The hard lock stands at {before.hard_lock}; it only moves forward.", field="value")


def _check_dropped(codes: set[str], books: "Books") -> None:
    """A currency stays as long as a customer or a payment is kept in it. Refuses: SettingRefused."""
    in_use = sorted(codes & books.settings.currencies_in_use()) if codes else []
    if in_use:
        raise _fail(f"Customers or payments are kept in {' and '.join(in_use)}; leave it among the currencies.")


def with_values(values: dict[str, str], version: int) -> Settings:
    """Settings from stored texts."""
    defaults = Settings()
    typed = {
        name: int(value) if isinstance(getattr(defaults, name), int) else value
        for name, value in values.items()
        if name in NAMES
    }
    return replace(defaults, version=version, **typed)  # type: ignore[arg-type]  # each typed as its default is


def check_setting(name: str, value: str, today: date) -> str:
    """The value in its stored form. Refuses: SettingRefused, UnknownCurrency."""
    if name in CHANNELS:
        return value
    check = _CHECKS.get(name)
    return check(value) if check is not None else _lock(name, value, today)


def _fail(sentence: str) -> SettingRefused:
    return SettingRefused(sentence, field="value")


def _company(value: str) -> str:
    if len(value) > LONGEST_COMPANY:
        raise _fail(f"Keep the company name to {LONGEST_COMPANY} characters.")
    return value


def _zone(value: str) -> str:
    if not is_known_zone(value):
        raise _fail(f"{value[:40] or 'Nothing'} is not a time zone; type one such as Asia/Singapore.")
    return value


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    if value.lower() not in choices:
        raise _fail(f"Choose one of {', '.join(choices)}.")
    return value.lower()


def _locale(value: str) -> str:
    if value not in LOCALES:
        raise _fail(f"Choose one of {', '.join(LOCALES)}.")
    return value


def _currencies(value: str) -> str:
    codes = [currency(code).code for code in value.replace(",", " ").split()]
    if not codes:
        raise _fail("Type at least one currency code, such as SGD.")
    return " ".join(dict.fromkeys(codes))


def _whole(value: str, lowest: int, highest: int) -> str:
    if not value.isascii() or not value.isdigit() or not lowest <= int(value) <= highest:
        raise _fail(f"Type a whole number from {lowest} to {highest}.")
    return str(int(value))


def _rates(value: str) -> str:
    try:
        rates = [Decimal(rate.strip("%")) for rate in value.replace(",", " ").split()]
    except InvalidOperation:
        rates = []
    if not rates or not all(map(_is_rate, rates)):
        raise _fail("Type tax rates in per cent with at most six decimals, such as 9 7.7 0.")
    return " ".join(str(plain(abs(rate))) for rate in rates)


def _is_rate(rate: Decimal) -> bool:
    return rate.is_finite() and 0 <= rate <= HIGHEST_RATE and rate == round(rate, 6)


def _prefix(series: str) -> str:
    return series.rpartition(":")[0]


def _series(value: str) -> str:
    """A number is looked for in upper case, and its prefix ends where the count begins: P1 and 2 is not P and 12."""
    prefix, _, length = value.upper().rpartition(":")
    if re.fullmatch(r"[A-Z][A-Z0-9/-]*[/-]", prefix) is None or len(prefix) > LONGEST_PREFIX:
        raise _fail(
            "Type a prefix, a colon and the number's length, such as INV-:7; "
            "the prefix begins with a letter and ends with - or /."
        )
    return f"{prefix}:{_whole(length, 1, LONGEST_NUMBER)}"


def _lock(name: str, value: str, today: date) -> str:
    if not value:
        return ""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _fail("Type the last locked day as 2026-10-31, or nothing.") from None
    if day >= today:
        raise _fail(f"The {name.replace('_', ' ')} must lie before today.")
    return day.isoformat()


_CHECKS: dict[str, Callable[[str], str]] = {
    "company": _company,
    "zone": _zone,
    "locale": _locale,
    "currencies": _currencies,
    "due_days": lambda value: _whole(value, 0, LONGEST_DUE),
    "tax_rates": _rates,
    "payment_series": _series,
    "invoice_series": _series,
    "proforma_series": _series,
    "top_up_series": _series,
    "withdrawal_series": _series,
    "credit_series": _series,
    "master_series": _series,
    "note_series": _series,
    "request_series": _series,
    "write_off_series": _series,
    "approval_policy": check_policy,
    "approval_hours": lambda value: _whole(value, 1, LONGEST_WAIT),
    "limit_notice_days": lambda value: _whole(value, 0, LONGEST_NOTICE),
    "undo_minutes": lambda value: _whole(value, 0, LONGEST_UNDO),
    "top_up_most": lambda value: _whole(value, 0, LARGEST_TOP_UP),
    "top_up_monthly": lambda value: _whole(value, 0, LARGEST_TOP_UP),
    "top_up_daily": lambda value: _whole(value, 0, LARGEST_TOP_UP),
    "digests": check_plans,
    "risk_days": lambda value: _whole(value, 1, LONGEST_DUE),
    "heartbeat": check_daily,
    "month_end": check_monthly,
    "reminders": lambda value: _one_of(value, WAYS),
    "reminder_plan_at": check_time,
    "reminder_send_at": check_time,
    "reminder_days": check_days,
    "reminder_hours": check_hours,
    "reminder_holidays": check_holidays,
    "reminder_gap_days": lambda value: _whole(value, 0, LONGEST_GAP),
    "reminder_fresh_days": lambda value: _whole(value, 0, LONGEST_FRESH),
    "payment_note": check_note,
    "attach_papers": lambda value: _one_of(value, ("on", "off")),
    "mail_invoices": lambda value: _one_of(value, ("on", "off")),
    "invoicing": lambda value: _one_of(value, INVOICING),
}
