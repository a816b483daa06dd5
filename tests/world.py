"""A small company over one desk: people, customers, invoices and payments in one line each."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from bot.desk import Desk
from bot.domain.allocation import Portion
from bot.domain.approvals import Approve, approve_request
from bot.domain.customers import Customer, Mode, NewCustomer, new_customer
from bot.domain.invoices import DraftInvoice, InvoiceChanged, LineInput, draft_invoice
from bot.domain.money import Money, currency
from bot.domain.open_items import Invoice
from bot.domain.operation import Actor, Operation, Outcome, Request, Role
from bot.domain.payments import PaymentChanged, RecordPayment, record_payment
from bot.domain.people import Grant, Profile, SetOwner, grant, set_owner
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.withdrawals import Gateway, RequestWithdrawal, Withdrawal, request_withdrawal
from bot.storage.shelf import Library
from bot.storage.store import Store

TEAM = "T0001"
OWNER, ADMIN, MANAGER, CLERK, VIEWER, STRANGER = "U0OWNER", "U0ADMIN", "U0MANAGER", "U0CLERK", "U0VIEWER", "U0STRANGER"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SGD = currency("SGD")

CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
_serial = itertools.count(1)


def money(amount: str | int, code: str = "SGD") -> Money:
    return Money.parse(str(amount), currency(code))


@dataclass
class World:
    """The desk with a clock that only moves when told to."""

    store: Store
    now: datetime = START
    is_staffed: bool = False
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.store, clock=lambda: self.now)
        if not self.is_staffed:
            self._staff()

    def _staff(self) -> None:
        self.do(set_owner, SetOwner(profile=Profile(team=TEAM, user=OWNER, name="Owner")), by=OWNER)
        for user, role in (
            (ADMIN, Role.ADMINISTRATOR),
            (MANAGER, Role.MANAGER),
            (CLERK, Role.CLERK),
            (VIEWER, Role.VIEWER),
        ):
            self.do(grant, Grant(profile=Profile(team=TEAM, user=user, name=user), role=role), by=OWNER)

    @property
    def today(self) -> date:
        return self.now.date()

    def day(self, offset: int) -> date:
        return self.today + timedelta(days=offset)

    def request(self, by: str = CLERK, key: str | None = None, team: str = TEAM) -> Request:
        serial = next(_serial)
        return Request(
            actor=Actor(team=team, user=by),
            now=self.now,
            key=key or f"test:{serial}",
            request_id=f"request-{serial}",
            command="test",
        )

    def do(
        self, operation: Operation[CommandT, OutcomeT], command: CommandT, *, by: str = CLERK, key: str | None = None
    ) -> OutcomeT:
        return self.desk.carry_out(operation, command, self.request(by, key))

    def keep(self, code: str) -> None:
        """Have a currency among those of the book."""
        settings = self.store.read(lambda books: books.settings())
        if code not in settings.currency_codes():
            self.do(change_setting, ChangeSetting(name="currencies", value=f"{settings.currencies} {code}"), by=OWNER)

    def customer(self, code: str = "ACME", *, name: str = "", of: str = "SGD", mode: Mode = Mode.POSTPAID) -> Customer:
        self.keep(of)
        command = NewCustomer(code=code, name=name or f"{code} Pte Ltd", currency=currency(of), mode=mode)
        return self.do(new_customer, command).customer

    def invoice(
        self,
        customer: Customer,
        amount: str | int,
        *,
        issued: int = 0,
        due: int | None = None,
        auto: bool = True,
        send: bool = True,
        tax: str = "0",
    ) -> Invoice:
        """A tax invoice, issued and due so many days from today."""
        return self.invoiced(customer, amount, issued=issued, due=due, auto=auto, send=send, tax=tax).invoice

    def invoiced(
        self,
        customer: Customer,
        amount: str | int,
        *,
        issued: int = 0,
        due: int | None = None,
        auto: bool = True,
        send: bool = True,
        tax: str = "0",
    ) -> InvoiceChanged:
        line = LineInput(description="Service", unit_price=money(amount, customer.currency.code), tax_rate=Decimal(tax))
        return self.do(
            draft_invoice,
            DraftInvoice(
                customer_id=customer.id,
                lines=(line,),
                issue_on=self.day(issued),
                due_on=None if due is None else self.day(due),
                auto_allocate=auto,
                send=send,
            ),
        )

    def pay(
        self,
        amount: str | int,
        customer: Customer | None = None,
        *,
        received: int = 0,
        to: tuple[tuple[Invoice, str | int | None], ...] = (),
        of: str = "SGD",
        reference: str = "",
    ) -> PaymentChanged:
        """A payment, recorded and, with a customer, assigned and allocated."""
        code = customer.currency.code if customer is not None else of
        portions = tuple(
            Portion(invoice_id=invoice.id, amount=None if part is None else money(part, code)) for invoice, part in to
        )
        return self.do(
            record_payment,
            RecordPayment(
                payer=customer.name if customer is not None else "Somebody",
                amount=money(amount, code),
                received_on=self.day(received),
                reference=reference,
                customer_id=customer.id if customer is not None else None,
                portions=portions,
            ),
        )

    def read_customer(self, customer: Customer) -> Customer:
        return self.store.read(lambda books: books.customer(customer.id))

    def read_invoice(self, invoice: Invoice) -> Invoice:
        found = self.store.read(lambda books: books.invoice(str(invoice.id)))
        assert found is not None
        return found

    def check(self) -> None:
        """The books prove themselves, once sealed."""
        self.store.seal()
        assert self.store.verify() == []


def staffed(url: str) -> None:
    """Give a book its people."""
    library = Library(url)
    World(Store.open(library))
    library.close()


def withdraw(world: World, customer: Customer, amount: str | int = 40) -> Withdrawal:
    """Credit that was asked for, approved and is to be paid."""
    command = RequestWithdrawal(
        customer_id=customer.id,
        amount=money(amount, customer.currency.code),
        gateway=Gateway.CHEQUE,
        reason="Contract ended",
    )
    made = world.do(request_withdrawal, command).withdrawal
    world.do(approve_request, Approve(approval_id=made.approval_id, version=1), by=MANAGER)
    return made
