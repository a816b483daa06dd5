"""The ageing digest: what is open, what moved since the last one to the micro-unit, and whether the ledger agrees."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.domain.digest_figures import MonthFigures, days_outstanding, per_cent
from bot.domain.digest_plans import Form
from bot.domain.held import HeldBack
from bot.domain.money import Currency, Money
from bot.domain.receivables import Ageing, AgeingRow, AgeingTotal

MOST_MOVERS = 5
# How movements of the open total are called, in the order of the line; other kinds of entry go by their own name.
MOVEMENTS = {
    "allocation": "paid",
    "note applied": "credited",
    "allocation taken back": "payments taken back",
    "note taken back": "credit notes taken back",
    "write-off": "written off",
    "write-off reversed": "write-offs reversed",
    "invoice": "new invoices",
    "usage": "usage",
}
UNEXPLAINED = "not in the ledger"
Sums = Mapping[int, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One customer in the ledger: its receivable by kind of entry, its credit, and the figures kept beside them."""

    customer_id: int
    code: str
    name: str
    currency: Currency
    receivable_micros: Mapping[str, int]
    credit_micros: int
    kept_micros: tuple[int, int] | None
    newly_late_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the last digest showed, and the ledger as it was known then."""

    as_of: date
    buckets_micros: Mapping[str, tuple[int, ...]]
    totals_micros: Mapping[str, int]
    sums: Sums
    days_outstanding: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One reason why the open total changed, and by how much."""

    label: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A customer whose open total changed most, or that became late."""

    customer_id: int
    code: str
    name: str
    change: Money
    newly_late: Money
    movements: tuple[Movement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A sum of the report that is not that of the ledger."""

    what: str
    shown: Money
    ledger: Money
    kept: Money
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """One currency: the figures now and at the last digest, and what lies between."""

    currency: Currency
    buckets: tuple[Money, ...]
    prepaid_debt: Money
    unapplied: Money
    suspense: Money
    total: Money
    customers: int
    before: tuple[Money, ...]
    before_total: Money
    movements: tuple[Movement, ...]
    newly_late: Money
    newly_late_customers: int
    movers: tuple[Mover, ...]
    differences: tuple[Difference, ...]
    held: HeldBack | None = None
    sold: Money | None = None  # in the 90 days up to the day; nothing in digests of before it was counted
    days_before: Decimal | None = None  # days sales outstanding at the last digest
    at_risk: Money | None = None
    month: MonthFigures | None = None

    @property
    def change(self) -> Money:
        return self.total - self.before_total

    @property
    def days_outstanding(self) -> Decimal | None:
        """Days sales outstanding at the day; none without sales."""
        return days_outstanding(self.total, self.sold) if self.sold is not None else None

    @property
    def share_at_risk(self) -> Decimal | None:
        """How much of the total is at risk, in per cent; none of nothing."""
        return per_cent(self.at_risk, self.total) if self.at_risk is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a digest says beside its buckets, by currency: what is held back, sold, at risk, and a month's figures."""

    held: Mapping[str, HeldBack]
    sold_micros: Mapping[str, int]
    at_risk_micros: Mapping[str, int]
    risk_days: int
    form: Form
    month: date | None
    months: Mapping[str, MonthFigures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One day's digest, frozen as it was computed; a copy or a retry shows the same."""

    as_of: date
    follows: date | None
    labels: tuple[str, ...]
    lines: tuple[DigestLine, ...]
    form: Form = Form.DAYS
    month: date | None = None  # the first day of the month that a monthly one tells of
    risk_days: int = 90  # later than this is at risk

    @property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(each for line in self.lines for each in line.differences)


def compose(
    report: Ageing,
    accounts: Sequence[Account],
    earlier: Earlier | None,
    beside: Beside,
) -> Digest:
    """The digest of a report, the ledger at the same day, the digest before, and what stands beside. Rules 79-84."""
    totals = {each.currency.code: each for each in report.totals}
    rows = {row.customer_id: row for row in report.rows}
    mine: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        mine[account.currency.code].append(account)
    currencies = {
        of.code: of for of in [*(each.currency for each in accounts), *(each.currency for each in report.totals)]
    }
    lines = [
        _with(
            _line(currencies[code], totals.get(code), mine[code], rows, earlier, columns=len(report.labels)),
            earlier,
            beside,
        )
        for code in sorted(currencies)
    ]
    return Digest(
        as_of=report.question.as_of,
        follows=earlier.as_of if earlier is not None else None,
        labels=report.labels,
        lines=tuple(line for line in lines if _says_something(line)),
        form=beside.form,
        month=beside.month,
        risk_days=beside.risk_days,
    )


def _with(line: DigestLine, earlier: Earlier | None, beside: Beside) -> DigestLine:
    of = line.currency
    return replace(
        line,
        held=beside.held.get(of.code),
        sold=Money(beside.sold_micros.get(of.code, 0), of),
        days_before=earlier.days_outstanding.get(of.code) if earlier is not None else None,
        at_risk=Money(beside.at_risk_micros.get(of.code, 0), of),
        month=beside.months.get(of.code),
    )


def sums_of(accounts: Sequence[Account]) -> Sums:
    """What the next digest compares with."""
    return {each.customer_id: dict(each.receivable_micros) for each in accounts if each.receivable_micros}


def _says_something(line: DigestLine) -> bool:
    amounts = (line.total, line.before_total, line.unapplied, line.suspense, line.newly_late)
    happened = line.month is not None and any(each.amount for each in line.month.columns)
    return any(amounts) or happened or bool(line.movements or line.differences)


def _line(
    of: Currency,
    sums: AgeingTotal | None,
    accounts: Sequence[Account],
    rows: Mapping[int, AgeingRow],
    earlier: Earlier | None,
    *,
    columns: int,
) -> DigestLine:
    zero = Money(0, of)
    total = sums.total if sums is not None else zero
    before = Money(earlier.totals_micros.get(of.code, 0) if earlier is not None else 0, of)
    movements = _movements([_moved(each, earlier) for each in accounts], of) if earlier is not None else ()
    rest = total - before - Money(sum(each.amount.micros for each in movements), of)
    if earlier is not None and rest:
        movements = (*movements, Movement(label=UNEXPLAINED, amount=rest))
    late = [each.newly_late_micros for each in accounts if each.newly_late_micros]
    return DigestLine(
        currency=of,
        buckets=sums.buckets if sums is not None else (zero,) * columns,
        prepaid_debt=sums.prepaid_debt if sums is not None else zero,
        unapplied=sums.unapplied if sums is not None else zero,
        suspense=sums.suspense if sums is not None else zero,
        total=total,
        customers=sums.customers if sums is not None else 0,
        before=_before(earlier, of, columns),
        before_total=before,
        movements=movements,
        newly_late=Money(sum(late), of),
        newly_late_customers=len(late),
        movers=_movers(accounts, earlier, of) if earlier is not None else (),
        differences=_differences(accounts, rows, of),
    )


def _before(earlier: Earlier | None, of: Currency, columns: int) -> tuple[Money, ...]:
    if earlier is None:
        return ()
    return tuple(Money(each, of) for each in earlier.buckets_micros.get(of.code, (0,) * columns))


def _moved(account: Account, earlier: Earlier | None) -> dict[str, int]:
    """What a customer's receivable moved by since, kind by kind: all that is in force now less all that was then.

    The sums of then are as they were known then, so what was dated back meanwhile is in the difference too.
    """
    before = earlier.sums.get(account.customer_id, {}) if earlier is not None else {}
    kinds = {*account.receivable_micros, *before}
    moved = {kind: account.receivable_micros.get(kind, 0) - before.get(kind, 0) for kind in kinds}
    return {kind: amount for kind, amount in moved.items() if amount}


def _movements(moved: Sequence[Mapping[str, int]], of: Currency) -> tuple[Movement, ...]:
    sums: dict[str, int] = defaultdict(int)
    for each in moved:
        for kind, amount in each.items():
            sums[kind] += amount
    order = list(MOVEMENTS)
    kinds = sorted(sums, key=lambda kind: (order.index(kind) if kind in MOVEMENTS else len(order), kind))
    return tuple(
        Movement(label=MOVEMENTS.get(kind, kind), amount=Money(sums[kind], of)) for kind in kinds if sums[kind]
    )


def _movers(accounts: Sequence[Account], earlier: Earlier, of: Currency) -> tuple[Mover, ...]:
    """The customers with the largest change or the most that became late."""
    found = []
    for each in accounts:
        moved = _moved(each, earlier)
        change = sum(moved.values())
        if change or each.newly_late_micros:
            found.append((max(abs(change), each.newly_late_micros), each, moved, change))
    found.sort(key=lambda mover: (-mover[0], mover[1].code))
    return tuple(
        Mover(
            customer_id=account.customer_id,
            code=account.code,
            name=account.name,
            change=Money(change, of),
            newly_late=Money(account.newly_late_micros, of),
            movements=_movements([moved], of),
        )
        for _, account, moved, change in found[:MOST_MOVERS]
    )


def _differences(accounts: Sequence[Account], rows: Mapping[int, AgeingRow], of: Currency) -> tuple[Difference, ...]:
    """Where report, entries and control accounts do not say the same of every customer. Rule 82."""
    found = []
    for place, what in enumerate(("receivable", "unapplied credit")):
        sums = [0, 0, 0]
        wrong = 0
        for account in accounts:
            row = rows.get(account.customer_id)
            shown = (row.total_micros, row.unapplied_micros)[place] if row is not None else 0
            ledger = (sum(account.receivable_micros.values()), account.credit_micros)[place]
            kept = account.kept_micros[place] if account.kept_micros is not None else ledger
            sums = [sums[0] + shown, sums[1] + ledger, sums[2] + kept]
            wrong += not shown == ledger == kept
        if wrong:
            shown_sum, ledger_sum, kept_sum = (Money(each, of) for each in sums)
            found.append(Difference(what=what, shown=shown_sum, ledger=ledger_sum, kept=kept_sum, customers=wrong))
    return tuple(found)
