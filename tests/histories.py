"""A second, naive set of books: lists of dated facts, kept by hand beside the desk and read day by day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

from bot.domain.allocation import Portion
from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.invoices import (
    DraftInvoice,
    InvoiceChanged,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.operation import Operation, Outcome
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    EditPayment,
    Method,
    Payment,
    PaymentChanged,
    RecordPayment,
    UnallocatePayment,
    UnassignPayment,
    VoidPayment,
    allocate_payment,
    assign_payment,
    edit_payment,
    record_payment,
    unallocate_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.receivables import Basis, bucket_of
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from tests.world import ADMIN, CLERK, World, money

CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
ThingT = TypeVar("ThingT")
Moves = list[tuple[date, int]]


def at(moves: Moves, day: date) -> int:
    """What dated moves add up to at the end of a day."""
    return sum(amount for on, amount in moves if on <= day)


@dataclass(eq=False)
class Debit:
    """An invoice that was sent: what is open of it, move by move."""

    id: int
    customer_id: int
    number: str
    issue_on: date
    due_on: date
    posted_on: date
    rose_on: date
    auto: bool
    moves: Moves

    @property
    def open(self) -> int:
        return sum(amount for _, amount in self.moves)

    @property
    def key(self) -> tuple[date, int, str]:
        return self.issue_on, len(self.number), self.number


@dataclass(eq=False)
class Credit:
    """A payment while it is one customer's."""

    customer_id: int
    number: str
    amount: int
    opened_on: date
    rose_on: date
    moves: Moves

    @property
    def open(self) -> int:
        return sum(amount for _, amount in self.moves)

    @property
    def key(self) -> tuple[date, int, str]:
        return self.opened_on, len(self.number), self.number


@dataclass(eq=False)
class Match:
    """Money of one credit that pays one debit, until it is taken back."""

    credit: Credit
    debit: Debit
    amount: int
    on: date
    is_live: bool = True


@dataclass(eq=False)
class Money:
    """A payment: what of it waits for a customer, move by move."""

    id: int
    number: str
    amount: int
    currency: str
    posted_on: date
    waits: Moves
    free_on: date
    credit: Credit | None = None


@dataclass(eq=False)
class Done:
    """What one operation did, for undo."""

    name: str
    id: int = 0
    money: Money | None = None
    made: list[Match] = field(default_factory=list)
    taken: list[Match] = field(default_factory=list)
    flags: list[tuple[Debit, bool]] = field(default_factory=list)


