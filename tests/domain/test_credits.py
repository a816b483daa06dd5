"""Credit given, taken back and paid out, and the master account it comes from."""

from dataclasses import replace

import pytest

from bot.domain.credit_undo import undo_credit
from bot.domain.credits import (
    CreditChanged,
    IssueCredit,
    PayOutAtPlatform,
    Purpose,
    TakeBackCredit,
    issue_credit,
    pay_out_at_platform,
    take_back_credit,
)
from bot.domain.customers import Customer
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    MasterNotOpen,
    MasterShort,
    MissingText,
    MoreThanLeft,
    NoAccess,
    NotPositive,
    NotUndoable,
    Refused,
    TooPreciseForCurrency,
    UnknownCurrency,
    WrongState,
)
from bot.domain.master import MasterAccount
from bot.domain.master_moves import SetMasterLimit, TopUpMaster, set_master_limit, top_up_master
from bot.domain.money import Money
from bot.domain.payments import (
    EditPayment,
    Method,
    PaymentChanged,
    RecordPayment,
    UnassignPayment,
    VoidPayment,
    edit_payment,
    record_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.undo import Undo
from tests.domain.expect import ask_sql, expect_refusal, report, standing
from tests.world import CLERK, MANAGER, World, money, withdraw


def issue(world: World, customer: Customer, amount: str | int, purpose: Purpose = Purpose.GOODWILL) -> CreditChanged:
    """Give credit as a manager does."""
    command = IssueCredit(
        customer_id=customer.id, amount=money(amount, customer.currency.code), purpose=purpose, remark="Late delivery"
    )
    return world.do(issue_credit, command, by=MANAGER)


def take_back(world: World, customer: Customer, amount: str | int) -> CreditChanged:
    command = TakeBackCredit(customer_id=customer.id, amount=money(amount), remark="By mistake")
    return world.do(take_back_credit, command, by=MANAGER)


def top_up(world: World, amount: str | int, method: Method = Method.BANK_TRANSFER) -> None:
    """Pay the platform; the first time opens the master account."""
    command = TopUpMaster(amount=money(amount), paid_on=world.today, method=method, reference="WIRE-1")
    world.do(top_up_master, command, by=MANAGER)


def at_platform(world: World, customer: Customer, amount: str | int) -> PaymentChanged:
    """The customer pays the platform online."""
    command = RecordPayment(
        payer=customer.name,
        amount=money(amount),
        received_on=world.today,
        method=Method.PLATFORM,
        customer_id=customer.id,
    )
    return world.do(record_payment, command)


def master(world: World) -> MasterAccount:
    return world.store.read(lambda books: books.masters())[0]


def three(world: World, customer: Customer) -> tuple[Money, Money, Money]:
    """A, B and U: the partner's balance, the customer's, and what the partner can use."""
    account = master(world)
    return account.balance, world.read_customer(customer).balance, account.usable


@pytest.mark.rule(46)
def test_issued_credit_raises_the_balance_and_lowers_what_the_partner_can_use(world: World) -> None:
    customer = world.customer()
    top_up(world, 100)
    made = issue(world, customer, 30)
    assert three(world, customer) == (money(100), money(30), money(70))
    assert made.master is not None
    assert (made.master.before.usable, made.master.after.usable) == (money(100), money(70))
    assert made.credit.number == "CRD-0001"
    world.check()


@pytest.mark.rule(47)
def test_take_back_is_the_exact_reverse_of_issuing(world: World) -> None:
    customer = world.customer()
    top_up(world, 100)
    before = three(world, customer)
    issue(world, customer, 30)
    take_back(world, customer, 30)
    assert three(world, customer) == before
    assert ask_sql(world, "SELECT SUM(amount_micros) FROM posting WHERE account = 'credit_issued'") == [(0,)]
    world.check()


@pytest.mark.rule(47)
def test_the_newest_issued_credit_is_taken_first_and_paid_money_never(world: World) -> None:
    customer = world.customer()
    world.pay(50, customer)
    issue(world, customer, 10)
    issue(world, customer, 20, Purpose.COMMISSION)
    made = take_back(world, customer, 25)
    assert made.lots == (("CRD-0002", money(20)), ("CRD-0001", money(5)))
    with expect_refusal(world, MoreThanLeft, field="amount", says="at most SGD 5.00"):
        take_back(world, customer, 6)
    world.check()


@pytest.mark.rule(48)
def test_more_than_the_partner_has_is_refused_with_advice_to_top_up(world: World) -> None:
    customer = world.customer()
    top_up(world, 100)
    issue(world, customer, 60)
    with expect_refusal(world, MasterShort, field="amount", says="at most SGD 40.00. Top it up first"):
        issue(world, customer, "40.01")
    issue(world, customer, 40)
    with expect_refusal(world, MasterShort, field="amount", says="at most SGD 0.00"):
        issue(world, customer, "0.01")


@pytest.mark.rule(48)
def test_without_a_master_account_nothing_restricts_issuing(world: World) -> None:
    customer = world.customer()
    assert issue(world, customer, 1_000_000).master is None
    euro = world.customer("EURO", of="EUR")
    top_up(world, 1)
    assert issue(world, euro, 5).master is None
    with expect_refusal(world, MasterShort, field="amount"):
        issue(world, customer, 1)


@pytest.mark.rule(49)
def test_reserved_credit_is_not_taken_back(world: World) -> None:
    customer = world.customer()
    issue(world, customer, 30, Purpose.COMMISSION)
    world.pay(20, customer)
    withdraw(world, customer, 45)
    with expect_refusal(world, MoreThanLeft, field="amount", says="at most SGD"):
        take_back(world, customer, 30)


@pytest.mark.rule(49)
def test_no_more_than_the_balance_is_taken_back(world: World) -> None:
    customer = world.customer()
    issue(world, customer, 30)
    world.invoice(customer, 20, auto=False)
    with expect_refusal(world, MoreThanLeft, field="amount", says="at most SGD 10.00"):
        take_back(world, customer, 11)
    take_back(world, customer, 10)
    world.check()


@pytest.mark.rule(50)
def test_usable_is_the_balance_less_reserved_and_liability_and_with_the_limit(world: World) -> None:
    account = MasterAccount(balance=money(500), reserved=money(20), liability=money(300), limit=money(50))
    assert account.usable == money(230)
    top_up(world, 500)
    world.do(set_master_limit, SetMasterLimit(limit=money(50)), by=MANAGER)
    issue(world, world.customer(), 300)
    assert master(world).usable == money(250)


@pytest.mark.rule(51, 52)
def test_a_debt_of_a_customer_is_no_liability_and_changes_nothing_for_the_partner(world: World) -> None:
    top_up(world, 100)
    rich, poor = world.customer("RICH"), world.customer("POOR")
    issue(world, rich, 30)
    before = master(world)
    world.invoice(poor, 500)
    assert master(world) == before
    assert before.liability == money(30)
    world.pay(80, rich)
    assert master(world).liability == money(110)


@pytest.mark.rule(43)
def test_an_offline_withdrawal_leaves_the_partner_its_balance_and_more_to_use(world: World) -> None:
    top_up(world, 100)
    customer = world.customer()
    world.pay(60, customer)
    assert three(world, customer) == (money(100), money(60), money(40))
    withdraw(world, customer, 20)
    assert three(world, customer) == (money(100), money(40), money(60))


def test_what_customers_pay_the_platform_raises_the_master_account_and_payouts_lower_it(world: World) -> None:
    top_up(world, 100)
    customer = world.customer()
    at_platform(world, customer, 40)
    assert three(world, customer) == (money(140), money(40), money(100))
    command = PayOutAtPlatform(customer_id=customer.id, amount=money(15), reference="po_1")
    made = world.do(pay_out_at_platform, command, by=MANAGER)
    assert three(world, customer) == (money(125), money(25), money(100))
    assert made.lots == (("PAY-0001", money(15)),)
    with expect_refusal(world, MoreThanLeft, field="amount", says="at most SGD 25.00"):
        world.do(pay_out_at_platform, replace(command, amount=money(26)), by=MANAGER)
    world.check()


def test_a_payment_at_the_platform_is_voided_back_to_it(world: World) -> None:
    top_up(world, 100)
    paid = at_platform(world, world.customer(), 40).payment
    world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
    world.do(void_payment, VoidPayment(payment_id=paid.id, reason="twice"))
    assert master(world).balance == money(100)
    world.check()


def test_a_payment_at_the_platform_needs_its_customer_and_an_account_and_stays_there(world: World) -> None:
    customer = world.customer()
    with expect_refusal(world, MasterNotOpen, field="method", says="no master account in SGD"):
        at_platform(world, customer, 40)
    top_up(world, 100)
    alone = RecordPayment(payer="x", amount=money(5), received_on=world.today, method=Method.PLATFORM)
    with expect_refusal(world, WrongState, field="customer", says="Say which customer"):
        world.do(record_payment, alone)
    paid = at_platform(world, customer, 40).payment
    world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
    moved = EditPayment(payment_id=paid.id, version=paid.version + 1, payer="x", method=Method.CASH)
    with expect_refusal(world, WrongState, field="method", says="cannot be changed"):
        world.do(edit_payment, moved)


def test_issued_credit_pays_open_invoices_and_undo_brings_all_back(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 20, issued=-3)
    before = standing(world, customer)
    made = issue(world, customer, 50)
    assert [each.invoice.status for each in made.effect.touched] == ["paid"]
    world.do(undo_credit, Undo(operation_id=made.operation_id), by=MANAGER)
    assert standing(world, customer) == before
    with expect_refusal(world, NotUndoable, says="undone already"):
        world.do(undo_credit, Undo(operation_id=made.operation_id), by=MANAGER)
    world.check()


def test_an_undone_take_back_gives_each_lot_what_it_gave(world: World) -> None:
    customer = world.customer()
    issue(world, customer, 10)
    issue(world, customer, 20)
    before = ask_sql(world, "SELECT number, open_micros FROM lot ORDER BY id")
    made = take_back(world, customer, 25)
    world.do(undo_credit, Undo(operation_id=made.operation_id), by=MANAGER)
    assert ask_sql(world, "SELECT number, open_micros FROM lot ORDER BY id") == before
    assert world.read_customer(customer).balance == money(30)
    world.check()


def test_undo_is_refused_once_the_credit_was_used_or_the_time_is_over(world: World) -> None:
    customer = world.customer()
    made = issue(world, customer, 50)
    world.invoice(customer, 20)
    with expect_refusal(world, NotUndoable, says="only SGD 30.00 is left whole"):
        world.do(undo_credit, Undo(operation_id=made.operation_id), by=MANAGER)
    paid = world.pay(5, customer)
    with expect_refusal(world, NotUndoable, says="cannot be undone"):
        world.do(undo_credit, Undo(operation_id=paid.operation_id), by=MANAGER)
    world.now += (world.now - world.now.replace(hour=0)) / 9
    with expect_refusal(world, NotUndoable, says="time for undo has passed; take the credit back"):
        world.do(undo_credit, Undo(operation_id=made.operation_id), by=MANAGER)


def test_goodwill_never_leaves_and_commission_may(world: World) -> None:
    customer = world.customer()
    issue(world, customer, 30)
    issue(world, customer, 20, Purpose.COMMISSION)
    with expect_refusal(world, MoreThanLeft, field="amount", says="at most SGD 20.00"):
        withdraw(world, customer, 21)
    withdraw(world, customer, 20)
    world.check()


def test_past_reports_keep_what_was_taken_since(world: World) -> None:
    customer = world.customer()
    issue(world, customer, 30)
    issued_on = world.today
    world.now += (world.now - world.now.replace(hour=0)) * 8
    made = take_back(world, customer, 12)
    then = report(world, as_of=issued_on)
    assert [row.unapplied_micros for row in then.rows] == [money(30).micros]
    assert [row.unapplied_micros for row in report(world).rows] == [money(18).micros]
    world.do(undo_credit, Undo(operation_id=made.operation_id), by=MANAGER)
    assert report(world, as_of=issued_on).rows == then.rows
    world.check()


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"amount": money(0)}, NotPositive, "amount"),
        ({"amount": money(-1)}, NotPositive, "amount"),
        ({"amount": money("0.001")}, TooPreciseForCurrency, "amount"),
        ({"amount": money(1, "EUR")}, CurrencyMixed, "amount"),
        ({"remark": "  "}, MissingText, "remark"),
    ],
)
def test_bad_input_is_refused_on_its_field(
    world: World, changed: dict[str, object], refusal: type[Refused], field: str
) -> None:
    customer = world.customer()
    issue(world, customer, 30)
    given = IssueCredit(customer_id=customer.id, amount=money(5), purpose=Purpose.GOODWILL, remark="x")
    with expect_refusal(world, refusal, field=field):
        world.do(issue_credit, replace(given, **changed), by=MANAGER)  # type: ignore[arg-type]  # what the table changes
    taken = TakeBackCredit(customer_id=customer.id, amount=money(5), remark="x")
    with expect_refusal(world, refusal, field=field):
        world.do(take_back_credit, replace(taken, **changed), by=MANAGER)  # type: ignore[arg-type]  # as above


def test_the_master_account_refuses_what_cannot_be(world: World) -> None:
    given = TopUpMaster(amount=money(5), paid_on=world.today)
    with expect_refusal(world, DateInFuture, field="received_on"):
        world.do(top_up_master, replace(given, paid_on=world.day(1)), by=MANAGER)
    with expect_refusal(world, NotPositive, field="amount"):
        world.do(top_up_master, replace(given, amount=money(0)), by=MANAGER)
    with expect_refusal(world, UnknownCurrency, field="amount"):
        world.do(top_up_master, replace(given, amount=money(5, "EUR")), by=MANAGER)
    with expect_refusal(world, Refused, field="method", says="from itself"):
        world.do(top_up_master, replace(given, method=Method.PLATFORM), by=MANAGER)
    with expect_refusal(world, MasterNotOpen, field="method"):
        world.do(set_master_limit, SetMasterLimit(limit=money(5)), by=MANAGER)
    top_up(world, 5)
    with expect_refusal(world, NotPositive, field="limit"):
        world.do(set_master_limit, SetMasterLimit(limit=money(-5)), by=MANAGER)
    with expect_refusal(world, NoAccess, says="right of a manager"):
        world.do(top_up_master, given, by=CLERK)
