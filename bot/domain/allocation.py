"""Match credits to debits by hand or oldest first; take a match back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from bot.domain.customers import Customer
from bot.domain.errors import (
    DateInFuture,
    DateTooEarly,
    InvoiceOfAnotherCustomer,
    MoreThanLeft,
    NotUndoable,
    WrongState,
)
from bot.domain.ledger import CONTROLS, Account, Entry, Side, transfer
from bot.domain.money import Money
from bot.domain.open_items import Allocation, Invoice, InvoiceKind, InvoiceState, Lot, LotKind
from bot.domain.operation import Announcement, Context, DocumentKind

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """An invoice whose open amount an operation moved."""

    invoice: Invoice
    open_before: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an operation changed for a customer: before and after, the invoices touched, oldest first, and the ids of
    the payments of which more or less is left.
    """

    before: Customer
    after: Customer
    touched: tuple[Touched, ...] = ()
    payments: tuple[int, ...] = ()

    @classmethod
    def none(cls, customer: Customer) -> "Effect":
        return cls(before=customer, after=customer)

    def announcements(self, but: int | None = None) -> tuple[Announcement, ...]:
        """The cards of other documents that were touched are refreshed where they were posted."""
        invoices = [
            (DocumentKind.INVOICE, touched.invoice.id)
            for touched in self.touched
            if touched.invoice.kind is not InvoiceKind.USAGE
        ]
        payments = [(DocumentKind.PAYMENT, payment_id) for payment_id in self.payments]
        return tuple(
            Announcement(document=document, document_id=document_id, refresh_only=True)
            for document, document_id in (*invoices, *payments)
            if document_id != but
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """An invoice to pay, with an amount or as much as possible."""

    invoice_id: int
    amount: Money | None = None


def split_oldest_first(money: Money, invoices: Sequence[Invoice]) -> list[tuple[Invoice, Money]]:
    """Pay invoices by issue date, then number, until the money runs out. Rules 24, 25, 30."""
    shares: list[tuple[Invoice, Money]] = []
    left = money
    for invoice in sorted(invoices, key=lambda each: each.sort_key):
        share = min(left, invoice.open)
        if share.micros <= 0:
            continue
        shares.append((invoice, share))
        left -= share
    return shares


def effective_day(wanted: date, floors: Iterable[date], first_open: date, today: date) -> date:
    """The first day on or after the wanted one that no floor forbids. Refuses: DateInFuture, DateTooEarly."""
    if wanted > today:
        raise DateInFuture(f"{wanted} lies in the future; choose today or an earlier day.", field="effective_on")
    day = max(wanted, first_open, *floors)
    if day > today:
        raise DateTooEarly(
            f"This can take effect from {day} on, when its documents are in force.", field="effective_on"
        )
    return day


class Matching:
    """A working copy of one locked customer's open items: matches move it, `write` hands the sums over."""

    def __init__(
        self,
        customer: Customer,
        books: "Books",
        context: Context,
        *,
        invoices: Iterable[Invoice] = (),
        lots: Iterable[Lot] = (),
    ) -> None:
        self.customer = customer
        self._before = customer
        self.books = books
        self.context = context
        self.invoices = {invoice.id: invoice for invoice in invoices}
        self._was_open = {invoice.id: invoice.open for invoice in self.invoices.values()}
        self.lots = {lot.id: lot for lot in lots}
        self.made: list[Allocation] = []
        self.taken_back: list[Allocation] = []
        self.days: set[date] = set()

    def load_invoices(self, ids: Sequence[int]) -> None:
        """Read the invoices of a match. Refuses: InvoiceOfAnotherCustomer."""
        for invoice in self.books.invoices.get_many([each for each in ids if each not in self.invoices]):
            self._take(invoice)

    def load_matched(self, allocations: Iterable[Allocation]) -> None:
        """Read what these matches pay: invoices and days of usage."""
        allocations = tuple(allocations)
        self.load_invoices([each.invoice_id for each in allocations if not each.is_usage])
        days = {each.invoice_id for each in allocations if each.is_usage} - set(self.invoices)
        for day in self.books.usage.days(sorted(days)):
            debit = day.as_debit()
            if day.summary:
                raise NotUndoable(
                    f"{debit.label.capitalize()} is on {day.summary} since, so this cannot be taken back."
                )
            self._take(debit)

    def add_debit(self, debit: Invoice, was_open: Money) -> None:
        """Something more to pay, from this operation."""
        self.invoices[debit.id] = debit
        self._was_open.setdefault(debit.id, was_open)

    def _take(self, invoice: Invoice) -> None:
        if invoice.customer_id != self.customer.id:
            raise InvoiceOfAnotherCustomer(
                f"{invoice.label} belongs to another customer than this payment.", field="invoices"
            )
        self.invoices.setdefault(invoice.id, invoice)
        self._was_open.setdefault(invoice.id, invoice.open)

    def post(self, entry: Entry, **delta_micros: int) -> int:
        """Post an entry and move the customer's control accounts with it."""
        self.customer = self.customer.moved(**delta_micros)
        self.days.add(entry.effective_on)
        return self.books.ledger.post(entry)

    def open_lot(self, lot: Lot) -> None:
        self.lots[lot.id] = lot
        self.books.lots.insert(lot)

    def transfer(
        self, kind: str, amount: Money, debit: Account, credit: Account, on: date, reverses: int | None = None
    ) -> int:
        """Move an amount from one control account of the customer to another, or within one."""
        mine = self.customer.id
        moved: dict[str, int] = defaultdict(int)
        for account, micros in ((debit, amount.micros), (credit, -amount.micros)):
            moved[account.value] += CONTROLS[account] * micros
        sides = {"debit": Side(debit, mine), "credit": Side(credit, mine)}
        return self.post(transfer(kind, amount, **sides, on=on, reverses=reverses), **moved)

    def match(self, lot_id: int, invoice_id: int, amount: Money, wanted: date, *, automatic: bool) -> Allocation:
        """Pay an invoice from a lot. Rules 9-12, 14. Refuses: MoreThanLeft, WrongState, DateTooEarly, DateInFuture."""
        lot, invoice = self.lots[lot_id], self.invoices[invoice_id]
        check_match(lot, invoice, amount)
        assert invoice.rose_on is not None
        floors = (lot.opened_on, lot.rose_on, invoice.posted_on or invoice.rose_on, invoice.rose_on)
        on = effective_day(wanted, floors, self._first_open(), self.context.today)
        kind = "note applied" if lot.kind is LotKind.CREDIT_NOTE else "allocation"
        entry_id = self.transfer(kind, amount, account_of(lot), paid_into(invoice), on)
        self.lots[lot_id] = replace(lot, open=lot.open - amount)
        self.invoices[invoice_id] = paid = replace(invoice, open=invoice.open - amount, version=invoice.version + 1)
        made = Allocation(
            id=self.books.new_id(),
            customer_id=lot.customer_id,
            lot_id=lot_id,
            lot_number=lot.number,
            invoice_id=invoice_id,
            invoice_number=invoice.label,
            due_on=invoice.due_on,
            amount=amount,
            effective_on=on,
            entry_id=entry_id,
            automatic=automatic,
            invoice_open=paid.open,
            invoice_total=paid.total,
            is_usage=invoice.kind is InvoiceKind.USAGE,
            is_note=lot.kind is LotKind.CREDIT_NOTE,
        )
        self.books.allocations.insert(made, lot, invoice)
        self.made.append(made)
        if invoice.kind is InvoiceKind.TOP_UP:
            self._credit_top_up(invoice, on)
        return made

    def _credit_top_up(self, invoice: Invoice, on: date) -> None:
        """What was paid on a top-up invoice is credit of its own, which names the invoice. Rule 14."""
        self.open_lot(
            Lot(
                id=self.books.new_id(),
                customer_id=invoice.customer_id,
                kind=LotKind.TOP_UP,
                number=invoice.label,
                amount=invoice.total,
                open=invoice.total,
                held=Money(0, invoice.total.currency),
                opened_on=on,
                rose_on=on,
                invoice_id=invoice.id,
            )
        )

    def unmatch(self, allocation: Allocation, wanted: date) -> None:
        """Take a match back by a row of its own; lot and invoice are open again by its amount. Rules 15-17. Refuses:
        WrongState.
        """
        lot, invoice = self.lots[allocation.lot_id], self.invoices[allocation.invoice_id]
        if invoice.state is InvoiceState.WRITTEN_OFF:
            raise WrongState(f"{invoice.label} is written off; reverse that write-off first.", field="invoices")
        credit = self._whole_top_up(invoice) if invoice.kind is InvoiceKind.TOP_UP else None
        if invoice.automatic:
            self._check_none_waits()
        floors = (allocation.effective_on, *((credit.rose_on,) if credit is not None else ()))
        on = effective_day(wanted, floors, self._first_open(), self.context.today)
        amount = allocation.amount
        kind = "note taken back" if lot.kind is LotKind.CREDIT_NOTE else "allocation taken back"
        entry_id = self.transfer(kind, amount, paid_into(invoice), account_of(lot), on, allocation.entry_id)
        if credit is not None:
            self.lots[credit.id] = replace(credit, open=credit.open - credit.open, closed_on=on)
            self.books.lots.close(credit, on)
        self.lots[lot.id] = replace(lot, open=lot.open + amount, rose_on=max(lot.rose_on, on))
        rose_on = max(invoice.rose_on or on, on)
        self.invoices[invoice.id] = replace(
            invoice, open=invoice.open + amount, rose_on=rose_on, version=invoice.version + 1
        )
        back = replace(allocation, id=self.books.new_id(), effective_on=on, entry_id=entry_id, reverses=allocation.id)
        self.books.allocations.insert(back, lot, invoice)
        self.taken_back.append(allocation)

    def load_lots(self, ids: Iterable[int]) -> None:
        for lot_id in sorted({*ids} - {*self.lots}):
            self.lots[lot_id] = self.books.lots.get(lot_id)

    def top_up_of(self, invoice_id: int) -> Lot | None:
        """The credit in force that a top-up invoice opened."""
        mine = [each for each in self.lots.values() if each.invoice_id == invoice_id and each.closed_on is None]
        if mine:
            return mine[0]
        found = self.books.lots.of_top_up(invoice_id)
        return self.lots.setdefault(found.id, found) if found is not None else None

    def _check_none_waits(self) -> None:
        """One automatic top-up invoice waits to be paid at a time. Rule 74. Refuses: WrongState."""
        waits = self.books.invoices.open_top_up(self.customer.id)
        others = [self.invoices[each.invoice_id] for each in self.taken_back]
        label = waits.label if waits is not None else next((each.label for each in others if each.automatic), "")
        if label:
            raise WrongState(
                f"{label} would wait to be paid too, and one automatic top-up waits at a time; void {label} first, and "
                "take back the other one after that.",
                field="invoices",
            )

    def _whole_top_up(self, invoice: Invoice) -> Lot:
        """The credit of a paid top-up invoice, of which nothing was spent. Rule 15. Refuses: WrongState."""
        credit = self.top_up_of(invoice.id)
        assert credit is not None
        if not credit.is_whole:
            gone = {each.id for each in self.taken_back}
            live = [each for each in self.books.allocations.of_lot(credit.id) if each.id not in gone]
            paid = ", ".join(dict.fromkeys(each.invoice_number for each in live)) or "a withdrawal"
            raise WrongState(
                f"{credit.amount - credit.free} of {invoice.label} went to {paid} since; a top-up is taken back only "
                "while its credit is whole.",
                field="invoices",
            )
        return credit

    def switch_auto(self, invoice_id: int, *, on: bool) -> None:
        """Switch an invoice's auto-allocation, remembering for undo what it was."""
        invoice = self.invoices[invoice_id]
        if invoice.auto_allocate != on:
            self.invoices[invoice_id] = replace(invoice, auto_allocate=on, version=invoice.version + 1)
            self.books.invoices.set_auto(invoice_id, on=on)

    def sweep(self, wanted: date) -> None:
        """Let free credit pay invoices that allow it, oldest first. Rules 23-30."""
        if self.customer.controls.deposits <= 0 or self.customer.controls.receivable <= 0:
            return
        for lot in self.books.lots.free(self.customer.id):
            self.lots.setdefault(lot.id, lot)
        money = [lot for lot in self.lots.values() if lot.kind is not LotKind.CREDIT_NOTE and lot.free.micros > 0]
        free = sorted(money, key=lambda lot: lot.sort_key)
        if not free:
            return
        for invoice in self.books.invoices.open_auto(self.customer.id):
            self._take(invoice)
        for day in self.books.usage.open_days(self.customer.id):
            self._take(day.as_debit())
        for lot in free:
            payable = [each for each in self.invoices.values() if is_auto_payable(each)]
            for invoice, share in split_oldest_first(lot.free, payable):
                since = invoice.issue_on if invoice.kind is InvoiceKind.USAGE else wanted
                self.match(lot.id, invoice.id, share, since, automatic=True)

    def write(self) -> None:
        """Hand the sums moved on the customer's control accounts to the books."""
        self.books.customers.move(self._before, self.customer)

    def effect(self) -> Effect:
        touched = sorted(
            (
                Touched(invoice=invoice, open_before=self._was_open[invoice.id])
                for invoice in self.invoices.values()
                if invoice.open != self._was_open[invoice.id]
            ),
            key=lambda each: each.invoice.sort_key,
        )
        lots = {each.lot_id for each in (*self.made, *self.taken_back)}
        payments = {self.lots[lot_id].payment_id for lot_id in lots} - {None}
        return Effect(
            before=self._before,
            after=self.customer,
            touched=tuple(touched),
            payments=tuple(sorted(each for each in payments if each is not None)),
        )

    def live(self, earlier: Sequence[Allocation]) -> tuple[Allocation, ...]:
        """Allocations in force after this operation, with what their invoices now leave open."""
        gone = {allocation.id for allocation in self.taken_back}
        kept = [allocation for allocation in (*earlier, *self.made) if allocation.id not in gone]
        return tuple(
            replace(each, invoice_open=self.invoices[each.invoice_id].open)
            if each.invoice_id in self.invoices
            else each
            for each in kept
        )

    def made_for(self, invoice_id: int) -> tuple[Allocation, ...]:
        return tuple(each for each in self.made if each.invoice_id == invoice_id)

    def _first_open(self) -> date:
        return self.books.settings.current().first_open_day()


def paid_into(invoice: Invoice) -> Account:
    """Where what an invoice is paid with stands then: the debt is less, or the money is advanced, or it is credit."""
    match invoice.kind:
        case InvoiceKind.PROFORMA:
            return Account.ADVANCES
        case InvoiceKind.TOP_UP:
            return Account.DEPOSITS
    return Account.RECEIVABLE


def account_of(lot: Lot) -> Account:
    """The control account that a credit stands in."""
    return Account.CREDIT_NOTES if lot.kind is LotKind.CREDIT_NOTE else Account.DEPOSITS


def is_auto_payable(invoice: Invoice) -> bool:
    """Sent tax invoices with something open and the flag on, and usage; nothing else. Rules 23, 26, 27."""
    return invoice.is_owed and invoice.state is InvoiceState.SENT and invoice.auto_allocate and invoice.open.micros > 0


def check_match(lot: Lot, invoice: Invoice, amount: Money) -> None:
    """The bounds of one match. Rules 10-12. Refuses: MoreThanLeft, WrongState, InvoiceOfAnotherCustomer."""
    if lot.customer_id != invoice.customer_id:
        raise InvoiceOfAnotherCustomer(
            f"{invoice.label} belongs to another customer than this payment.", field="invoices"
        )
    if invoice.state is not InvoiceState.SENT:
        raise WrongState(f"{invoice.label} is {invoice.status}; only a sent invoice takes a payment.", field="invoices")
    if not invoice.is_owed and lot.kind is not LotKind.PAYMENT:
        raise WrongState(f"{invoice.label} is no tax invoice; only a payment is allocated to it.", field="invoices")
    if amount.micros <= 0:
        raise MoreThanLeft(f"{invoice.label} has nothing left to pay.", field="invoices")
    if amount > invoice.open:
        raise MoreThanLeft(
            f"{invoice.label} has {invoice.open} left; {amount} was asked. Allocate at most {invoice.open}.",
            field="invoices",
        )
    if invoice.kind is InvoiceKind.TOP_UP and amount != invoice.open:
        raise MoreThanLeft(
            f"{invoice.label} is paid whole: {invoice.open} at once, of one payment; {amount} was asked.",
            field="invoices",
        )
    if amount > lot.free:
        raise MoreThanLeft(
            f"{lot.number} has {lot.free} left; {amount} was asked. Allocate at most {lot.free}.", field="invoices"
        )
