"""Takes over an existing book from a directory: checked whole against its control totals, then written."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bot.desk import Desk
from bot.domain.errors import Refused
from bot.domain.intake import BeginIntake, FinishIntake, Intake, IntakeKind, IntakeState, IntakeTotal, begin_intake
from bot.domain.intake import finish_intake as finish
from bot.domain.money import Currency, Money, currency
from bot.domain.opening import OpeningBalance, OpeningInvoice, OpeningPayment, PostOpening, post_opening
from bot.domain.receivables import STANDARD_EDGES, bucket_of
from bot.intake import customers
from bot.intake.cells import Line
from bot.intake.control import read_control
from bot.intake.customers import CUSTOMERS
from bot.intake.opening_lines import (
    BALANCES,
    COLUMNS,
    INVOICES,
    PAYMENTS,
    Item,
    amount_of,
    code_of,
    identity_of,
    known_by,
    parse,
    told_invoice,
    told_item,
    told_micros,
    told_payment,
)
from bot.intake.reader import Row
from bot.intake.run import Run
from bot.storage.intake_reads import currencies_of, intakes, known_balances, known_invoices, known_payments
from bot.storage.reports import SqlReadBooks

FILES = (INVOICES, PAYMENTS, BALANCES)
SUFFIXES = (".csv", ".xlsx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the operator asked for."""

    folder: Path
    as_of: date
    name: str
    control: Path | None = None
    dry_run: bool = False


@dataclass
class Sums:
    """What the files come to, by currency: buckets of receivables, unapplied payments, wallets."""

    buckets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * (len(STANDARD_EDGES) + 2)))
    unapplied: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wallet: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, item: Item, as_of: date) -> None:
        amount = amount_of(item)
        match item:
            case OpeningInvoice():
                late = bucket_of((as_of - item.due_on).days, STANDARD_EDGES)
                self.buckets[amount.currency.code][late] += amount.micros
            case OpeningPayment():
                self.unapplied[amount.currency.code] += amount.micros
            case OpeningBalance():
                self.wallet[amount.currency.code] += amount.micros

    def totals(self) -> tuple[IntakeTotal, ...]:
        codes = sorted({*self.buckets, *self.unapplied, *self.wallet})
        return tuple(
            IntakeTotal(
                receivables=Money(sum(self.buckets[code]), currency(code)),
                unapplied=Money(self.unapplied[code], currency(code)),
                wallet=Money(self.wallet[code], currency(code)),
            )
            for code in codes
        )


@dataclass
class Taking:
    """An opening while it is checked and written."""

    run: Run
    asked: Asked
    standing: Intake | None
    sums: Sums = field(default_factory=Sums)

    def check(self) -> None:
        """Read every file whole, and compare what they come to with the control totals. Raises Stopped."""
        folder = self.asked.folder
        if not folder.is_dir():
            says = "give the directory with customers.csv, invoices.csv, payments.csv and balances.csv."
            self.run.faults.add(folder.name, 1, "", says)
            self.run.stop_if_wrong()
        found = {name: path for name in (CUSTOMERS, *FILES) if (path := _file(folder, name)) is not None}
        if not found:
            self.run.faults.add(folder.name, 1, "", "none of customers, invoices, payments and balances is in here.")
        if CUSTOMERS in found:
            customers.check(self.run, found[CUSTOMERS], with_limits=True)
        for name in FILES:
            if name in found:
                self._check_file(name, found[name])

    def _check_file(self, name: str, path: Path) -> None:
        for rows in self.run.read(path, COLUMNS[name]):
            codes = [row.cells["customer"].strip().upper() for row in rows]
            kept = self._currencies(codes)
            items = [self._check_line(name, self.run.line(path.name, row), kept) for row in rows]
            there = self._there(name, [each for each in items if each is not None])
            for row, item in zip(rows, items, strict=True):
                if item is not None:
                    self.sums.add(item, self.asked.as_of)
                    self._compare(self.run.line(path.name, row), item, there)

    def _check_line(self, name: str, line: Line, kept: dict[str, Currency]) -> Item | None:
        item = parse(name, line, kept, self.asked.as_of)
        identity, column = identity_of(name, line.row)
        before = self.run.spill.put(name, identity, line.row)
        if before is not None and identity:
            line.fault(column, f"{identity} stands in line {before} already; leave one of the two out.")
        return item

    def _currencies(self, codes: Sequence[str]) -> dict[str, Currency]:
        """The currency of each customer, of the book or of the file beside."""
        wanted = sorted({*codes} - {""})
        kept = self.run.desk.store.read(lambda books: currencies_of(books, wanted))
        found = {code: currency(of) for code, of in kept.items()}
        for code, cells in self.run.spill.some(CUSTOMERS, [each for each in wanted if each not in found]).items():
            try:
                found[code] = currency(cells["currency"])
            except Refused:  # told with the line of the customer
                continue
        return found

    def _there(self, name: str, items: Sequence[Item]) -> dict[str, tuple[str, int | None]]:
        """What the book has under these identities, in words, and which import brought it."""

        def ask(books: SqlReadBooks) -> dict[str, tuple[str, int | None]]:
            match name:
                case "invoices":
                    numbers = [each.number for each in items if isinstance(each, OpeningInvoice)]
                    found = known_invoices(books, numbers)
                    return {
                        number: (told_invoice(invoice, code), invoice.intake_id)
                        for number, (invoice, code) in found.items()
                    }
                case "payments":
                    numbers = [each.number for each in items if isinstance(each, OpeningPayment)]
                    return {
                        number: (told_payment(payment), payment.intake_id)
                        for number, payment in known_payments(books, numbers).items()
                    }
            if self.standing is None:
                return {}
            codes = [code_of(each) for each in items]
            balances = known_balances(books, self.standing.id, codes)
            return {code: (told_micros(micros), self.standing.id) for code, micros in balances.items()}

        return self.run.desk.store.read(ask)

    def _compare(self, line: Line, item: Item, there: dict[str, tuple[str, int | None]]) -> None:
        """A line that is in the book already is this import's own and the same, or a fault that names both."""
        identity, column = known_by(item)
        if identity not in there:
            self.run.new += 1
            return
        ours, brought_by = there[identity]
        if self.standing is None or brought_by != self.standing.id:
            line.fault(column, f"{identity} is in the book already ({ours}), and did not come with this opening.")
        elif ours != told_item(item):
            line.fault(column, f"{identity} is {ours} in the book and {told_item(item)} here.")

    def compare_control(self) -> None:
        """The totals of the other system agree to the minor unit, or nothing is written."""
        path = self.asked.control or _file(self.asked.folder, "control")
        if path is None:
            if not self.asked.dry_run:
                says = "give the totals of the other system, in control.csv or with --control FILE."
                self.run.faults.add("control.csv", 1, "", says)
            return
        read_control(self.run, path, self.sums.totals())

    def write(self, digest: str) -> None:
        """Begin or go on, write customers and then documents, and prove the totals in the book."""
        asked = self.asked
        begin = BeginIntake(kind=IntakeKind.OPENING, name=asked.name, digest=digest, as_of=asked.as_of)
        begun = self.run.write(begin_intake, begin).intake
        assert begun is not None
        customers.write(self.run, begun.id)
        for name in FILES:
            for rows in self.run.again(name):
                self.run.write(post_opening, self._batch(name, rows, begun.id))
        self.run.write(finish, FinishIntake(intake_id=begun.id, totals=self.sums.totals()))
        self.run.seal()

    def _batch(self, name: str, rows: Sequence[Row], intake_id: int) -> PostOpening:
        kept = self._currencies([row.cells["customer"].strip().upper() for row in rows])
        items = [parse(name, self.run.line(name, row), kept, self.asked.as_of) for row in rows]
        return PostOpening(
            intake_id=intake_id,
            invoices=tuple(each for each in items if isinstance(each, OpeningInvoice)),
            payments=tuple(each for each in items if isinstance(each, OpeningPayment)),
            balances=tuple(each for each in items if isinstance(each, OpeningBalance)),
        )


