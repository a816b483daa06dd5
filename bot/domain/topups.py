"""Automatic top-ups: when a wallet is at its threshold, a top-up invoice is sent or credit is issued, once a day."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.credits import CreditChanged, IssueCredit, Purpose, issue
from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import NoAccess, TopUpRefused
from bot.domain.intake import OPERATOR
from bot.domain.master import MasterAccount
from bot.domain.money import Money
from bot.domain.open_items import Invoice
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.payment_settings import PaymentSettings, TopUpMethod
from bot.domain.top_up_invoices import send_top_up

if TYPE_CHECKING:
    from bot.domain.ports import Books

NAME = "Automatic top-up"


class TopUpCode(StrEnum):
    """What comes of looking at a wallet."""

    DUE = "due"
    DONE = "done"
    OFF = "off"
    NOT_PREPAID = "not_prepaid"
    HANDLED_BY_STRIPE = "handled_by_stripe"
    ABOVE_THRESHOLD = "above_threshold"
    CUSTOMER_NOT_ACTIVE = "customer_not_active"
    ATTEMPT_OPEN = "attempt_open"
    DONE_TODAY = "done_today"
    CAP_REACHED = "cap_reached"
    MASTER_SHORT = "master_short"


# Nothing is amiss: there is nothing to top up here, so nobody is told.
QUIET = frozenset({TopUpCode.OFF, TopUpCode.NOT_PREPAID, TopUpCode.HANDLED_BY_STRIPE, TopUpCode.ABOVE_THRESHOLD})


@dataclass(frozen=True, slots=True)
class Caps:
    """The most at a time, of a customer in a month, and of all customers of a currency on a day."""

    once: Money
    monthly: Money
    daily: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was topped up, and what was told, of a customer in a month, by UTC."""

    days: frozenset[date] = frozenset()
    told: frozenset[tuple[date, TopUpCode]] = frozenset()
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpFacts:
    """All that a decision goes by. The account at the platform and the day's sum are known once they are locked."""

    customer: Customer
    settings: PaymentSettings | None
    past: Past
    caps: Caps
    today: date
    open_invoice: str = ""
    day_total: Money | None = None
    master: MasterAccount | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A code and its sentence; `told` is whether finance is told."""

    code: TopUpCode
    sentence: str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try that topped up or that finance was told of; there is one of each code a customer and UTC day."""

    id: int
    customer_id: int
    settings_id: int
    day: date
    code: TopUpCode
    method: TopUpMethod
    amount: Money
    balance: Money
    threshold: Money
    credit_id: int | None = None
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerTopUp:
    """Look at a customer's wallet, and top it up if it is due."""

    customer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpTried:
    """A wallet was topped up, or it was due and could not be; the sentence says what happened."""

    attempt: Attempt
    customer: Customer
    sentence: str
    at: datetime
    operation_id: int
    credit: CreditChanged | None = None
    invoice: Invoice | None = None

    @property
    def step(self) -> str:
        return "topped up" if self.attempt.code is TopUpCode.DONE else self.attempt.code.value.replace("_", " ")

    @property
    def document(self) -> str:
        """The number of what topped up, if anything did."""
        if self.credit is not None:
            return self.credit.credit.number
        return self.invoice.label if self.invoice is not None else ""

    def trace(self) -> Trace:
        attempt, customer = self.attempt, self.customer
        made = f"{attempt.amount} by {attempt.method.value}"
        return Trace(
            description=f"{customer.code} automatic top-up {self.document or attempt.code.value}: {made}",
            customer_id=customer.id,
            document=self.document or customer.code,
            before={"balance": str(attempt.balance), "threshold": str(attempt.threshold)},
            after={"balance": str(customer.balance), "code": attempt.code.value},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        if self.credit is not None:
            return self.credit.announcements()
        if self.invoice is not None:
            mine = Announcement(document=DocumentKind.INVOICE, document_id=self.invoice.id)
            return (mine, replace(mine, paper="invoice"))
        return (Announcement(document=DocumentKind.TOP_UP, document_id=self.attempt.id),)


def decide(facts: TopUpFacts) -> Verdict:
    """Whether a wallet is topped up now, and why not. The total credit is compared, not what is usable. Rules 72-77."""
    customer, settings = facts.customer, facts.settings
    quiet = _nothing_to_do(customer, settings)
    if quiet is not None:
        return quiet
    assert settings is not None
    name, amount = customer.name, settings.amount
    assert amount is not None
    if customer.state is not CustomerState.ACTIVE:
        return Verdict(
            TopUpCode.CUSTOMER_NOT_ACTIVE, f"{name} is {customer.state.value}; it is topped up once it is open again."
        )
    done_today = facts.today in facts.past.days
    if facts.open_invoice:
        sentence = f"{facts.open_invoice} of {name} is not paid yet; no other top-up follows until it is paid or void."
        return Verdict(TopUpCode.ATTEMPT_OPEN, sentence, told=not done_today)
    if done_today:
        return Verdict(
            TopUpCode.DONE_TODAY,
            f"{name} was topped up today by UTC, and that is done once a day; a larger trigger amount would last.",
        )
    return _capped(facts, amount) or _short(facts, amount) or Verdict(TopUpCode.DUE, f"{amount} for {name} is due.")


def _nothing_to_do(customer: Customer, settings: PaymentSettings | None) -> Verdict | None:
    name = customer.name
    if settings is None or not settings.auto:
        return Verdict(TopUpCode.OFF, f"The automatic top-up of {name} is off.", told=False)
    if customer.mode is not Mode.PREPAID:
        return Verdict(TopUpCode.NOT_PREPAID, f"{name} is postpaid and has no wallet to top up.", told=False)
    if settings.method is TopUpMethod.STRIPE:
        return Verdict(TopUpCode.HANDLED_BY_STRIPE, f"Stripe tops up {name} in its own process.", told=False)
    assert settings.threshold is not None
    if customer.balance > settings.threshold:
        sentence = f"{name} has {customer.balance}, above its threshold of {settings.threshold}."
        return Verdict(TopUpCode.ABOVE_THRESHOLD, sentence, told=False)
    return None


def _capped(facts: TopUpFacts, amount: Money) -> Verdict | None:
    """The three brakes: at a time, in a customer's month, and on a day over all customers."""
    caps, name = facts.caps, facts.customer.name
    day_total = facts.day_total if facts.day_total is not None else Money(0, amount.currency)
    for called, setting, cap, before in (
        ("at a time", "top_up_most", caps.once, Money(0, amount.currency)),
        ("for a customer in a month", "top_up_monthly", caps.monthly, facts.past.total),
        (f"on a day for all {amount.currency.code} customers", "top_up_daily", caps.daily, day_total),
    ):
        if before + amount > cap:
            already = f", and {before} was already" if before else ""
            sentence = f"{amount} for {name} would be more than {cap} {called}{already}; the setting {setting} says so."
            return Verdict(TopUpCode.CAP_REACHED, sentence)
    return None


def _short(facts: TopUpFacts, amount: Money) -> Verdict | None:
    """The partner can cover all of it; nothing is issued in part. Rule 77."""
    master = facts.master
    if facts.settings is None or facts.settings.method is not TopUpMethod.MASTER:
        return None
    if master is None or amount <= master.usable:
        return None
    most = max(master.usable, Money(0, master.currency))
    sentence = (
        f"The master account can cover {most} and not the {amount} for {facts.customer.name}; nothing was issued. "
        "Top it up with /credit master top-up."
    )
    return Verdict(TopUpCode.MASTER_SHORT, sentence)


@operation(by=Role.NONE)
def trigger_top_up(command: TriggerTopUp, books: "Books", context: Context) -> TopUpTried:
    """Top a wallet up that is at its threshold, or tell finance once a day and code why not. Rules 70-77. Refuses:
    TopUpRefused, NoAccess.
    """
    if context.person != OPERATOR:
        raise NoAccess("Top-ups are triggered by a charge and by the clock alone.")
    customer = books.customers.lock(command.customer_id)
    facts = _facts(customer, books, context)
    verdict = decide(facts)
    if verdict.code is TopUpCode.DUE:
        facts = _locked(facts, books)
        verdict = decide(facts)
    if verdict.code is not TopUpCode.DUE and (not verdict.told or (facts.today, verdict.code) in facts.past.told):
        raise TopUpRefused(verdict.sentence)
    is_due = verdict.code is TopUpCode.DUE
    attempt = _attempt(TopUpCode.DONE if is_due else verdict.code, facts, books)
    if not is_due:
        books.top_ups.insert(attempt)
        return _tried(attempt, customer, verdict.sentence, context)
    if attempt.method is TopUpMethod.MASTER:
        return _issue(attempt, facts, books, context)
    return _send(attempt, customer, books, context)


def _facts(customer: Customer, books: "Books", context: Context) -> TopUpFacts:
    settings, of = books.settings.current(), customer.currency
    today = context.now.astimezone(UTC).date()
    once, monthly, daily = (
        Money.from_decimal(Decimal(each), of)
        for each in (settings.top_up_most, settings.top_up_monthly, settings.top_up_daily)
    )
    return TopUpFacts(
        customer=customer,
        settings=books.top_ups.settings(customer),
        past=books.top_ups.past(customer, today.replace(day=1)),
        caps=Caps(once, monthly, daily),
        today=today,
        open_invoice=_open_invoice(customer, books),
    )


def _locked(facts: TopUpFacts, books: "Books") -> TopUpFacts:
    """What others move as well, as it stands once nobody else can."""
    settings, of = facts.settings, facts.customer.currency
    day_total = books.top_ups.lock_day(facts.today, of)
    by_master = settings is not None and settings.method is TopUpMethod.MASTER
    return replace(facts, day_total=day_total, master=books.master.lock(of) if by_master else None)


def _attempt(code: TopUpCode, facts: TopUpFacts, books: "Books") -> Attempt:
    customer, settings = facts.customer, facts.settings
    assert settings is not None
    assert settings.amount is not None
    assert settings.threshold is not None
    return Attempt(
        id=books.new_id(),
        customer_id=customer.id,
        settings_id=settings.id,
        day=facts.today,
        code=code,
        method=settings.method,
        amount=settings.amount,
        balance=customer.balance,
        threshold=settings.threshold,
    )


def _issue(attempt: Attempt, facts: TopUpFacts, books: "Books", context: Context) -> TopUpTried:
    """Credit from the partner to the wallet, as any issue; it pays what is open at once. Rule 73."""
    given = IssueCredit(
        customer_id=attempt.customer_id,
        amount=attempt.amount,
        purpose=Purpose.GOODWILL,
        remark=f"{NAME}: the balance was {attempt.balance}, the threshold is {attempt.threshold}",
    )
    issued = replace(issue(given, facts.customer, facts.master, books, context), undo_until=None)
    attempt = replace(attempt, credit_id=issued.credit.id)
    books.top_ups.insert(attempt)
    sentence = f"{attempt.amount} was issued from the master account to {facts.customer.name}."
    return replace(_tried(attempt, issued.effect.after, sentence, context), credit=issued)


def _tried(attempt: Attempt, customer: Customer, sentence: str, context: Context) -> TopUpTried:
    return TopUpTried(
        attempt=attempt, customer=customer, sentence=sentence, at=context.now, operation_id=context.operation_id
    )


def _open_invoice(customer: Customer, books: "Books") -> str:
    """The automatic top-up invoice that waits to be paid. Rule 74."""
    found = books.invoices.open_top_up(customer.id)
    return found.label if found is not None else ""


def _send(attempt: Attempt, customer: Customer, books: "Books", context: Context) -> TopUpTried:
    """A top-up invoice of the trigger amount; the wallet changes only when it is paid. Rule 72."""
    sent = send_top_up(customer, attempt.amount, books, context, name=NAME, automatic=True)
    books.top_ups.insert(replace(attempt, invoice_id=sent.id))
    sentence = f"{sent.label} over {attempt.amount} was sent to {customer.name}; the balance rises once it is paid."
    tried = _tried(replace(attempt, invoice_id=sent.id), customer, sentence, context)
    return replace(tried, invoice=sent)
