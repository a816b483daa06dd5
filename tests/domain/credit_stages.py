"""One way to carry out each operation on credit and the master account."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.desk import SYSTEM
from bot.domain.credit_note import (
    ApplyNote,
    ApproveNote,
    CopyNote,
    CreditNote,
    DraftNote,
    ReasonCode,
    UnapplyNote,
    VoidNote,
)
from bot.domain.credit_notes import apply_note, approve_note, copy_note, draft_note, unapply_note, void_note
from bot.domain.credit_undo import undo_credit
from bot.domain.credits import (
    IssueCredit,
    PayOutAtPlatform,
    Purpose,
    TakeBackCredit,
    issue_credit,
    pay_out_at_platform,
    take_back_credit,
)
from bot.domain.customers import Customer, Mode
from bot.domain.invoices import LineInput
from bot.domain.limits import ExtendLimit, SetLimit, extend_limit, set_limit
from bot.domain.master_moves import SetMasterLimit, TopUpMaster, set_master_limit, top_up_master
from bot.domain.modes import SwitchMode, switch_mode
from bot.domain.month_end import CloseMonth, close_month, last_day, month_before
from bot.domain.note_undo import undo_note
from bot.domain.ports import Page
from bot.domain.refunds import RefundUsage, refund_usage
from bot.domain.terms_undo import undo_limit, undo_mode
from bot.domain.undo import Undo
from bot.domain.usage import ChargeUsage, ImportUsage, charge_usage, import_usage
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from tests.domain.usage_steps import charge, limited, refund, used
from tests.world import CLERK, MANAGER, World, money

Staged = tuple[Any, Any, str]


def issuing(world: World) -> IssueCredit:
    customer = world.customer()
    topped_up(world)
    world.invoice(customer, 7, tax="9")
    return IssueCredit(customer_id=customer.id, amount=money(30), purpose=Purpose.GOODWILL, remark="Zoë was late")


def topped_up(world: World) -> None:
    world.do(top_up_master, topping_up(world), by=MANAGER)


def topping_up(world: World) -> TopUpMaster:
    return TopUpMaster(amount=money(5000), paid_on=world.today, reference="WIRE-1")


def taking_back(world: World) -> TakeBackCredit:
    issued = world.do(issue_credit, issuing(world), by=MANAGER)
    return TakeBackCredit(customer_id=issued.credit.customer_id, amount=money(5), remark="Given twice")


def undoing(world: World) -> Undo:
    return Undo(operation_id=world.do(issue_credit, issuing(world), by=MANAGER).operation_id)


def paying_out(world: World) -> PayOutAtPlatform:
    customer = world.customer()
    topped_up(world)
    world.pay(50, customer)
    return PayOutAtPlatform(customer_id=customer.id, amount=money(20), reference="po_1")


def limiting(world: World) -> SetMasterLimit:
    topped_up(world)
    return SetMasterLimit(limit=money(50))


def charging(world: World) -> ChargeUsage:
    customer = world.customer(mode=Mode.PREPAID)
    topped_up(world)
    world.pay(50, customer)
    return ChargeUsage(customer_id=customer.id, lines=(used("3.333333", world.today, tax="9", cost=1, line_id="Zoë"),))


def refunding(world: World) -> RefundUsage:
    command = charging(world)
    world.do(charge_usage, command)
    return RefundUsage(
        customer_id=command.customer_id, amount=money(2), remark="Dropped", external_id="Zoë", cost=money("0.5")
    )


def vars_of(command: ChargeUsage) -> dict[str, Any]:
    return {"customer_id": command.customer_id, "lines": command.lines}


def limiting_customer(world: World) -> SetLimit:
    return SetLimit(customer_id=world.customer(mode=Mode.PREPAID).id, amount=money(500), days=14)


def extending(world: World) -> ExtendLimit:
    command = limiting_customer(world)
    world.do(set_limit, command, by=MANAGER)
    return ExtendLimit(customer_id=command.customer_id, days=7)


def switching(world: World) -> SwitchMode:
    return SwitchMode(customer_id=world.customer().id, mode=Mode.PREPAID, limit=money(20))


def noting(world: World) -> DraftNote:
    invoice = world.invoice(world.customer(), 40, tax="9", auto=False)
    return DraftNote(
        customer_id=invoice.customer_id,
        issue_on=world.today,
        code=ReasonCode.DISCOUNT,
        reason="Zoë agreed",
        invoice_id=invoice.id,
        amount=money("10.90"),
    )


def approving(world: World) -> ApproveNote:
    return ApproveNote(note_id=world.do(draft_note, noting(world)).note.id)


def noted(world: World) -> CreditNote:
    draft = world.do(draft_note, noting(world)).note
    return world.do(approve_note, ApproveNote(note_id=draft.id), by=MANAGER).note


def applying(world: World) -> ApplyNote:
    note = noted(world)
    return ApplyNote(note_id=note.id, portions=((note.invoice_id or 0, money(5)),))


def taking_off(world: World) -> UnapplyNote:
    command = applying(world)
    world.do(apply_note, command)
    return UnapplyNote(note_id=command.note_id)


def invoicing(world: World) -> InvoiceUsage:
    customer = limited(world, 50, mode=Mode.POSTPAID)
    charge(world, customer, "3.333333", tax="9")
    return InvoiceUsage(customer_id=customer.id, through=world.today)


def closing(world: World, code: str = "ACME") -> CloseMonth:
    """Usage of the month before that credit paid in part."""
    customer = limited(world, 50, code=code)
    month = month_before(world.today)
    world.pay(4, customer)
    line = used("3.333333", last_day(month), tax="9", line_id="BELOW-1")
    later = used("7.777777", last_day(month), line_id="BELOW-2")
    world.do(charge_usage, ChargeUsage(customer_id=customer.id, lines=(line, later)))
    return CloseMonth(customer_id=customer.id, month=month)


def undo_of(world: World, staged: tuple[Any, Any], by: str = MANAGER) -> Undo:
    operation, command = staged
    return Undo(operation_id=world.do(operation, command, by=by).operation_id)


CREDIT_STAGES: dict[str, Callable[[World], Staged]] = {
    "issue_credit": lambda world: (issue_credit, issuing(world), MANAGER),
    "take_back_credit": lambda world: (take_back_credit, taking_back(world), MANAGER),
    "undo_credit": lambda world: (undo_credit, undoing(world), MANAGER),
    "pay_out_at_platform": lambda world: (pay_out_at_platform, paying_out(world), MANAGER),
    "top_up_master": lambda world: (top_up_master, topping_up(world), MANAGER),
    "charge_usage": lambda world: (charge_usage, charging(world), CLERK),
    "import_usage": lambda world: (import_usage, ImportUsage(**vars_of(charging(world))), SYSTEM),
    "refund_usage": lambda world: (refund_usage, refunding(world), MANAGER),
    "set_limit": lambda world: (set_limit, limiting_customer(world), MANAGER),
    "extend_limit": lambda world: (extend_limit, extending(world), MANAGER),
    "switch_mode": lambda world: (switch_mode, switching(world), MANAGER),
    "undo_limit": lambda world: (undo_limit, undo_of(world, (set_limit, limiting_customer(world))), MANAGER),
    "undo_mode": lambda world: (undo_mode, undo_of(world, (switch_mode, switching(world))), MANAGER),
    "undo_note": lambda world: (undo_note, undo_of(world, (apply_note, applying(world))), CLERK),
    "draft_note": lambda world: (draft_note, noting(world), CLERK),
    "copy_note": lambda world: (copy_note, CopyNote(note_id=noted(world).id, issue_on=world.today), CLERK),
    "approve_note": lambda world: (approve_note, approving(world), MANAGER),
    "apply_note": lambda world: (apply_note, applying(world), CLERK),
    "unapply_note": lambda world: (unapply_note, taking_off(world), CLERK),
    "void_note": lambda world: (void_note, VoidNote(note_id=noted(world).id, reason="Twice"), MANAGER),
    "invoice_usage": lambda world: (invoice_usage, invoicing(world), CLERK),
    "close_month": lambda world: (close_month, closing(world), SYSTEM),
    "set_master_limit": lambda world: (set_master_limit, limiting(world), MANAGER),
}


def credited(world: World, customer: Customer) -> None:
    """A master account, credit issued and taken back, and credit that the platform paid out."""
    topped_up(world)
    for purpose in (Purpose.COMMISSION, Purpose.GOODWILL):
        given = IssueCredit(customer_id=customer.id, amount=money(30), purpose=purpose, remark="Late")
        world.do(issue_credit, given, by=MANAGER)
    taken = TakeBackCredit(customer_id=customer.id, amount=money(5), remark="Given twice")
    world.do(take_back_credit, taken, by=MANAGER)
    paid = PayOutAtPlatform(customer_id=customer.id, amount=money(10), reference="po_1")
    world.do(pay_out_at_platform, paid, by=MANAGER)


def credited_by_notes(world: World) -> None:
    """A note of an invoice, applied in part and back in part; one that others approved; one void."""
    customer = world.customer("NOTED")
    invoice = world.invoice(customer, 100, tax="9", auto=False)
    given = DraftNote(
        customer_id=customer.id, issue_on=world.today, code=ReasonCode.DISCOUNT, reason="", invoice_id=invoice.id
    )
    for amount in ("10.90", "21.80", "5.45"):
        draft = world.do(draft_note, replace(given, amount=money(amount))).note
        world.do(approve_note, ApproveNote(note_id=draft.id), by=MANAGER)
    first, second, third = reversed(world.store.read(lambda books: books.list_notes(Page(limit=3))))
    world.do(apply_note, ApplyNote(note_id=first[0].id, portions=((invoice.id, money(4)),)))
    world.do(apply_note, ApplyNote(note_id=second[0].id, portions=((invoice.id, None),)))
    world.do(unapply_note, UnapplyNote(note_id=first[0].id))
    world.do(void_note, VoidNote(note_id=third[0].id, reason="Twice"), by=MANAGER)
    large = LineInput(description="Ended", unit_price=money(2000))
    world.do(draft_note, replace(given, invoice_id=None, lines=(large,)))


def consumed(world: World) -> None:
    """Usage of a prepaid and of a postpaid customer, paid and open, and refunds of both."""
    prepaid, postpaid = limited(world, 50, code="PRE"), limited(world, 50, mode=Mode.POSTPAID, code="POST")
    world.pay(20, prepaid)
    world.do(switch_mode, SwitchMode(customer_id=world.customer("MODE").id, mode=Mode.PREPAID), by=MANAGER)
    for customer in (prepaid, postpaid):
        charge(world, customer, 30, tax="9", cost=1, line_id=f"{customer.code}-1")
        refund(world, customer, 5, of=f"{customer.code}-1", cost="0.5")
    billed = limited(world, 50, mode=Mode.POSTPAID, code="BILLED")
    charge(world, billed, "3.333333", tax="9")
    world.do(invoice_usage, InvoiceUsage(customer_id=billed.id, through=world.today))


def invoiced_by_month(world: World) -> None:
    """A summary of prepaid usage, part of it open, and a month below zero that gave credit."""
    world.do(close_month, closing(world, "BELOW"), by=SYSTEM)
    below = limited(world, 50, mode=Mode.POSTPAID, code="MINUS")
    charge(world, below, 30, tax="9", line_id="MINUS-1")
    world.do(invoice_usage, InvoiceUsage(customer_id=below.id, through=world.today))
    world.pay("32.70", below)
    refund(world, below, "10.90", of="MINUS-1")
    world.do(invoice_usage, InvoiceUsage(customer_id=below.id, through=world.today))