def take_over(desk: Desk, asked: Asked, say: Callable[[str], None]) -> None:
    """Check an opening, show what it comes to, and write it unless it was a dry run. Raises Stopped."""
    run = Run.over(desk)
    try:
        _check_day(run, asked)
        taking = Taking(run, asked, _standing(desk, asked.name))
        taking.check()
        for line in told(taking.sums, asked.as_of):
            say(line)
        digest = run.spill.digest(asked.as_of.isoformat())
        standing = taking.standing
        if standing is not None and standing.digest == digest and standing.state is IntakeState.WHOLE:
            say(f"{asked.name} was taken over already, as of {standing.as_of}. Nothing was changed.")
            return
        if standing is not None and standing.digest != digest:
            stands = "was taken over" if standing.state is IntakeState.WHOLE else "was begun"
            says = f"{asked.name} {stands} with other content as of {standing.as_of}; take it back, or use --name."
            run.faults.add(asked.folder.name, 1, "", says)
        taking.compare_control()
        run.stop_if_wrong()
        counts = ", ".join(f"{run.spill.counts.get(name, 0):,} {name}" for name in (CUSTOMERS, *FILES))
        if asked.dry_run:
            say(f"{counts}. Nothing was written: this was a dry run.")
            return
        taking.write(digest)
        say(f"{asked.name} is taken over as of {asked.as_of}: {counts}.")
    finally:
        run.close()


def told(sums: Sums, as_of: date) -> list[str]:
    """What the files come to, per currency and bucket, to compare with the other system."""
    from tabulate import tabulate

    from bot.domain.receivables import bucket_labels

    labels = bucket_labels(STANDARD_EDGES)
    headers = ("currency", *labels, "receivables", "unapplied", "wallet")
    rows = []
    for total in sums.totals():
        of = total.currency
        buckets = [Money(micros, of) for micros in sums.buckets[of.code]]
        figures = [*buckets, total.receivables, total.unapplied, total.wallet]
        rows.append([of.code, *(f"{each.decimal():,.{of.digits}f}" for each in figures)])
    align = ["left", *["right"] * (len(headers) - 1)]
    return [f"As of {as_of}, by due date:", tabulate(rows, headers, disable_numparse=True, colalign=align)]


def _check_day(run: Run, asked: Asked) -> None:
    first_open = run.settings.first_open_day()
    if asked.as_of > run.today:
        raise Refused(f"{asked.as_of} lies in the future; give --as-of today or an earlier day.")
    if asked.as_of < first_open:
        raise Refused(f"{asked.as_of} is locked; the first open day is {first_open}.")


def _standing(desk: Desk, name: str) -> Intake | None:
    found = desk.store.read(intakes)
    return next((each for each in found if each.kind is IntakeKind.OPENING and each.name == name), None)


def _file(folder: Path, name: str) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").exists()), None)