class Copy:
    """The naive books: nothing is summed up before it is asked for."""

    def __init__(self) -> None:
        self.debits: list[Debit] = []
        self.credits: list[Credit] = []
        self.matches: list[Match] = []
        self.money: list[Money] = []
        self.first_open = date.min
        self.today = date.min
        self.doing = Done("")

    def day(self, wanted: date | None, *floors: date) -> date:
        return max(wanted or self.today, self.first_open, *floors)

    def match(self, credit: Credit, debit: Debit, amount: int, wanted: date | None) -> None:
        if amount > 0:
            on = self.day(wanted, credit.opened_on, credit.rose_on, debit.posted_on, debit.rose_on)
            credit.moves.append((on, -amount))
            debit.moves.append((on, -amount))
            made = Match(credit, debit, amount, on)
            self.matches.append(made)
            self.doing.made.append(made)

    def unmatch(self, match: Match, wanted: date | None) -> None:
        on = self.day(wanted, match.on)
        match.is_live = False
        for side in (match.credit, match.debit):
            side.moves.append((on, match.amount))
            side.rose_on = max(side.rose_on, on)
        self.doing.taken.append(match)

    def spread(self, credit: Credit, debits: list[Debit], wanted: date | None) -> None:
        for debit in sorted(debits, key=lambda each: each.key):
            self.match(credit, debit, min(credit.open, debit.open), wanted)

    def sweep(self, customer_id: int, wanted: date | None) -> None:
        mine = [credit for credit in self.credits if credit.customer_id == customer_id and credit.open > 0]
        for credit in sorted(mine, key=lambda each: each.key):
            self.spread(credit, [each for each in self.owed(customer_id) if each.auto], wanted)

    def owed(self, customer_id: int) -> list[Debit]:
        return [debit for debit in self.debits if debit.customer_id == customer_id and debit.open > 0]

    def live(self, credit: Credit) -> list[Match]:
        return [match for match in self.matches if match.credit is credit and match.is_live]

    def assign(self, money: Money, customer_id: int, on: date) -> Credit:
        money.waits.append((on, -money.amount))
        credit = Credit(customer_id, money.number, money.amount, on, on, [(on, money.amount)])
        money.credit = credit
        self.credits.append(credit)
        return credit

    def unassign(self, money: Money, wanted: date | None) -> None:
        credit = money.credit
        assert credit is not None
        assert credit.open == money.amount
        on = self.day(wanted, credit.opened_on, credit.rose_on)
        credit.moves.append((on, -money.amount))
        money.waits.append((on, money.amount))
        money.free_on, money.credit = on, None

    def void(self, money: Money, wanted: date | None) -> None:
        money.waits.append((self.day(wanted, money.posted_on, money.free_on), -money.amount))

    def undo(self, done: Done) -> None:
        """Everything backwards, each on its own day."""
        money = done.money
        assert money is not None
        for match in done.made:
            if match.is_live:
                self.unmatch(match, match.on)
        if done.name in {"record", "assign"} and money.credit is not None:
            self.unassign(money, money.credit.rose_on)
        if done.name == "record":
            self.void(money, money.free_on)
        if done.name == "unassign":
            self.assign(money, self.credits_of(money)[-1].customer_id, self.day(money.free_on))
        if done.name == "unallocate":
            for match in done.taken:
                self.match(match.credit, match.debit, match.amount, match.on)
        for debit, was in done.flags:
            debit.auto = was

    def credits_of(self, money: Money) -> list[Credit]:
        return [credit for credit in self.credits if credit.number == money.number]

    def switch(self, debit: Debit, *, on: bool) -> None:
        if debit.auto != on:
            self.doing.flags.append((debit, debit.auto))
            debit.auto = on

    # --- what a report must say ---------------------------------------------------------------------------------------

    def aged(self, day: date, basis: Basis, edges: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
        """What is open per customer and bucket at a day; customers with nothing are left out."""
        rows: dict[int, list[int]] = {}
        for debit in self.debits:
            left = at(debit.moves, day)
            assert left >= 0, f"{debit.number} has {left} open on {day}"
            age = (day - (debit.due_on if basis is Basis.DUE else debit.issue_on)).days
            rows.setdefault(debit.customer_id, [0] * (len(edges) + 2))[bucket_of(age, edges)] += left
        return {customer_id: tuple(sums) for customer_id, sums in rows.items() if any(sums)}

    def unapplied(self, day: date) -> dict[int, int]:
        found: dict[int, int] = {}
        for credit in self.credits:
            left = at(credit.moves, day)
            assert left >= 0, f"{credit.number} has {left} left on {day}"
            found[credit.customer_id] = found.get(credit.customer_id, 0) + left
        return {customer_id: left for customer_id, left in found.items() if left}

    def suspense(self, day: date) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in self.money:
            waits = at(each.waits, day)
            assert 0 <= waits <= each.amount, f"{each.number} waits with {waits} on {day}"
            found[each.currency] = found.get(each.currency, 0) + waits
        return {code: waits for code, waits in found.items() if waits}

    def days(self) -> list[date]:
        """Every day of the history, and some around it."""
        moves = [each.moves for each in self.debits] + [each.moves for each in self.credits]
        facts = [on for each in (*moves, *(each.waits for each in self.money)) for on, _ in each]
        facts += [debit.issue_on for debit in self.debits]
        first = min([*facts, self.today]) - timedelta(days=1)
        return [first + timedelta(days=index) for index in range((self.today - first).days + 3)]


@dataclass(frozen=True)
class Step:
    """One thing to try, its choices as plain numbers taken modulo what there is."""

    kind: str
    one: int = 0
    two: int = 0
    amount: int = 1
    back: int = 0


KINDS = (
    ("invoice",) * 4
    + ("record",) * 2
    + ("pay",) * 4
    + ("assign",) * 3
    + ("allocate",) * 3
    + ("unallocate",) * 3
    + ("unassign",) * 2
    + ("undo",) * 4
    + ("draft", "send", "auto", "edit", "void", "clock", "clock", "lock")
)


def any_step(*kinds: str) -> st.SearchStrategy[Step]:
    """A step of one of these kinds, or of any."""
    return st.builds(
        Step,
        kind=st.sampled_from(kinds or KINDS),
        one=st.integers(0, 5),
        two=st.integers(0, 5),
        amount=st.integers(1, 9),
        back=st.integers(0, 8),
    )


class NothingThereError(Exception):
    """A step found nothing to act on."""


def newest(things: Sequence[ThingT], number: int) -> ThingT:
    if not things:
        raise NothingThereError
    return things[-1 - number % len(things)]


class History:
    """Carries out steps at the desk and, when the desk accepts them, in the naive copy."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.copy = Copy()
        self.customers = [world.customer("ONE"), world.customer("TWO"), world.customer("YEN", of="JPY")]
        self.drafts: list[int] = []
        self.done: list[Done] = []

    def take(self, step: Step) -> bool:
        """Try a step; false when the desk refused it, or there is nothing to try it on."""
        self.copy.today = self.world.today
        self.copy.doing = Done(step.kind)
        action: Callable[[Step], None] = getattr(self, f"_{step.kind}")
        try:
            action(step)
        except (NothingThereError, Refused):
            return False
        return True

    def do(self, operation: Operation[CommandT, OutcomeT], command: CommandT, *, by: str = CLERK) -> OutcomeT:
        """At the desk, twice under one key: the second time changes nothing and answers the same."""
        request = self.world.request(by)
        outcome = self.world.desk.carry_out(operation, command, request)
        assert self.world.desk.carry_out(operation, command, request) == outcome
        return outcome

    def _customer(self, number: int) -> Customer:
        return self.customers[number % 3]

    def _money(self, number: int) -> Money:
        return newest(self.copy.money, number)

    def _debit(self, number: int) -> Debit:
        return newest(self.copy.debits, number)

    def _wanted(self, step: Step) -> date | None:
        return None if step.back > 6 else self.world.day(-step.back)

    def _portions(self, step: Step, customer_id: int, currency: str) -> tuple[Portion, ...]:
        owed = self.copy.owed(customer_id)
        chosen = owed[step.two : step.two + 2]
        amounts = (None, money(step.amount, currency)) if step.one % 2 else (money(step.amount, currency), None)
        return tuple(Portion(invoice_id=debit.id, amount=part) for debit, part in zip(chosen, amounts, strict=False))

    def _remember(self, outcome: PaymentChanged, money: Money) -> None:
        self.copy.doing.id, self.copy.doing.money = outcome.operation_id, money
        self.done.append(self.copy.doing)

    def _pay_portions(self, credit: Credit, portions: tuple[Portion, ...], wanted: date | None) -> None:
        by_id = {debit.id: debit for debit in self.copy.debits}
        for portion in portions:
            if portion.amount is not None:
                self.copy.match(credit, by_id[portion.invoice_id], portion.amount.micros, wanted)
        rest = [by_id[portion.invoice_id] for portion in portions if portion.amount is None]
        self.copy.spread(credit, rest, wanted)

    # --- steps --------------------------------------------------------------------------------------------------------

    def _drafting(self, step: Step, *, send: bool) -> InvoiceChanged:
        customer = self._customer(step.one)
        issue_on = self.world.day(-step.back)
        tax = Decimal(9) if step.two % 2 else Decimal(0)
        line = LineInput(description="Service", unit_price=money(step.amount * 3, customer.currency.code), tax_rate=tax)
        command = DraftInvoice(
            customer_id=customer.id,
            lines=(line,),
            issue_on=issue_on,
            due_on=issue_on + timedelta(days=step.two * 2),
            auto_allocate=step.amount % 3 != 0,
            send=send,
        )
        return self.do(draft_invoice, command)

    def _invoice(self, step: Step) -> None:
        self._sent(self._drafting(step, send=True))

    def _draft(self, step: Step) -> None:
        self.drafts.append(self._drafting(step, send=False).invoice.id)

    def _send(self, step: Step) -> None:
        self._sent(self.do(send_invoice, SendInvoice(invoice_id=newest(self.drafts, step.one))))

    def _sent(self, outcome: InvoiceChanged) -> None:
        invoice = outcome.invoice
        posted_on = max(invoice.issue_on, self.copy.first_open)
        debit = Debit(
            id=invoice.id,
            customer_id=invoice.customer_id,
            number=invoice.label,
            issue_on=invoice.issue_on,
            due_on=invoice.due_on,
            posted_on=posted_on,
            rose_on=posted_on,
            auto=invoice.auto_allocate,
            moves=[(posted_on, invoice.total.micros)],
        )
        self.copy.debits.append(debit)
        self.copy.sweep(invoice.customer_id, None)
        assert invoice.open.micros == debit.open

    def _recording(self, step: Step, customer: Customer | None) -> None:
        code = customer.currency.code if customer is not None else ("SGD", "JPY")[step.two % 2]
        portions = self._portions(step, customer.id, code) if customer is not None and step.two < 4 else ()
        command = RecordPayment(
            payer="Somebody",
            amount=money(step.amount * 4, code),
            received_on=self.world.day(-step.back),
            customer_id=customer.id if customer is not None else None,
            portions=portions,
        )
        outcome = self.do(record_payment, command)
        payment = outcome.payment
        posted_on = max(payment.received_on, self.copy.first_open)
        micros = payment.amount.micros
        fact = Money(payment.id, payment.number, micros, code, posted_on, [(posted_on, micros)], posted_on)
        self.copy.money.append(fact)
        self.copy.doing.name = "record"
        if customer is not None:
            credit = self.copy.assign(fact, customer.id, posted_on)
            self._pay_portions(credit, portions, posted_on)
            self.copy.sweep(customer.id, posted_on)
            assert outcome.left.micros == credit.open
        self._remember(outcome, fact)

    def _record(self, step: Step) -> None:
        self._recording(step, None)

    def _pay(self, step: Step) -> None:
        self._recording(step, self._customer(step.one))

    def _assign(self, step: Step) -> None:
        fact, customer = self._money(step.one), self._customer(step.two)
        portions = self._portions(step, customer.id, customer.currency.code) if step.back % 2 else ()
        wanted = self._wanted(step)
        command = AssignPayment(payment_id=fact.id, customer_id=customer.id, portions=portions, effective_on=wanted)
        outcome = self.do(assign_payment, command)
        on = self.copy.day(wanted, fact.posted_on, fact.free_on)
        credit = self.copy.assign(fact, customer.id, on)
        self._pay_portions(credit, portions, on)
        self.copy.sweep(customer.id, on)
        assert outcome.left.micros == credit.open
        self._remember(outcome, fact)

    def _unassign(self, step: Step) -> None:
        fact, wanted = self._money(step.one), self._wanted(step)
        outcome = self.do(unassign_payment, UnassignPayment(payment_id=fact.id, effective_on=wanted))
        self.copy.unassign(fact, wanted)
        self._remember(outcome, fact)

    def _allocate(self, step: Step) -> None:
        fact, wanted = self._money(step.one), self._wanted(step)
        credit = fact.credit
        portions: tuple[Portion, ...] = ()
        if credit is not None and step.amount % 3:
            portions = self._portions(step, credit.customer_id, fact.currency)
        command = AllocatePayment(payment_id=fact.id, portions=portions, effective_on=wanted)
        outcome = self.do(allocate_payment, command)
        assert credit is not None
        if portions:
            self._pay_portions(credit, portions, wanted)
        else:
            self.copy.spread(credit, self.copy.owed(credit.customer_id), wanted)
        assert outcome.left.micros == credit.open
        self._remember(outcome, fact)

    def _unallocate(self, step: Step) -> None:
        fact, wanted = self._money(step.one), self._wanted(step)
        live = self.copy.live(fact.credit) if fact.credit is not None else []
        some = tuple({match.debit.id for match in live[step.two : step.two + 1]})
        command = UnallocatePayment(payment_id=fact.id, invoice_ids=some, effective_on=wanted)
        outcome = self.do(unallocate_payment, command)
        assert fact.credit is not None
        for match in live:
            if not some or match.debit.id in some:
                self.copy.unmatch(match, wanted)
                self.copy.switch(match.debit, on=False)
        self.copy.sweep(fact.credit.customer_id, None)
        assert outcome.left.micros == fact.credit.open
        self._remember(outcome, fact)

    def _auto(self, step: Step) -> None:
        debit, on = self._debit(step.one), step.two % 2 == 0
        self.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=debit.id, on=on))
        self.copy.switch(debit, on=on)
        if on:
            self.copy.sweep(debit.customer_id, None)

    def _edit(self, step: Step) -> None:
        payment = self._read(self._money(step.one))
        command = EditPayment(
            payment_id=payment.id,
            version=payment.version,
            payer="Somebody else",
            method=(Method.CASH, Method.CHEQUE)[step.two % 2],
        )
        self.do(edit_payment, command)

    def _read(self, fact: Money) -> Payment:
        found = self.world.store.read(lambda books: books.payment(str(fact.id)))
        assert found is not None
        return found

    def _void(self, step: Step) -> None:
        fact = self._money(step.one)
        self.do(void_payment, VoidPayment(payment_id=fact.id, reason="Recorded twice"))
        self.copy.void(fact, None)

    def _undo(self, step: Step) -> None:
        done = newest(self.done, step.one % 4)
        self.do(undo, Undo(operation_id=done.id))
        self.copy.undo(done)

    def _clock(self, step: Step) -> None:
        moved = timedelta(days=step.one) if step.two % 2 else timedelta(minutes=step.amount)
        self.world.now += moved

    def _lock(self, step: Step) -> None:
        if step.one % 3 == 0:
            day = self.world.day(-step.back)
            self.do(change_setting, ChangeSetting(name="hard_lock", value=day.isoformat()), by=ADMIN)
            self.copy.first_open = day + timedelta(days=1)
