"""Moves over all operations on money, for random histories; what must hold after each of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as some

from bot.desk import SYSTEM
from bot.domain.allocation import Portion
from bot.domain.approvals import Approve, Cancel, Reject, approve_request, cancel_request, reject_request
from bot.domain.credit_note import (
    ApplyNote,
    ApproveNote,
    CopyNote,
    CreditNote,
    DraftNote,
    NoteState,
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
from bot.domain.disputes import OpenDispute, ResolveDispute, open_dispute, resolve_dispute
from bot.domain.errors import Refused
from bot.domain.invoice_changes import DeleteDraft, VoidInvoice, delete_draft, void_invoice
from bot.domain.invoices import DraftInvoice, LineInput, SendInvoice, draft_invoice, send_invoice
from bot.domain.limits import SetLimit, set_limit
from bot.domain.locks import MoveLocks, move_locks
from bot.domain.master_moves import TopUpMaster, top_up_master
from bot.domain.modes import SwitchMode, switch_mode
from bot.domain.month_end import CloseMonth, close_month, month_before
from bot.domain.open_items import Invoice
from bot.domain.operation import Operation
from bot.domain.payment_settings import (
    SetPaymentSettings,
    TopUpMethod,
    set_payment_settings,
    undo_payment_settings,
)
from bot.domain.payments import (
    AllocatePayment,
    Method,
    Payment,
    RecordPayment,
    UnallocatePayment,
    UnassignPayment,
    allocate_payment,
    record_payment,
    unallocate_payment,
    unassign_payment,
)
from bot.domain.ports import Page
from bot.domain.proformas import ProvisionProforma, provision_proforma
from bot.domain.promises import LogPromise, log_promise
from bot.domain.refunds import RefundUsage, refund_usage
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from bot.domain.undoing import undone_with
from bot.domain.usage import ChargeUsage, UsageLine, charge_usage
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from bot.domain.withdrawals import Gateway, PayWithdrawal, RequestWithdrawal, pay_withdrawal, request_withdrawal
from bot.domain.write_off import RequestWriteOff, UndoWriteOff, WriteOff, WriteOffState
from bot.domain.write_offs import request_write_off, undo_write_off
from bot.jobs.topups import watch_top_ups
from bot.storage.reports import SqlReadBooks
from tests.domain.expect import ask_sql, everything
from tests.domain.invoice_stages import PROFORMA, TOP_UP
from tests.domain.samples import all_operations
from tests.world import ADMIN, CLERK, MANAGER, OWNER, World, money

ThingT = TypeVar("ThingT")
ALL = Page(limit=200)
REVERSALS = {each.name: each for each in all_operations()}
CAPS = {"top_up_most": 24, "top_up_monthly": 60, "top_up_daily": 30}


@dataclass(frozen=True)
class Move:
    """One thing to try; its choices are numbers taken modulo what there is."""

    kind: str
    one: int
    two: int
    amount: int
    back: int


class NothingThereError(Exception):
    """A move found nothing to act on."""


def one_of(things: Sequence[ThingT], number: int) -> ThingT:
    if not things:
        raise NothingThereError
    return things[-1 - number % len(things)]


class Desk:
    """Tries moves; each is done whole, or refused with nothing changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.customer("PRE", mode=Mode.PREPAID)
        world.customer("POST")
        for code, amount in (("PRE", 50), ("POST", 80)):
            command = SetLimit(customer_id=self.named(code).id, amount=money(amount))
            world.do(set_limit, command, by=MANAGER)
        world.do(top_up_master, TopUpMaster(amount=money(500), paid_on=world.day(-9)), by=MANAGER)
        for name, value in CAPS.items():
            world.do(change_setting, ChangeSetting(name=name, value=str(value)), by=OWNER)
        self.fresh: list[tuple[str, int]] = []
        self.used = 0
        self.locked: tuple[date, int] | None = None  # the hard lock, and the newest entry when it was set

    def named(self, code: str) -> Customer:
        return self.world.store.read(lambda books: books.find_customers(code)[0])

    def customer(self, number: int) -> Customer:
        return self.named(("PRE", "POST")[number % 2])

    def ask(self, question: Callable[[SqlReadBooks], ThingT]) -> ThingT:
        return self.world.store.read(question)

    def invoices(self) -> list[Invoice]:
        return [line.invoice for line in self.ask(lambda books: list(books.list_invoices(ALL)))]

    def payments(self) -> list[Payment]:
        return [line.payment for line in self.ask(lambda books: list(books.list_payments(ALL)))]

    def notes(self, *states: NoteState) -> list[CreditNote]:
        return [note for note, _ in self.ask(lambda books: books.list_notes(ALL)) if note.state in states]

    def do(self, operation: Operation[Any, Any], command: Any, *, by: str = CLERK, undo_by: str = "") -> None:
        outcome = self.world.do(operation, command, by=by)
        if undo_by:
            self.fresh.append((undo_by, outcome.operation_id))

    def take(self, move: Move) -> bool:
        before = everything(self.world)
        try:
            getattr(self, move.kind)(move)
        except (NothingThereError, Refused):
            assert everything(self.world) == before, move
            return False
        return True

    # --- moves --------------------------------------------------------------------------------------------------------

    def invoice(self, move: Move) -> None:
        line = LineInput(description="x", unit_price=money(move.amount * 3), tax_rate=Decimal(9 * (move.two % 2)))
        customer = self.customer(move.one)
        day = self.world.day(-move.back)
        auto = move.amount % 3 != 0
        self.do(
            draft_invoice,
            DraftInvoice(customer_id=customer.id, lines=(line,), issue_on=day, auto_allocate=auto, send=True),
        )

    def ask_for(self, move: Move) -> None:
        kind = TOP_UP if move.two % 2 else PROFORMA
        line = LineInput(
            description="x",
            unit_price=money(move.amount * 3),
            tax_rate=Decimal(0 if kind is TOP_UP else 9 * (move.back % 2)),
            cost=money(move.amount) if kind is PROFORMA and move.back % 3 else None,
        )
        command = DraftInvoice(
            customer_id=self.customer(move.one).id,
            lines=(line,),
            issue_on=self.world.day(-move.back),
            send=move.amount % 4 != 0,
            kind=kind,
        )
        self.do(draft_invoice, command, undo_by="its own" if command.send else "")

    def asked_step(self, move: Move) -> None:
        asked = [each for each in self.invoices() if not each.is_owed]
        invoice = one_of(asked, move.one)
        if move.two % 5 == 0:
            self.do(void_invoice, VoidInvoice(invoice_id=invoice.id))
        elif move.two % 5 == 1 and move.back % 2:
            self.do(delete_draft, DeleteDraft(invoice_id=invoice.id))
        elif move.two % 5 == 1:
            self.do(send_invoice, SendInvoice(invoice_id=invoice.id), undo_by="its own")
        elif move.two % 5 == 2:  # any invoice, so that the matches of those that were provisioned are tried too
            any_of_them = one_of(self.invoices(), move.amount)
            payment = one_of(self.payments(), move.back)
            self.do(
                unallocate_payment,
                UnallocatePayment(payment_id=payment.id, invoice_ids=(any_of_them.id,)),
                undo_by="payment",
            )
        elif move.two % 5 == 3:
            self.do(provision_proforma, ProvisionProforma(invoice_id=invoice.id))
        else:
            self.allocate(move, invoice)

    def allocate(self, move: Move, invoice: Invoice) -> None:
        payment = one_of([each for each in self.payments() if each.customer_id == invoice.customer_id], move.back)
        part = money(move.amount) if invoice.kind is PROFORMA and move.amount % 2 else None
        portion = Portion(invoice_id=invoice.id, amount=part)
        command = AllocatePayment(payment_id=payment.id, portions=(portion,))
        self.do(allocate_payment, command, undo_by="payment")

    def pay(self, move: Move) -> None:
        method = Method.PLATFORM if move.two % 4 == 0 else Method.BANK_TRANSFER
        command = RecordPayment(
            payer="Somebody",
            amount=money(move.amount * 5),
            received_on=self.world.day(-move.back),
            method=method,
            customer_id=self.customer(move.one).id,
        )
        self.do(record_payment, command, undo_by="payment")

    def unallocate(self, move: Move) -> None:
        payment = one_of(self.payments(), move.one)
        self.do(unallocate_payment, UnallocatePayment(payment_id=payment.id), undo_by="payment")

    def unassign(self, move: Move) -> None:
        payment = one_of(self.payments(), move.one)
        self.do(unassign_payment, UnassignPayment(payment_id=payment.id), undo_by="payment")

    def issue(self, move: Move) -> None:
        command = IssueCredit(
            customer_id=self.customer(move.one).id,
            amount=money(move.amount * 2),
            purpose=list(Purpose)[move.two % 3],
            remark="x",
        )
        self.do(issue_credit, command, by=MANAGER, undo_by="credit")

    def take_back(self, move: Move) -> None:
        command = TakeBackCredit(customer_id=self.customer(move.one).id, amount=money(move.amount), remark="x")
        self.do(take_back_credit, command, by=MANAGER, undo_by="credit")

    def pay_out(self, move: Move) -> None:
        command = PayOutAtPlatform(customer_id=self.customer(move.one).id, amount=money(move.amount), reference="p")
        self.do(pay_out_at_platform, command, by=MANAGER)

    def use(self, move: Move) -> None:
        self.used += 1
        line = UsageLine(
            external_id=f"U-{self.used}",
            used_on=self.world.day(-move.back),
            product="Calls",
            net=money(f"{move.amount}.123457"),
            tax_rate=Decimal(9 * (move.two % 2)),
            cost=money(f"0.{move.amount}"),
        )
        self.do(charge_usage, ChargeUsage(customer_id=self.customer(move.one).id, lines=(line,)))

    def bill(self, move: Move) -> None:
        command = InvoiceUsage(customer_id=self.customer(move.one).id, through=self.world.day(-move.back))
        self.do(invoice_usage, command)

    def month_end(self, move: Move) -> None:
        month = month_before(self.world.today)
        self.do(close_month, CloseMonth(customer_id=self.customer(move.one).id, month=month), by=SYSTEM)

    def refund(self, move: Move) -> None:
        of = f"U-{1 + move.two % max(1, self.used)}" if move.back % 4 else ""
        command = RefundUsage(
            customer_id=self.customer(move.one).id, amount=money(move.amount), remark="x", external_id=of
        )
        self.do(refund_usage, command, by=MANAGER)

    def withdraw(self, move: Move) -> None:
        command = RequestWithdrawal(
            customer_id=self.customer(move.one).id, amount=money(move.amount * 2), gateway=Gateway.CASH, reason="x"
        )
        self.do(request_withdrawal, command, undo_by="its own")

    def decide(self, move: Move) -> None:
        waiting = one_of(self.ask(lambda books: books.waiting_approvals()), move.one)
        if move.two % 4 == 0:
            self.do(cancel_request, Cancel(approval_id=waiting.id))
        elif move.two % 4 == 1:
            self.do(reject_request, Reject(approval_id=waiting.id, version=1, reason="x"), by=OWNER)
        else:
            self.do(approve_request, Approve(approval_id=waiting.id, version=1), by=OWNER)

    def paid_out(self, move: Move) -> None:
        made = [each for each, _ in self.ask(lambda books: books.list_withdrawals(ALL)) if each.state == "approved"]
        self.do(pay_withdrawal, PayWithdrawal(withdrawal_id=one_of(made, move.one).id, reference="FT-1"))

    def note(self, move: Move) -> None:
        customer = self.customer(move.one)
        mine = [each for each in self.invoices() if each.customer_id == customer.id]
        invoice = one_of(mine, move.two) if move.back % 3 else None
        line = LineInput(description="x", unit_price=money(move.amount), tax_rate=Decimal(9))
        command = DraftNote(
            customer_id=customer.id,
            issue_on=self.world.today,
            code=ReasonCode.DISCOUNT,
            reason="",
            lines=() if invoice is not None else (line,),
            invoice_id=invoice.id if invoice is not None else None,
            amount=None if move.amount == 9 else money(move.amount) if invoice is not None else None,
        )
        self.do(draft_note, command)

    def note_step(self, move: Move) -> None:
        if move.two % 5 == 0:
            source = one_of(self.notes(NoteState.SENT), move.one)
            self.do(copy_note, CopyNote(note_id=source.id, issue_on=self.world.today))
        elif move.two % 5 == 1:
            self.do(approve_note, ApproveNote(note_id=one_of(self.notes(NoteState.DRAFT), move.one).id), by=MANAGER)
        elif move.two % 5 == 2:
            note = one_of(self.notes(NoteState.SENT), move.one)
            invoice = one_of([each for each in self.invoices() if each.open], move.back)
            part = None if move.amount > 5 else money(move.amount)
            self.do(apply_note, ApplyNote(note_id=note.id, portions=((invoice.id, part),)), undo_by="its own")
        elif move.two % 5 == 3:
            note = one_of(self.notes(NoteState.SENT), move.one)
            self.do(unapply_note, UnapplyNote(note_id=note.id), undo_by="its own")
        else:
            note = one_of(self.notes(NoteState.SENT, NoteState.DRAFT), move.one)
            self.do(void_note, VoidNote(note_id=note.id, reason="x"), by=MANAGER)

    def give_up(self, move: Move) -> None:
        if move.two % 3 == 0:
            written = [each for invoice in self.invoices() for each in self.written_off(invoice)]
            command = UndoWriteOff(write_off_id=one_of(written, move.one).id, reason="x")
            self.do(undo_write_off, command, by=MANAGER)
            return
        part = money(move.amount) if move.two % 2 else None
        invoice = one_of(self.invoices(), move.one)
        self.do(request_write_off, RequestWriteOff(invoice_id=invoice.id, reason="x", amount=part))

    def written_off(self, invoice: Invoice) -> list[WriteOff]:
        file = self.ask(lambda books: books.invoice_file(invoice.id))
        return [each for each in file.write_offs if each.state is WriteOffState.MADE]

    def hold(self, move: Move) -> None:
        invoice = one_of(self.invoices(), move.one)
        if invoice.disputed:
            self.do(resolve_dispute, ResolveDispute(invoice_id=invoice.id, reason="x"))
        elif move.two % 2:
            self.do(open_dispute, OpenDispute(invoice_id=invoice.id, reason="x"))
        else:
            day = self.world.day(move.back)
            self.do(log_promise, LogPromise(customer_id=invoice.customer_id, invoice_id=invoice.id, promised_on=day))

    def limit(self, move: Move) -> None:
        days = move.back or None
        amount = money(move.amount * (9 if move.two % 3 else 900))
        command = SetLimit(customer_id=self.customer(move.one).id, amount=amount, days=days, reason="x")
        self.do(set_limit, command, by=MANAGER, undo_by="its own")

    def switch(self, move: Move) -> None:
        customer = self.customer(move.one)
        other = Mode.PREPAID if customer.mode is Mode.POSTPAID else Mode.POSTPAID
        command = SwitchMode(customer_id=customer.id, mode=other, limit=money(50) if move.two % 2 else None)
        assets = customer.controls
        self.do(switch_mode, command, by=MANAGER, undo_by="its own")
        assert self.customer(move.one).controls == assets

    def rule(self, move: Move) -> None:
        command = SetPaymentSettings(
            customer_id=self.customer(move.one).id,
            method=(TopUpMethod.MASTER, TopUpMethod.CHEQUE)[move.two % 2],
            amount=money(move.amount * 4),
            threshold=money(move.back * 9),
            auto=move.two != 9,
        )
        self.do(set_payment_settings, command, by=MANAGER, undo_by="settings")

    def look(self, move: Move) -> None:
        self.world.now += timedelta(hours=move.back * 4, minutes=10)
        watch_top_ups(self.world.desk, self.world.now)

    def undo(self, move: Move) -> None:
        kind, operation_id = one_of(self.fresh, move.one % 3)
        if kind == "its own":
            name, document = self.ask(lambda books: books.made_by(operation_id))
            self.do(REVERSALS[undone_with(name, document)], Undo(operation_id=operation_id), by=OWNER)
        elif kind == "settings":
            self.do(undo_payment_settings, Undo(operation_id=operation_id), by=MANAGER)
        elif kind == "credit":
            self.do(undo_credit, Undo(operation_id=operation_id), by=MANAGER)
        else:
            self.do(undo, Undo(operation_id=operation_id))

    def lock(self, move: Move) -> None:
        hard = self.world.day(-5 - move.back)
        self.do(move_locks, MoveLocks(soft=None, hard=hard), by=ADMIN)
        self.locked = (hard, ask_sql(self.world, "SELECT MAX(id) FROM entry")[0][0])

    def clock(self, move: Move) -> None:
        self.world.now += timedelta(days=move.one % 3, minutes=move.amount)

    # --- what holds after each move -----------------------------------------------------------------------------------

    def check_after(self, move: Move) -> None:
        """The books prove themselves, and what no single figure of theirs shows holds as well."""
        self.world.check()
        self.check_brakes()
        self.check_lock()
        if move.kind in {"use", "withdraw"}:
            assert self.customer(move.one).usable(self.world.now) >= money(0), move

    def check_lock(self) -> None:
        """Nothing that was written since a hard lock is dated on its days."""
        if self.locked is not None:
            hard, last = self.locked
            later = "SELECT COUNT(*) FROM entry WHERE id > :last AND effective_on <= :hard"
            assert ask_sql(self.world, later, last=last, hard=hard) == [(0,)]

    def check_brakes(self) -> None:
        """At most one automatic top-up is open a customer, one is made a day, and no cap is passed."""
        made = ask_sql(
            self.world, "SELECT customer_id, day, amount_micros, currency FROM top_up_attempt WHERE code = 'done'"
        )
        waiting = ask_sql(
            self.world, "SELECT customer_id FROM invoice WHERE automatic AND kind = 'top_up' AND open_micros > 0"
        )
        assert len(set(waiting)) == len(waiting)
        days, months = Counter[str](), Counter[tuple[int, str]]()
        for customer_id, day, micros, _ in made:
            assert micros <= money(CAPS["top_up_most"]).micros
            days[str(day)] += micros
            months[customer_id, str(day)[:7]] += micros
        assert len({(customer_id, str(day)) for customer_id, day, _, _ in made}) == len(made)
        assert max(days.values(), default=0) <= money(CAPS["top_up_daily"]).micros
        assert max(months.values(), default=0) <= money(CAPS["top_up_monthly"]).micros


KINDS = (
    ("invoice", "pay", "use", "asked_step") * 3
    + ("ask_for",) * 2
    + ("note", "note_step") * 2
    + ("issue", "take_back", "pay_out", "refund", "withdraw", "decide", "paid_out", "undo")
    + ("bill", "month_end", "month_end", "note_step", "unallocate", "unassign", "limit", "switch", "clock")
    + ("give_up", "give_up", "decide", "hold")
    + ("rule", "rule", "look", "lock")
)


def any_of(kinds: Sequence[str]) -> some.SearchStrategy[Move]:
    """A move of one of some kinds."""
    return some.builds(
        Move,
        kind=some.sampled_from(kinds),
        one=some.integers(0, 5),
        two=some.integers(0, 9),
        amount=some.integers(1, 9),
        back=some.integers(0, 6),
    )


ANY = any_of(KINDS)
