"""The sample company, made through the desk: forty customers in three currencies, two years of invoices and
payments.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

from bot.desk import Desk
from bot.domain.allocation import Portion
from bot.domain.customers import Contact, Customer, Mode, NewCustomer, new_customer
from bot.domain.disputes import OpenDispute, open_dispute
from bot.domain.invoices import DraftInvoice, LineInput, draft_invoice
from bot.domain.job_plans import HEARTBEAT, REMINDERS
from bot.domain.limits import SetLimit, set_limit
from bot.domain.master_moves import TopUpMaster, top_up_master
from bot.domain.money import Money, currency
from bot.domain.month_end import CloseMonth, close_month, month_before
from bot.domain.open_items import Invoice, InvoiceKind
from bot.domain.operation import Actor, Operation, Outcome, Request, Role
from bot.domain.payment_settings import SetPaymentSettings, TopUpMethod, set_payment_settings
from bot.domain.payments import Method, RecordPayment, record_payment
from bot.domain.people import Grant, Profile, SetOwner, grant, set_owner
from bot.domain.promises import LogPromise, log_promise
from bot.domain.reminder_terms import SetReminders, set_reminders
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.usage import ChargeUsage, UsageLine, charge_usage
from bot.domain.withdrawals import Gateway, RequestWithdrawal, request_withdrawal
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.outbox import Outbox
from bot.storage.store import Store
from sandbox import sample_reminders
from sandbox.state import Channel, Person

TEAM = "T0SANDBOX"
DAYS = 730
SEED = 20261123
CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)

PEOPLE = (
    Person(
        id="U0CLARA", name="clara", real_name="Clara Clerk", title="Finance clerk", tz="Asia/Singapore", team_id=TEAM
    ),
    Person(
        id="U0MIRA", name="mira", real_name="Mira Manager", title="Finance manager", tz="Asia/Singapore", team_id=TEAM
    ),
    Person(id="U0VIK", name="vik", real_name="Vik Viewer", title="Sales", tz="Europe/Berlin", team_id=TEAM),
    Person(
        id="U0OLGA",
        name="olga",
        real_name="Olga Owner",
        title="Owner",
        tz="Asia/Singapore",
        team_id=TEAM,
        is_owner=True,
    ),
)
RIGHTS = {"U0CLARA": Role.CLERK, "U0MIRA": Role.MANAGER, "U0VIK": Role.VIEWER}
OWNER = "U0OLGA"
CLERK = "U0CLARA"
SALES = "U0VIK"
MANAGER = "U0MIRA"
NAMES = (
    "Acme Pte Ltd|ACME|SGD",
    "Borneo Foods|BORNEO|SGD",
    "Cedar Clinics|CEDAR|SGD",
    "Delta Freight|DELTA|USD",
    "Echo Media|ECHO|EUR",
    "Fern & Fig Florists|FERN|SGD",
    "Garuda Textiles|GARUDA|USD",
    "Harbour Hotels|HARBOUR|SGD",
    "Indigo Studio|INDIGO|EUR",
    "Jade Optics|JADE|SGD",
    "Kestrel Logistics|KESTREL|USD",
    "Lotus Spa|LOTUS|SGD",
    "Meridian Travel|MERIDIAN|SGD",
    "Northwind Tools|NORTHWIND|EUR",
    "Orchid Events|ORCHID|SGD",
    "Palm Grove School|PALM|SGD",
    "Quay Seafood|QUAY|SGD",
    "Raffia Interiors|RAFFIA|USD",
    "Saffron Catering|SAFFRON|SGD",
    "Tembusu Timber|TEMBUSU|SGD",
    "Umbra Security|UMBRA|USD",
    "Vela Yachts|VELA|EUR",
    "Wattle Dairy|WATTLE|USD",
    "Xenia Hostels|XENIA|EUR",
    "Yarrow Pharma|YARROW|SGD",
    "Zephyr Cooling|ZEPHYR|SGD",
    "Amber Analytics|AMBER|USD",
    "Basalt Builders|BASALT|SGD",
    "Coral Diving|CORAL|SGD",
    "Dune Apparel|DUNE|EUR",
    "Elm Street Bakery|ELM|SGD",
    "Fjord Fisheries|FJORD|EUR",
    "Gingko Gardens|GINGKO|SGD",
    "Helix Labs|HELIX|USD",
    "Iris Printing|IRIS|SGD",
    "Juniper Legal|JUNIPER|USD",
    "Kopitiam Brothers|KOPITIAM|SGD",
    "Lumen Lighting|LUMEN|SGD",
    "Mango Mobile|MANGO|SGD",
    "Nimbus Cloud Kitchens|NIMBUS|SGD",
)
HABITS = ("prompt", "prompt", "prompt", "slow", "slow", "late", "parts")
ITEMS = (
    "Coffee beans, monthly supply",
    "Machine rental",
    "Maintenance visit",
    "Barista training",
    "Filters and cleaning",
)


@dataclass(order=True)
class Due:
    """Money that will come in on a day."""

    on: date
    serial: int
    customer: Customer = field(compare=False)
    amount: Money = field(compare=False)
    reference: str = field(compare=False)
    known: bool = field(default=True, compare=False)


def moment(day: date, serial: int, written: datetime) -> datetime:
    """When something was done on a day: in its morning, but never later than the sample is written."""
    return min(datetime.combine(day, time(2, serial % 60), tzinfo=UTC), written)


class Sample:
    """Writes two years of business, a day at a time, as the people of the company did."""

    def __init__(self, store: Store, today: date, written: datetime) -> None:
        self._desk = Desk(store)
        self._store = store
        self._today = today
        self._written = written
        self._random = random.Random(SEED)
        self._serial = 0
        self._coming: list[Due] = []

    def write(self) -> None:
        """Make the whole book; deterministic for a given day."""
        start = self._today - timedelta(days=DAYS)
        self._people(start)
        sample_reminders.write_texts(self._do, start)
        customers = [
            (self._customer(line, index, start), HABITS[index % len(HABITS)]) for index, line in enumerate(NAMES)
        ]
        for offset in range(DAYS + 1):
            day = start + timedelta(days=offset)
            for index, (customer, habit) in enumerate(customers):
                if customer.mode is Mode.PREPAID:
                    self._prepaid(customer, index, day)
                elif (day.day - 1) == (index * 7) % 28:
                    self._invoice(customer, habit, day)
            self._money(day)
            self._used({each.code: each for each, _ in customers}, day)
            if day == self._last_digest_day():
                self._digest(day)
        self._loose_ends(customers[0][0])
        self._asked_for(next(each for each, _ in customers if each.code == "LOTUS"))
        self._waiting(next(each for each, _ in customers if each.mode is Mode.PREPAID))
        self._topped_up({each.code: each for each, _ in customers})
        found = self._store.read(lambda books: books.reminder_facts([each.id for each, _ in customers], self._today))
        sample_reminders.hold_back(self._do, found, SALES, self._today)
        while self._store.seal():
            pass

    def _do(
        self,
        operation: Operation[CommandT, OutcomeT],
        command: CommandT,
        day: date,
        by: str = CLERK,
        *,
        silent: bool = True,
    ) -> OutcomeT:
        self._serial += 1
        request = Request(
            actor=Actor(team=TEAM, user=by),
            now=moment(day, self._serial, self._written),
            key=f"sample:{self._serial}",
            request_id=f"sample-{self._serial}",
            command="sample",
            silent=silent,
        )
        return self._desk.carry_out(operation, command, request)

    def _people(self, day: date) -> None:
        by_id = {each.id: each for each in PEOPLE}
        self._do(set_owner, SetOwner(profile=_profile(by_id[OWNER])), day, OWNER)
        for user, role in RIGHTS.items():
            self._do(grant, Grant(profile=_profile(by_id[user]), role=role), day, OWNER)
        for name, value in (
            ("company", "Kopi Supplies Pte Ltd"),
            ("zone", "Asia/Singapore"),
            ("currencies", "SGD USD EUR"),
            ("tax_rates", "9 0"),
            ("finance_channel", "C0FINANCE"),
            ("approvals_channel", "C0APPROVALS"),
            ("digest_channel", "C0DIGEST"),
            ("undo_minutes", "30"),
            *sample_reminders.SETTINGS,
        ):
            self._do(change_setting, ChangeSetting(name=name, value=value), day, OWNER)

    def _customer(self, line: str, index: int, day: date) -> Customer:
        name, code, of = line.split("|")
        command = NewCustomer(
            code=code,
            name=name,
            currency=currency(of),
            mode=Mode.PREPAID if index % 8 == 7 else Mode.POSTPAID,
            due_days=(30, 14, 45)[index % 3],
            contacts=(Contact(name="Accounts", email=f"accounts@{code.lower()}.example"),),
        )
        customer = self._do(new_customer, command, day).customer
        if code in sample_reminders.GERMANS:
            self._do(set_reminders, SetReminders(customer_id=customer.id, version=0, language="de"), day)
        return customer

    def _invoice(self, customer: Customer, habit: str, day: date) -> None:
        roll = self._random
        lines = tuple(
            LineInput(
                description=roll.choice(ITEMS),
                unit_price=Money.parse(f"{roll.randrange(4000, 90000) / 100:.2f}", customer.currency),
                quantity=Decimal(roll.randrange(1, 6)),
                tax_rate=Decimal(9 if customer.currency.code == "SGD" else 0),
            )
            for _ in range(roll.randrange(1, 4))
        )
        command = DraftInvoice(customer_id=customer.id, lines=lines, issue_on=day, send=True)
        invoice = self._do(draft_invoice, command, day).invoice
        self._expect(customer, habit, invoice.total, invoice.due_on, invoice.label)

    def _expect(self, customer: Customer, habit: str, total: Money, due_on: date, number: str) -> None:
        """When and how much this customer will pay, by habit."""
        roll = self._random
        late = {"prompt": (-6, 4), "slow": (8, 38), "late": (35, 125), "parts": (2, 20)}[habit]
        first = due_on + timedelta(days=roll.randrange(*late))
        if habit == "late" and roll.random() < 0.12:
            return
        part = total
        if habit == "parts":
            part = Money(total.micros * 6 // 10, total.currency).rounded()
            self._plan(first + timedelta(days=roll.randrange(15, 60)), customer, total - part, number)
        if habit == "prompt" and roll.random() < 0.05:
            part = (part + Money.parse("25", part.currency)).rounded()
        self._plan(first, customer, part, number)

    def _plan(self, on: date, customer: Customer, amount: Money, number: str) -> None:
        self._serial += 1
        known = self._random.random() > 0.08 or on < self._today - timedelta(days=20)
        self._coming.append(Due(on, self._serial, customer, amount, number, known))

    def _money(self, day: date) -> None:
        """What comes in today; some of it nobody knows whose it is yet."""
        due = sorted(each for each in self._coming if each.on <= day)
        self._coming = [each for each in self._coming if each.on > day]
        for each in due:
            self._pay(each.customer, each.amount, day, each.reference, known=each.known)

    def _pay(self, customer: Customer, amount: Money, day: date, reference: str, *, known: bool = True) -> None:
        method = self._random.choice((Method.BANK_TRANSFER, Method.BANK_TRANSFER, Method.GIRO, Method.CHEQUE))
        command = RecordPayment(
            payer=customer.name if known else customer.name.upper().split()[0] + " GRP HOLDINGS",
            amount=amount,
            received_on=day,
            method=method,
            reference=f"TT-{self._random.randrange(10_000, 99_999)}",
            invoice_hint=reference,
            customer_id=customer.id if known else None,
        )
        self._do(record_payment, command, day)

    def _prepaid(self, customer: Customer, index: int, day: date) -> None:
        if (day.toordinal() + index) % 61 == 0:
            amount = Money.parse(str(self._random.randrange(2, 20) * 100), customer.currency)
            self._pay(customer, amount, day, "top-up")

    def _used(self, customers: dict[str, Customer], day: date) -> None:
        """Calls and messages of a postpaid and a prepaid customer since last month, invoiced with its end."""
        month = month_before(self._today)
        postpaid, prepaid = customers["CEDAR"], customers["HARBOUR"]
        if day == month:
            limit = SetLimit(customer_id=postpaid.id, amount=Money.parse("900", postpaid.currency))
            self._do(set_limit, limit, day, "U0MIRA")
        if day == self._today.replace(day=1):
            for each in (postpaid, prepaid):
                self._do(close_month, CloseMonth(customer_id=each.id, month=month), day)
        if day >= month and day.day % 7 == 5:  # four days of each month, none of them its first
            for each in (postpaid, prepaid):
                self._do(charge_usage, ChargeUsage(customer_id=each.id, lines=_calls(each, day)), day)

    def _last_digest_day(self) -> date:
        """The weekday before today: the next digest has something to compare with."""
        return next(day for ago in range(1, 4) if (day := self._today - timedelta(days=ago)).weekday() < 5)

    def _digest(self, day: date) -> None:
        """The digest of a day, as if it had been posted then; the workspace of the demo is empty when it starts."""
        evening = datetime.combine(day, time(12), tzinfo=UTC)
        jobs = {name: job for name, job in JOBS.items() if name not in {HEARTBEAT, REMINDERS}}
        Runner(self._desk, jobs=jobs, now=lambda: evening).run_once()
        outbox = Outbox(self._store)
        for row in outbox.claim("sample"):
            outbox.done(row, row.destination)

    def _loose_ends(self, acme: Customer) -> None:
        """Acme always has fresh invoices to try things on, and one payment waits to be assigned."""
        day = self._today
        fresh: list[Invoice] = []
        for ago, price in ((20, "300"), (6, "320"), (1, "180")):
            line = LineInput(description=ITEMS[0], unit_price=Money.parse(price, acme.currency))
            command = DraftInvoice(customer_id=acme.id, lines=(line,), issue_on=day - timedelta(days=ago), send=True)
            fresh.append(self._do(draft_invoice, command, day).invoice)
        unknown = RecordPayment(
            payer="ACME GRP HOLDINGS", amount=Money.parse("300", acme.currency), received_on=day, reference="TT-77120"
        )
        self._do(record_payment, unknown, day)
        self._doubts(fresh)

    def _asked_for(self, customer: Customer) -> None:
        """A top-up invoice that waits for payment, and a proforma paid in part."""
        week = self._today - timedelta(days=7)
        lines = {
            InvoiceKind.TOP_UP: LineInput(
                description="Coffee credit for the season", unit_price=Money.parse("600", customer.currency)
            ),
            InvoiceKind.PROFORMA: LineInput(
                description="Espresso machine, delivered and installed",
                unit_price=Money.parse("2400", customer.currency),
                tax_rate=Decimal(9),
            ),
        }
        for kind, line in lines.items():
            asked = DraftInvoice(customer_id=customer.id, lines=(line,), issue_on=week, send=True, kind=kind)
            made = self._do(draft_invoice, asked, week).invoice
        half = Money.parse("1308", customer.currency)
        deposit = RecordPayment(
            payer=customer.name,
            amount=half,
            received_on=self._today - timedelta(days=2),
            reference="TT-77203",
            customer_id=customer.id,
            portions=(Portion(invoice_id=made.id, amount=half),),
        )
        self._do(record_payment, deposit, self._today)

    def _doubts(self, invoices: list[Invoice]) -> None:
        """Sales was told that one invoice is wrong, that one will be paid next week, and one was to be paid by now."""
        first, second, third = invoices
        reason = "Two bags of the delivery were torn"
        self._do(open_dispute, OpenDispute(invoice_id=first.id, reason=reason), self._today, SALES)
        for invoice, logged, ahead in ((second, 4, 2), (third, 0, 7)):
            day = self._today - timedelta(days=logged)
            promise = LogPromise(
                customer_id=invoice.customer_id, invoice_id=invoice.id, promised_on=day + timedelta(days=ahead)
            )
            self._do(log_promise, promise, day, SALES)

    def _waiting(self, customer: Customer) -> None:
        """A withdrawal whose card comes up in the approvals channel when the demo starts."""
        command = RequestWithdrawal(
            customer_id=customer.id,
            amount=Money.parse("150", customer.currency),
            gateway=Gateway.BANK_TRANSFER,
            details="Account ending 4321",
            reason="Contract ended, the rest of the credit goes back",
        )
        self._do(request_withdrawal, command, self._today, silent=False)

    def _topped_up(self, customers: dict[str, Customer]) -> None:
        """Two that are topped up by themselves, by an invoice and from the master account, with a little more use."""
        euro = currency("EUR")
        paid = TopUpMaster(amount=Money.parse("60000", euro), paid_on=self._today, reference="WIRE-41")
        self._do(top_up_master, paid, self._today, MANAGER)
        for code, method in (("XENIA", TopUpMethod.CHEQUE), ("FJORD", TopUpMethod.MASTER)):
            rule = SetPaymentSettings(
                customer_id=customers[code].id,
                method=method,
                amount=Money.parse("500", euro),
                threshold=self._balance(customers[code]) - Money.parse("40", euro),
                auto=True,
            )
            self._do(set_payment_settings, rule, self._today, MANAGER)

    def _balance(self, customer: Customer) -> Money:
        return self._store.read(lambda books: books.customer(customer.id).balance)


def _calls(customer: Customer, day: date) -> tuple[UsageLine, ...]:
    """Some minutes and some messages of a day, to the micro."""
    worth = (("Calls", f"{day.day}.123456"), ("Messages", f"0.{day.day:02d}75"))
    return tuple(
        UsageLine(
            external_id=f"{customer.code}-{product}-{day}",
            used_on=day,
            product=product,
            net=Money.parse(net, customer.currency),
            tax_rate=Decimal(9),
        )
        for product, net in worth
    )


def _profile(person: Person) -> Profile:
    return Profile(team=TEAM, user=person.id, name=person.real_name)


def bank_feed(today: date) -> tuple[str, ...]:
    """What the bank wrote lately: money in, money in that says too little, money out."""
    day = today - timedelta(days=1)
    return (
        f"You have received SGD 320.00 from ACME PTE LTD via PayNow on {day:%d %b %Y}. Ref: TT-904.",
        f"Incoming transfer: $750.00 from Delta Freight on {day:%d %b %Y}",
        f"SGD 88.20 was debited from your account ending 5001 to Borneo Foods on {day:%d %b %Y}.",
    )


def channels() -> list[Channel]:
    """The sample workspace's channels, the bot in those for money."""
    everyone = {each.id for each in PEOPLE}
    bot = "U0SANDBOX"
    return [
        Channel(
            id="C0FINANCE",
            name="finance",
            members={*everyone, bot},
            is_private=True,
            topic="Payments, invoices, credit",
        ),
        Channel(
            id="C0APPROVALS", name="approvals", members={*everyone, bot}, is_private=True, topic="Waiting for a manager"
        ),
        Channel(id="C0BANK", name="bank-feed", members={*everyone, bot}, is_private=True, topic="What the bank writes"),
        Channel(
            id="C0DIGEST", name="digest", members={*everyone, bot}, is_private=True, topic="Aged receivables, mornings"
        ),
        Channel(id="C0GENERAL", name="general", members=set(everyone), topic="Everybody"),
    ]
