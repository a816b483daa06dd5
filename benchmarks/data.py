"""The books that floor and ours both run on: a seeded history of invoices, payments and allocations.

Large books are generated again at each call instead of kept, so that a million invoices cost the benchmark no memory.
"""

import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from random import Random
from typing import NamedTuple

TODAY = date(2026, 11, 2)
DAYS = 730
DAY = tuple(TODAY - timedelta(days=DAYS - offset) for offset in range(DAYS + 1))
PAST = DAY[DAYS // 2]  # about half of all allocations are later than this day
TERMS = (14, 30, 30, 45, 60)
CURRENCIES = ("SGD", "SGD", "USD", "MYR", "EUR")
CENT_MICROS = 10_000
RECEIPT_MICROS = 1_000_000
BUCKETS = ("current", "1-30", "31-60", "61-90", "over 90")
INVOICES_OF_A_CUSTOMER = 50
KEPT_SIZE = 100_000

Totals = dict[str, tuple[int, ...]]
"""Outstanding micros in each of the five buckets, by currency."""


class Customer(NamedTuple):
    number: int
    name: str
    currency: str
    receivable_micros: int


class Invoice(NamedTuple):
    number: int
    customer: int
    currency: str
    issued_on: date
    due_on: date
    total_micros: int
    open_micros: int


class Payment(NamedTuple):
    """Money that came in; every payment is assigned on the day it came and applied whole by now."""

    number: int
    customer: int
    currency: str
    received_on: date
    amount_micros: int


class Allocation(NamedTuple):
    """Always a positive amount; a reversal names what it reverses."""

    number: int
    payment: int
    invoice: int
    customer: int
    currency: str
    issued_on: date
    due_on: date
    effective_on: date
    amount_micros: int
    reverses: int | None


class History(NamedTuple):
    invoice: Invoice
    payments: Sequence[Payment]
    allocations: Sequence[Allocation]


class Receipt(NamedTuple):
    """What one W1 writes down: money of a customer for one open invoice of theirs."""

    number: int
    customer: int
    currency: str
    invoice: int
    received_on: date
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Books:
    """As many open invoices as `size`, as many closed ones, oldest first, `of_customer` of each for every customer."""

    size: int
    seed: int = 80
    of_customer: int = INVOICES_OF_A_CUSTOMER

    @property
    def customer_count(self) -> int:
        return max(1, self.size // self.of_customer)

    def histories(self) -> Iterable[History]:
        return kept_histories(self) if self.size <= KEPT_SIZE else self.generate()

    def generate(self) -> Iterator[History]:
        chance = Random(self.seed)
        payment = allocation = 1
        for index in range(2 * self.size):
            invoice, steps = one_invoice(chance, index, self)
            history = one_history(invoice, steps, payment, allocation)
            payment += len(history.payments)
            allocation += len(history.allocations)
            yield history

    def customers(self) -> Iterator[Customer]:
        receivable = [0] * (self.customer_count + 1)
        for invoice in self.invoices():
            receivable[invoice.customer] += invoice.open_micros
        for number in range(1, self.customer_count + 1):
            yield Customer(number, f"Customer {number:06}", currency_of(number), receivable[number])

    def invoices(self) -> Iterator[Invoice]:
        for history in self.histories():
            yield history.invoice

    def payments(self) -> Iterator[Payment]:
        for history in self.histories():
            yield from history.payments

    def allocations(self) -> Iterator[Allocation]:
        for history in self.histories():
            yield from history.allocations

    def receipts(self, count: int) -> list[Receipt]:
        """Receipts for that many open invoices, spread over the years and over the customers; none twice."""
        assert count <= self.size
        stride = max(1, self.size // count)
        unpaid = (invoice for invoice in self.invoices() if invoice.open_micros)
        chosen = islice(unpaid, 0, count * stride, stride)
        return [
            Receipt(number, invoice.customer, invoice.currency, invoice.number, TODAY, RECEIPT_MICROS)
            for number, invoice in enumerate(chosen, start=1)
        ]

    def totals(self, as_of: date) -> Totals:
        """What ageing must come to at a date, added up from the history itself, one invoice after another."""
        totals: dict[str, list[int]] = {}
        for invoice, _, allocations in self.histories():
            if invoice.issued_on > as_of:
                continue
            paid = sum(signed(each) for each in allocations if each.effective_on <= as_of)
            buckets = totals.setdefault(invoice.currency, [0] * len(BUCKETS))
            buckets[bucket_of(invoice.due_on, as_of)] += invoice.total_micros - paid
        return {currency: tuple(buckets) for currency, buckets in totals.items()}


@lru_cache(maxsize=2)
def kept_histories(books: Books) -> tuple[History, ...]:
    """Generated once for both engines and both sides: otherwise a quick run would spend half its minute on this."""
    histories = tuple(books.generate())
    gc.freeze()  # the collections before each measurement need not walk through all of it
    return histories


def currency_of(customer: int) -> str:
    return CURRENCIES[customer % len(CURRENCIES)]


def signed(allocation: Allocation) -> int:
    return allocation.amount_micros if allocation.reverses is None else -allocation.amount_micros


def bucket_of(due_on: date, as_of: date) -> int:
    """The column of a due date: not yet due, then thirty days each; day 30 is in the first thirty."""
    late = (as_of - due_on).days
    return 0 if late <= 0 else min(4, (late + 29) // 30)


class Step(NamedTuple):
    """One payment and how it went: paid after so many days, perhaps taken off again and put back."""

    days: int
    amount_micros: int
    is_reversed_once: bool


def one_invoice(chance: Random, index: int, books: Books) -> tuple[Invoice, list[Step]]:
    """Every other invoice is open, a quarter of those paid in part; a fifth of the closed ones took two."""
    draw = chance.getrandbits(62)
    customer = draw % books.customer_count + 1
    draw >>= 24
    total_cents = 1_000 + draw % 400_000
    draw >>= 20
    kind, slowness = draw % 20, draw // 32 % 64
    days = 5 + slowness * slowness // 10  # most pay within three months, the slowest after thirteen
    is_closed = index % 2 == 1
    share = total_cents // 3 if kind < (4 if is_closed else 5) else total_cents * is_closed
    steps = [Step(days, share * CENT_MICROS, kind in {0, 4})] if share else []
    if is_closed and share < total_cents:
        steps.append(Step(days + 20, (total_cents - share) * CENT_MICROS, is_reversed_once=False))
    paid_micros = sum(step.amount_micros for step in steps)
    issued = index * (DAYS - 1) // (2 * books.size)
    due_on = DAY[issued] + timedelta(days=TERMS[customer % len(TERMS)])
    total_micros = total_cents * CENT_MICROS
    invoice = Invoice(
        index + 1, customer, currency_of(customer), DAY[issued], due_on, total_micros, total_micros - paid_micros
    )
    return invoice, steps


def one_history(invoice: Invoice, steps: Sequence[Step], payment: int, allocation: int) -> History:
    """The payments and allocations of one invoice, numbered on from what came before."""
    issued = (invoice.issued_on - DAY[0]).days
    payments: list[Payment] = []
    allocations: list[Allocation] = []
    for step in steps:
        paid = min(DAYS, issued + step.days)
        number = payment + len(payments)
        payments.append(Payment(number, invoice.customer, invoice.currency, DAY[paid], step.amount_micros))
        moves = ((paid, False), (paid + 3, True), (paid + 6, False)) if step.is_reversed_once else ((paid, False),)
        for day, is_reversal in moves:
            row = allocation + len(allocations)
            allocations.append(
                Allocation(
                    row,
                    number,
                    invoice.number,
                    invoice.customer,
                    invoice.currency,
                    invoice.issued_on,
                    invoice.due_on,
                    DAY[min(DAYS, day)],
                    step.amount_micros,
                    row - 1 if is_reversal else None,
                )
            )
    return History(invoice, payments, allocations)
