"""Tax invoices: drafted, sent, numbered, priced, searched."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.domain.customers import EditCustomer, edit_customer
from bot.domain.errors import (
    CurrencyMixed,
    CustomerClosed,
    DateInFuture,
    DateTooEarly,
    MissingText,
    NotFound,
    NotPositive,
    Refused,
    TextTooLong,
    WrongState,
)
from bot.domain.invoices import (
    InvoiceStep,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.money import Money
from bot.domain.ports import Page
from bot.domain.settings import ChangeSetting, Settings, change_setting
from tests.domain.builders import a_draft, a_line
from tests.domain.expect import ask_sql, expect_refusal, run_sql
from tests.world import ADMIN, World, money


@pytest.mark.rule(13)
def test_invoices_are_found_by_customer_name_number_and_issue_date(world: World) -> None:
    acme, bravo = world.customer("ACME", name="Café Müller"), world.customer("BRAVO", name="Bravo 100% Ltd")
    first = world.invoice(acme, 10, issued=-3)
    second = world.invoice(acme, 20, issued=-2)
    third = world.invoice(bravo, 30, issued=-2)

    def found(page: Page) -> set[str | None]:
        return world.store.read(lambda books: {line.invoice.number for line in books.list_invoices(page)})

    assert found(Page(text="cafe mull")) == {first.number, second.number}
    assert found(Page(text="100%")) == {third.number}
    assert found(Page(text="%")) == {third.number}
    assert found(Page(text="inv-0002")) == {second.number}
    assert found(Page(on=world.day(-2))) == {second.number, third.number}
    assert found(Page(on=world.day(-2), text="bravo")) == {third.number}
    assert found(Page(customer_id=acme.id)) == {first.number, second.number}
    assert found(Page(text="zebra")) == set()


@pytest.mark.rules(13, 100)
def test_invoices_are_listed_by_state(world: World) -> None:
    customer = world.customer()
    paid, partly, untouched = (world.invoice(customer, 10, issued=-4 + index) for index in range(3))
    draft = world.invoice(customer, 10, send=False)
    world.pay(15, customer)

    def found(state: str) -> list[str]:
        return world.store.read(lambda books: [each.invoice.label for each in books.list_invoices(Page(state=state))])

    assert found("paid") == [paid.label]
    assert found("partly") == [partly.label]
    assert found("open") == [partly.label, untouched.label]
    assert found("draft") == [draft.label]


@pytest.mark.rule(100)
def test_a_partly_paid_invoice_says_so_and_stays_collectable(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100)
    assert invoice.status == "awaiting payment"
    world.pay(40, customer)
    assert world.read_invoice(invoice).status == "partially paid"
    assert world.read_invoice(invoice).open == money(60)
    world.pay(60, customer)
    assert world.read_invoice(invoice).status == "paid"
    world.check()


@pytest.mark.rule(102)
def test_due_days_are_30_and_a_change_affects_later_invoices_only(world: World) -> None:
    customer = world.customer()
    assert Settings().due_days == 30
    before = world.invoice(customer, 10)
    draft = world.invoice(customer, 10, send=False)
    assert before.due_on == world.day(30)
    world.do(change_setting, ChangeSetting(name="due_days", value="14"), by=ADMIN)
    assert world.invoice(customer, 10, issued=-1).due_on == world.day(13)
    assert world.read_invoice(before).due_on == world.day(30)
    sent = world.do(send_invoice, SendInvoice(invoice_id=draft.id)).invoice
    assert sent.due_on == world.day(30)
    world.check()


@pytest.mark.rule(102)
def test_a_customer_has_terms_of_its_own_even_none_at_all(world: World) -> None:
    customer = world.customer()
    edit = EditCustomer(customer_id=customer.id, version=1, code="ACME", name="Acme", due_days=7)
    world.do(edit_customer, edit)
    assert world.invoice(customer, 10).due_on == world.day(7)
    world.do(edit_customer, replace(edit, version=2, due_days=0))
    assert world.invoice(customer, 10).due_on == world.today
    assert world.invoice(customer, 10, due=3).due_on == world.day(3)


@pytest.mark.rule(103)
def test_the_length_of_a_number_excludes_its_prefix(world: World) -> None:
    assert Settings(invoice_series="IA-:7").number("invoice", 275) == "IA-0000275"
    customer = world.customer()
    world.do(change_setting, ChangeSetting(name="invoice_series", value="IA-:7"), by=ADMIN)
    run_sql(world, "UPDATE series SET last = 274 WHERE name = 'invoice'")
    assert world.invoice(customer, 10).number == "IA-0000275"
    run_sql(world, "UPDATE series SET last = 9999998 WHERE name = 'invoice'")
    assert [world.invoice(customer, 10).number for _ in range(2)] == ["IA-9999999", "IA-10000000"]


def test_drafts_previews_and_refusals_use_no_number(world: World) -> None:
    customer = world.customer()
    assert world.invoice(customer, 10).number == "INV-0001"
    draft = world.invoice(customer, 10, send=False)
    assert draft.number is None
    assert draft.label.startswith("DRAFT-")
    shown = world.desk.preview(send_invoice, SendInvoice(invoice_id=draft.id), world.request())
    assert shown.invoice.number == "INV-0002"
    with pytest.raises(NotPositive):
        world.invoice(customer, 0)
    assert world.invoice(customer, 10).number == "INV-0002"
    assert world.do(send_invoice, SendInvoice(invoice_id=draft.id)).invoice.number == "INV-0003"
    world.check()


def test_a_draft_is_owed_by_nobody_until_it_is_sent(world: World) -> None:
    customer = world.customer()
    world.pay(4, customer)
    changed = world.invoiced(customer, 10, send=False)
    assert changed.step is InvoiceStep.DRAFTED
    assert (changed.invoice.status, changed.invoice.open) == ("draft", money(0))
    assert world.read_customer(customer).amount_due == money(-4)
    sent = world.do(send_invoice, SendInvoice(invoice_id=changed.invoice.id))
    assert sent.step is InvoiceStep.SENT
    assert (sent.invoice.status, sent.invoice.open) == ("partially paid", money(6))
    assert world.read_customer(customer).amount_due == money(6)
    assert sent.lines == changed.lines
    world.check()


@pytest.mark.rule(104)
def test_each_line_is_rounded_half_up_and_totals_add_rounded_figures(world: World) -> None:
    customer = world.customer()
    lines = tuple(a_line("0.335", tax_rate=Decimal(9)) for _ in range(3))
    changed = world.do(draft_invoice, a_draft(world, customer.id, *lines, send=True))
    assert [(line.net, line.tax) for line in changed.lines] == [(money("0.34"), money("0.03"))] * 3
    invoice = world.read_invoice(changed.invoice)
    assert (invoice.net, invoice.tax, invoice.total) == (money("1.02"), money("0.09"), money("1.11"))
    world.check()


@pytest.mark.rule(104)
@pytest.mark.parametrize(
    ("code", "price", "rate", "net", "tax"),
    [
        ("IDR", "1000.5", "11", "1001", "110"),
        ("VND", "999.4", "10", "999", "100"),
        ("JPY", "12.5", "10", "13", "1"),
        ("KWD", "1.0005", "5", "1.001", "0.050"),
        ("SGD", "0.125", "9", "0.13", "0.01"),
    ],
)
def test_each_currency_rounds_to_its_own_decimals(
    world: World, code: str, price: str, rate: str, net: str, tax: str
) -> None:
    customer = world.customer("C", of=code)
    changed = world.do(
        draft_invoice, a_draft(world, customer.id, a_line(price, code, tax_rate=Decimal(rate)), send=True)
    )
    invoice = world.read_invoice(changed.invoice)
    assert (invoice.net, invoice.tax) == (money(net, code), money(tax, code))
    assert invoice.total == invoice.net + invoice.tax
    world.check()


def test_quantities_prices_and_rates_come_back_as_they_were_typed(world: World) -> None:
    customer = world.customer()
    line = a_line("0.000125", quantity=Decimal("1200000.5"), tax_rate=Decimal("7.7"))
    changed = world.do(draft_invoice, a_draft(world, customer.id, line, a_line("3", quantity=Decimal(10)), send=True))
    kept = world.store.read(lambda books: books.invoice_file(changed.invoice.id)).lines
    assert (kept[0].quantity, kept[0].unit_price, kept[0].tax_rate) == (line.quantity, line.unit_price, line.tax_rate)
    assert (kept[0].net, kept[0].tax) == (money("150.00"), money("11.55"))
    assert [str(each.quantity) for each in kept] == ["1200000.5", "10"]
    assert [str(each.tax_rate) for each in kept] == ["7.7", "0"]
    world.check()


def test_tax_is_posted_apart_from_revenue(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 100, tax="9")
    rows = ask_sql(world, "SELECT account, amount_micros FROM posting ORDER BY amount_micros")
    assert rows == [("revenue", -100_000_000), ("tax_payable", -9_000_000), ("receivable", 109_000_000)]


def test_what_makes_no_invoice_is_refused_at_its_field(world: World) -> None:
    customer = world.customer()

    def refused(refusal: type[Refused], field: str, says: str, *lines: LineInput, **changes: object) -> None:
        command = a_draft(world, customer.id, *lines, **changes)
        with expect_refusal(world, refusal, field=field, says=says):
            world.do(draft_invoice, command)

    refused(MissingText, "lines", "at least one line", lines=())
    refused(MissingText, "lines", "The description is empty", a_line(description=" "))
    refused(TextTooLong, "lines", "The description has 501", a_line(description="x" * 501))
    refused(TextTooLong, "remark", "501", remark="x" * 501)
    refused(Refused, "lines", "at most 100", *[a_line()] * 101)
    refused(CurrencyMixed, "lines", "not EUR", a_line("10", "EUR"))
    refused(NotPositive, "lines", "price", a_line("0"))
    refused(NotPositive, "lines", "price", a_line("-10"))
    refused(NotPositive, "lines", "total", a_line("0.001"))
    refused(NotPositive, "lines", "quantity", a_line(quantity=Decimal(0)))
    refused(NotPositive, "lines", "quantity", a_line(quantity=Decimal(-1)))
    refused(Refused, "lines", "tax rate", a_line(tax_rate=Decimal("100.1")))
    refused(Refused, "lines", "tax rate", a_line(tax_rate=Decimal(-1)))
    for odd in ("NaN", "Infinity", "1E-7", "1E+30"):
        refused(Refused, "lines", "quantity", a_line(quantity=Decimal(odd)))
        refused(Refused, "lines", "tax rate", a_line(tax_rate=Decimal(odd)))
    refused(DateInFuture, "issue_on", "future", issue_on=world.day(1))
    refused(DateInFuture, "issue_on", "future", issue_on=date.max)
    refused(DateTooEarly, "due_on", "before the issue date", due_on=world.day(-1))
    refused(Refused, "lines", "million million", *[a_line("900000000000")] * 2)
    refused(Refused, "lines", "million million", a_line("900000000000", quantity=Decimal(2)))


def test_an_invoice_is_sent_once(world: World) -> None:
    customer = world.customer()
    draft = world.invoice(customer, 10, send=False)
    world.do(send_invoice, SendInvoice(invoice_id=draft.id))
    with expect_refusal(world, WrongState, says="already"):
        world.do(send_invoice, SendInvoice(invoice_id=draft.id))
    assert world.read_customer(customer).amount_due == money(10)


def test_auto_allocation_is_switched_on_open_invoices_only(world: World) -> None:
    customer = world.customer()
    draft = world.invoice(customer, 10, send=False)
    paid = world.invoice(customer, 10)
    world.pay(10, customer)
    for invoice in (draft, paid):
        with expect_refusal(world, WrongState):
            world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=False))
    with expect_refusal(world, NotFound, field="invoices"):
        world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=1, on=False))
    with expect_refusal(world, NotFound, field="invoices"):
        world.do(send_invoice, SendInvoice(invoice_id=1))


def test_a_closed_customer_takes_no_invoice(world: World) -> None:
    customer = world.customer()
    draft = world.invoice(customer, 10, send=False)
    run_sql(world, "UPDATE customer SET state = 'closed' WHERE id = :id", id=customer.id)
    with expect_refusal(world, CustomerClosed, field="customer"):
        world.invoice(customer, 10)
    with expect_refusal(world, CustomerClosed, field="customer"):
        world.do(send_invoice, SendInvoice(invoice_id=draft.id))
    with expect_refusal(world, NotFound, field="customer"):
        world.do(draft_invoice, a_draft(world, 1))


@pytest.mark.parametrize(
    "change",
    ["total_micros = total_micros + 1, net_micros = net_micros + 1", "due_on = issue_on", "number = 'INV-9'"],
)
def test_the_database_refuses_to_change_a_sent_invoice(world: World, change: str) -> None:
    invoice = world.invoice(world.customer(), 10)
    with pytest.raises(Exception, match="a final invoice does not change"):
        run_sql(world, f"UPDATE invoice SET {change}")
    with pytest.raises(Exception, match="a final invoice stays"):
        run_sql(world, "DELETE FROM invoice")
    with pytest.raises(Exception, match="a final invoice does not change"):
        run_sql(world, "DELETE FROM invoice_line")
    assert world.read_invoice(invoice) == invoice
    world.check()


def test_an_old_draft_is_owed_from_its_issue_date(world: World) -> None:
    customer = world.customer()
    draft = world.invoice(customer, 10, issued=-5, send=False)
    world.now += timedelta(days=2)
    sent = world.do(send_invoice, SendInvoice(invoice_id=draft.id)).invoice
    assert sent.posted_on == sent.issue_on == draft.issue_on
    world.check()


def test_the_largest_amounts_stay_exact(world: World) -> None:
    customer = world.customer()
    largest = "999999999999.99"
    invoice = world.invoice(customer, largest)
    world.pay("999999999999.98", customer)
    assert world.read_invoice(invoice).open == money("0.01")
    world.pay("0.01", customer)
    assert world.read_invoice(invoice).status == "paid"
    assert world.read_customer(customer).amount_due == money(0)
    world.check()


def test_an_account_beyond_what_the_books_keep_is_refused(world: World) -> None:
    customer = world.customer(of="VND")
    for _ in range(8):
        world.invoice(customer, 10**12)
    assert world.read_customer(customer).amount_due == Money(8 * 10**18, customer.currency)
    with expect_refusal(world, Refused, field="amount", says="beyond"):
        world.invoice(customer, 10**12)
