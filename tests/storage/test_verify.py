"""The proof of the books finds each fault it is for, and names the row; behind every guard's back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, String, create_engine, make_url, text

from bot.domain.payments import UnallocatePayment, UnassignPayment, unallocate_payment, unassign_payment
from bot.domain.ports import Finding
from bot.storage import guards, verify
from bot.storage.tables import metadata
from tests.domain.approval_stages import limit_approved
from tests.domain.credit_stages import consumed, credited, credited_by_notes, invoiced_by_month
from tests.domain.dispute_stages import disputed_promised_and_given_up
from tests.domain.invoice_stages import asked_of_all_kinds
from tests.domain.top_up_stages import topped_up
from tests.jobs.reminding import reminded
from tests.world import World, withdraw

ONE_POSTING = "(SELECT MIN(id) FROM posting)"
LAST_AUDIT = "(SELECT MAX(id) FROM audit)"


@dataclass(frozen=True)
class Fault:
    """What somebody does to the rows, and what the finding must name."""

    names: str
    statement: str


FAULTS: dict[str, Fault] = {
    "entry balances": Fault("entry", f"UPDATE posting SET amount_micros = amount_micros + 1 WHERE id = {ONE_POSTING}"),
    "posting has an entry": Fault("posting", f"UPDATE posting SET entry_id = 1 WHERE id = {ONE_POSTING}"),
    **{
        f"{account} of a customer": Fault(
            "customer ACME", f"UPDATE customer SET {account}_micros = {account}_micros + 1 WHERE code = 'ACME'"
        )
        for account in ("deposits", "advances", "credit_notes", "receivable", "unbilled", "payouts_due")
    },
    "deposits equal open lots": Fault("ACME", "UPDATE lot SET open_micros = open_micros - 1 WHERE number = 'PAY-0001'"),
    "receivable equals open items": Fault(
        "ACME", "UPDATE invoice SET open_micros = open_micros + 1 WHERE number = 'INV-0001'"
    ),
    "held credit equals open holds": Fault("PAY-0005", "UPDATE lot SET held_micros = 1 WHERE number = 'PAY-0005'"),
    "a hold has its open request": Fault("WDR-0001", "UPDATE hold SET amount_micros = 1 WHERE document = 'WDR-0001'"),
    "a request has its hold": Fault("WDR-0001", "DELETE FROM hold WHERE document = 'WDR-0001'"),
    "a withdrawal is as its approval": Fault(
        "WDR-0001", "UPDATE approval SET amount_micros = 1 WHERE label = 'WDR-0001'"
    ),
    "executed once when approved": Fault("WDR-0001", "DELETE FROM approval_execution"),
    "approved by enough others": Fault("WDR-0001", "DELETE FROM approval_vote"),
    "nobody approved an own request": Fault("WDR-0001", "UPDATE approval_vote SET person = 'U0CLERK'"),
    "withdrawn is what was approved": Fault("WDR-0001", "UPDATE withdrawn SET amount_micros = amount_micros - 1"),
    "payouts due are approved and not paid": Fault(
        "ACME", "UPDATE withdrawal SET state = 'paid', paid_on = executed_on WHERE number = 'WDR-0001'"
    ),
    "an invoice reached what was sent of it": Fault("invoice INV-", "UPDATE reminder_reached SET times = times + 1"),
    "a customer was written to when a message was sent": Fault("customer LATE", "DELETE FROM reminder_contact"),
    "a reminder is of one customer": Fault(
        "message", "UPDATE reminder_message SET customer_id = (SELECT id FROM customer WHERE code = 'ACME')"
    ),
    "withdrawal numbers have no hole": Fault(
        "withdrawal", "UPDATE series SET last = last + 1 WHERE name = 'withdrawal'"
    ),
    "reserved equals holds": Fault("ACME", "UPDATE customer SET reserved_micros = 1 WHERE code = 'ACME'"),
    "lot open amount": Fault("PAY-0001", "UPDATE lot SET open_micros = open_micros - 1 WHERE number = 'PAY-0001'"),
    "invoice open amount": Fault(
        "INV-0001", "UPDATE invoice SET open_micros = open_micros - 1 WHERE number = 'INV-0001'"
    ),
    "invoice lines add up": Fault("INV-0001", "UPDATE invoice_line SET net_micros = net_micros + 1"),
    "allocation joins one customer": Fault(
        "allocation", "UPDATE allocation SET customer_id = (SELECT id FROM customer WHERE code = 'OTHER')"
    ),
    "allocation matches its entry": Fault(
        "allocation",
        "UPDATE entry SET effective_on = '2026-11-02' WHERE id = (SELECT MIN(entry_id) FROM allocation)",
    ),
    "lot opened and closed as its payment was assigned": Fault(
        "PAY-0001", "UPDATE lot SET opened_on = '2026-11-02' WHERE number = 'PAY-0001'"
    ),
    "payment waits since it was taken back": Fault(
        "PAY-0002", "UPDATE payment SET suspense_on = '2026-01-01' WHERE number = 'PAY-0002'"
    ),
    "lot knows how long its money waited": Fault("PAY-0001", "UPDATE lot SET suspense_on = '2026-01-01'"),
    "invoice never over-allocated": Fault(
        "INV-0001", "UPDATE allocation SET effective_on = '2026-01-01' WHERE reverses_id IS NOT NULL"
    ),
    "lot never over-allocated": Fault(
        "PAY-0001", "UPDATE allocation SET effective_on = '2026-01-01' WHERE reverses_id IS NOT NULL"
    ),
    "suspense equals unassigned payments": Fault(
        "SGD", "UPDATE payment SET amount_micros = amount_micros + 1 WHERE number = 'PAY-0002'"
    ),
    "cash equals payments and withdrawals": Fault(
        "SGD by bank transfer", "UPDATE payment SET method = 'cash' WHERE number = 'PAY-0002'"
    ),
    "revenue equals what was sold": Fault(
        "SGD", "UPDATE invoice SET net_micros = net_micros + 1, tax_micros = tax_micros - 1"
    ),
    "tax_payable equals what was sold": Fault(
        "SGD", "UPDATE posting SET account = 'rounding' WHERE account = 'tax_payable'"
    ),
    "payment and lot are a pair": Fault("PAY-0001", "UPDATE payment SET lot_id = lot_id + 1 WHERE number = 'PAY-0001'"),
    "edits are counted": Fault("PAY-0003", "UPDATE payment SET edits = 1 WHERE number = 'PAY-0003'"),
    "proofs are counted": Fault("PAY-0003", "UPDATE payment SET proofs = 1 WHERE number = 'PAY-0003'"),
    "payment numbers have no hole": Fault("payment", "DELETE FROM payment WHERE number = 'PAY-0002'"),
    "invoice numbers have no hole": Fault("invoice", "UPDATE series SET last = last + 1 WHERE name = 'invoice'"),
    "tax_unbilled equals usage not invoiced": Fault(
        "SGD", "UPDATE posting SET account = 'rounding' WHERE account = 'tax_unbilled'"
    ),
    "unbilled equals usage not invoiced": Fault("POST", "DELETE FROM charge WHERE external_id = 'POST-1'"),
    "what is unbilled of a month": Fault("POST", "UPDATE customer SET month_micros = month_micros + 1"),
    "an invoice of usage is its charges": Fault("INV-", "UPDATE charge SET net_micros = net_micros + 1"),
    "rounding is that of usage": Fault("SGD", "UPDATE invoice SET usage_net_micros = usage_net_micros + 1"),
    "a charge is on an invoice of its mode": Fault("BELOW-1", "UPDATE invoice SET usage_through = '2026-01-01'"),
    "an invoice of usage has its lines": Fault("INV-", "UPDATE invoice SET usage_lines = usage_lines + 1"),
    "a summary has the days of its charges": Fault("usage", "UPDATE usage_day SET moved_micros = 0, moved_on = NULL"),
    "a negative invoice gave its credit": Fault("INV-", "UPDATE lot SET invoice_id = NULL"),
    "cost equals usage": Fault("SGD", "UPDATE charge SET cost_micros = cost_micros + 1"),
    "a day of usage is its charges": Fault("usage", "UPDATE usage_day SET total_micros = total_micros + 1"),
    "usage never over-allocated": Fault("usage", "UPDATE usage_day SET total_micros = 1"),
    "a charge is as its entry": Fault("PRE-1", "UPDATE charge SET posted_on = '2026-01-01'"),
    "a refund has its usage": Fault("CRD-0005", "UPDATE usage_refund SET net_micros = net_micros + 1"),
    "never refunded more than charged": Fault("PRE-1", "UPDATE charge SET net_micros = 1"),
    "credit_notes equal open notes": Fault("NOTED", "UPDATE credit_note SET open_micros = 1 WHERE number = 'CN-0001'"),
    "note open amount": Fault("CN-0001", "UPDATE credit_note SET open_micros = 1 WHERE number = 'CN-0001'"),
    "note lines add up": Fault("CN-0001", "UPDATE credit_note_line SET net_micros = net_micros + 1"),
    "note never over-allocated": Fault("CN-0002", "UPDATE credit_note SET total_micros = 1 WHERE number = 'CN-0002'"),
    "sales_returns equal notes": Fault("SGD", "UPDATE credit_note SET net_micros = net_micros + 1"),
    "never credited more than invoiced": Fault("INV-", "UPDATE credit_note_line SET net_micros = net_micros * 100"),
    "a note is of its customer's invoice": Fault("CN-0001", "UPDATE credit_note SET invoice_id = 1"),
    "a note is as its approval": Fault("DRAFT-", "UPDATE credit_note SET state = 'void' WHERE state = 'draft'"),
    "terms are as their approval": Fault("REQ-0001", "UPDATE terms_request SET state = 'requested'"),
    "approved terms are in the history": Fault("REQ-0001", "UPDATE credit_limit SET amount_micros = amount_micros + 1"),
    "request numbers have no hole": Fault("request", "UPDATE series SET last = last + 1 WHERE name = 'request'"),
    "nobody counts twice": Fault("REQ-0001", "UPDATE approval_vote SET person = 'U0MANAGER'"),
    "note numbers have no hole": Fault("note", "UPDATE series SET last = last + 1 WHERE name = 'note'"),
    "write_off equals its documents": Fault(
        "SGD", "UPDATE write_off SET amount_micros = amount_micros + 1 WHERE number = 'WO-0001'"
    ),
    "written off is what the document says": Fault(
        "WO-0001", "UPDATE written_off SET amount_micros = amount_micros + 1"
    ),
    "written off matches its entry": Fault("written off", "UPDATE written_off SET effective_on = '2026-01-01'"),
    "an invoice is written off by its document": Fault(
        "INV-", "UPDATE invoice SET open_micros = 1 WHERE state = 'written_off'"
    ),
    "a write-off is as its approval": Fault(
        "DRAFT-", "UPDATE write_off SET state = 'rejected' WHERE state = 'requested'"
    ),
    "write-off numbers have no hole": Fault("write_off", "UPDATE series SET last = last + 1 WHERE name = 'write_off'"),
    "an invoice is disputed as was said last": Fault("INV-", "UPDATE dispute SET step = 'resolved'"),
    "one promise for one debt": Fault(
        "DOUBT", "UPDATE promise SET invoice_id = NULL, ended_at = NULL, ended_by = NULL WHERE customer_id IS NOT NULL"
    ),
    "a promise is of its customer's debt": Fault("promise", "UPDATE promise SET invoice_id = 1"),
    "a limit is its newest row": Fault("PRE", "UPDATE customer SET limit_micros = 1 WHERE code = 'PRE'"),
    "a mode is its newest row": Fault("MODE", "UPDATE customer SET mode = 'postpaid' WHERE code = 'MODE'"),
    "a top-up threshold is that of the settings": Fault(
        "FALLEN", "UPDATE customer SET top_up_at_micros = top_up_at_micros + 1 WHERE code = 'FALLEN'"
    ),
    "a top-up is as its document": Fault("top-up", "UPDATE top_up_attempt SET amount_micros = amount_micros + 1"),
    "top-ups of a day add up": Fault("top-ups of SGD", "UPDATE top_up_day SET total_micros = total_micros + 1"),
    "a master account equals its entries": Fault(
        "currency SGD", "UPDATE master_account SET balance_micros = balance_micros + 1"
    ),
    "master account equals its documents": Fault(
        "currency SGD", "UPDATE master_top_up SET amount_micros = amount_micros + 1"
    ),
    "credit issued equals its documents": Fault(
        "currency SGD", "UPDATE credit SET amount_micros = amount_micros + 1 WHERE kind = 'take-back'"
    ),
    "issued credit has its lot": Fault("CRD-0001", "UPDATE credit SET made_on = '2026-01-01' WHERE kind = 'issue'"),
    "taken is what the document says": Fault("CRD-0003", "UPDATE taken SET amount_micros = amount_micros + 1"),
    "credit numbers have no hole": Fault("credit", "UPDATE series SET last = last + 1 WHERE name = 'credit'"),
    "master numbers have no hole": Fault("master", "UPDATE series SET last = last + 1 WHERE name = 'master'"),
    "advances equal matches of proformas": Fault("ASKED", "UPDATE allocation SET advance = false WHERE advance"),
    "nothing is advanced on what was provisioned": Fault(
        "INV-", "UPDATE allocation SET amount_micros = amount_micros + 1 WHERE advance"
    ),
    "a top-up is credit once paid": Fault("TOP-0001", "UPDATE lot SET amount_micros = 1 WHERE number = 'TOP-0001'"),
    "a top-up is paid whole or not": Fault("TOP-0002", "UPDATE invoice SET open_micros = 1 WHERE number = 'TOP-0002'"),
    "credit of a top-up names it": Fault("TOP-0001", "UPDATE lot SET invoice_id = NULL WHERE number = 'TOP-0001'"),
    "what nobody owes is not posted": Fault(
        "TOP-0002", "UPDATE invoice SET posted_on = '2026-01-01' WHERE number = 'TOP-0002'"
    ),
    "void is whole": Fault("PRO-0003", "UPDATE invoice SET open_micros = 1 WHERE number = 'PRO-0003'"),
    "a provisioned cost is of its lines": Fault("INV-", "UPDATE invoice_line SET cost_micros = cost_micros + 1"),
    "top-up invoice numbers have no hole": Fault("top_up", "UPDATE series SET last = last + 1 WHERE name = 'top_up'"),
    "proforma numbers have no hole": Fault("proforma", "UPDATE series SET last = last + 1 WHERE name = 'proforma'"),
    "one audit row and one key each": Fault("operation", f"DELETE FROM request_key WHERE operation_id = {LAST_AUDIT}"),
    "every key has its operation": Fault("key", f"DELETE FROM audit WHERE id = {LAST_AUDIT}"),
    "every entry has its operation": Fault("entry", "UPDATE entry SET operation_id = 1 WHERE kind = 'invoice'"),
    "an import brought its documents": Fault("lot PAY-0001", "UPDATE lot SET intake_id = 1"),
    "a closed customer has nothing": Fault("customer ACME", "UPDATE customer SET state = 'closed' WHERE code = 'ACME'"),
    "one owner": Fault("people", "UPDATE person SET role = 5"),
    "each number in its turn": Fault("PAY-0099", "UPDATE payment SET number = 'PAY-0099' WHERE number = 'PAY-0002'"),
    "ageing ties to the control accounts": Fault(
        "customer", "UPDATE invoice SET posted_on = '2099-01-01' WHERE number = 'INV-0001'"
    ),
    "audit chain": Fault("audit row", f"UPDATE audit SET actor = 'U0SOMEBODY' WHERE id = {LAST_AUDIT}"),
}


@dataclass(frozen=True)
class Intruder:
    """Somebody with the file or the superuser's password, whose changes are taken back after a look."""

    world: World
    connection: Connection

    def prepare(self) -> None:
        """Put every guard out of the way."""
        if self.world.store.database.dialect == "sqlite":
            self._run(*guards.remove("sqlite"))
        else:
            self._run("SET LOCAL search_path = book_main", "SET LOCAL session_replication_role = replica")
            bounds = text(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint"
                " WHERE contype = 'c' AND connamespace = 'book_main'::regnamespace"
            )
            for table, name in self.connection.execute(bounds).all():
                self._run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        self._run("DROP INDEX uq_person_one_owner")

    def find(self, *statements: str) -> list[Finding]:
        """Change rows, prove the books, and leave them as they were."""
        return self.find_each(statements)[0]

    def find_each(self, *changes: Sequence[str]) -> list[list[Finding]]:
        """The same for one change of rows after the other; the guards are put out of the way once."""
        settings = self.world.store.read(lambda books: books.settings())
        found = []
        self.connection.exec_driver_sql("BEGIN")
        try:
            self.prepare()
            for statements in changes:
                self._run("SAVEPOINT change", *statements)
                found.append(list(verify.findings(self.connection, settings)))
                self._run("ROLLBACK TO SAVEPOINT change")
        finally:
            self.connection.exec_driver_sql("ROLLBACK")
        return found

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.exec_driver_sql(statement)


@pytest.fixture
def intruder(busy: World, book_url: str) -> Iterator[Intruder]:
    url = make_url(book_url.replace("postgresql:", "postgresql+psycopg:"))
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if busy.store.database.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        yield Intruder(busy, connection)
    engine.dispose()


@pytest.fixture
def busy(world: World) -> World:
    """Invoices paid, in part and not; a match and an assignment taken back; money that waits; all of it sealed."""
    customer, other = world.customer(), world.customer("OTHER")
    invoice = world.invoice(customer, 100, tax="9", auto=False, issued=-10)
    world.invoice(other, 50, issued=-9)
    payment = world.pay(300, customer, received=-8, to=((invoice, 40),)).payment
    world.do(unallocate_payment, UnallocatePayment(payment_id=payment.id, effective_on=world.day(-2)))
    world.pay(20)
    gone = world.pay(30, other, received=-3).payment
    world.do(unallocate_payment, UnallocatePayment(payment_id=gone.id))
    world.do(unassign_payment, UnassignPayment(payment_id=gone.id))
    world.pay(60, customer, to=((invoice, None),))
    world.pay(500, customer)
    withdraw(world, customer)
    credited(world, world.customer("GIVEN"))
    consumed(world)
    credited_by_notes(world)
    invoiced_by_month(world)
    asked_of_all_kinds(world)
    topped_up(world)
    limit_approved(world, world.customer("TERMS"))
    disputed_promised_and_given_up(world)
    reminded(world)
    world.check()
    return world


def test_every_check_has_a_fault_here() -> None:
    assert set(FAULTS) == set(verify.all_checks())


def test_nothing_is_found_in_books_that_are_right(busy: World, intruder: Intruder) -> None:
    assert intruder.find() == []
    assert list(busy.store.verify()) == []


@pytest.mark.rule(117)
def test_each_check_finds_the_fault_it_is_for(intruder: Intruder) -> None:
    found = intruder.find_each(*((fault.statement,) for fault in FAULTS.values()))
    for (check, fault), named in zip(FAULTS.items(), found, strict=True):
        findings = [each for each in named if each.check == check]
        assert findings, f"{check} found nothing"
        assert any(fault.names in each.where for each in findings), check
        assert all(each.kept != each.recomputed for each in findings), check
    assert intruder.find() == []


@pytest.mark.rule(117)
def test_one_changed_letter_of_the_log_is_found(intruder: Intruder) -> None:
    middle = "SELECT audit_id FROM audit_seal WHERE seq = 5"
    words = [column.name for column in metadata.tables["audit"].columns if isinstance(column.type, String)]
    assert len(words) == 10
    changes = [(f"UPDATE audit SET {word} = COALESCE({word}, '') || 'x' WHERE id = ({middle})",) for word in words]
    for word, findings in zip(words, intruder.find_each(*changes), strict=True):
        assert [each.check for each in findings] == ["audit chain"], word


NAMES_THE_FIFTH = {
    "an instant moved",
    "another customer",
    "another document",
    "said to undo another",
    "a hash",
    "a link",
}
CHAIN: dict[str, tuple[str, ...]] = {
    "an instant moved": ("UPDATE audit SET at = '2026-11-22 09:00:00' WHERE id = {five}",),
    "another customer": ("UPDATE audit SET customer_id = 5 WHERE id = {five}",),
    "another document": ("UPDATE audit SET document_id = 5 WHERE id = {five}",),
    "said to undo another": ("UPDATE audit SET undoes_id = 5 WHERE id = {five}",),
    "a hash": ("UPDATE audit_seal SET hash = previous_hash WHERE seq = 5",),
    "a link": ("UPDATE audit_seal SET previous_hash = hash WHERE seq = 5",),
    "the first link": ("UPDATE audit_seal SET previous_hash = hash WHERE seq = 1",),
    "a row and its seal": ("DELETE FROM audit WHERE id = {five}", "DELETE FROM audit_seal WHERE seq = 5"),
    "a row only": ("DELETE FROM audit WHERE id = {five}",),
    "a seal only": ("DELETE FROM audit_seal WHERE seq = 5",),
    "the first seal": ("DELETE FROM audit_seal WHERE seq = 1",),
    "the last row": (f"DELETE FROM audit WHERE id = {LAST_AUDIT}",),
    "the last seals": ("DELETE FROM audit_seal WHERE seq > 9",),
    "all seals": ("DELETE FROM audit_seal",),
    "two seals swapped": (
        "UPDATE audit_seal SET audit_id = -seq WHERE seq IN (5, 6)",
        "UPDATE audit_seal SET audit_id = {six} WHERE seq = 5",
        "UPDATE audit_seal SET audit_id = {five} WHERE seq = 6",
    ),
    "two places swapped": (
        "UPDATE audit_seal SET seq = -seq WHERE seq IN (5, 6)",
        "UPDATE audit_seal SET seq = 6 WHERE seq = -5",
        "UPDATE audit_seal SET seq = 5 WHERE seq = -6",
    ),
    "a hole in the count": ("UPDATE audit_seal SET seq = seq + 1000 WHERE seq > 5",),
}


@pytest.mark.rule(117)
def test_a_broken_chain_is_found_and_its_first_broken_row_named(busy: World, intruder: Intruder) -> None:
    sealed = text("SELECT audit_id FROM audit_seal WHERE seq IN (5, 6) ORDER BY seq")
    five, six = busy.store.read(lambda books: books.connection.execute(sealed).scalars().all())
    changes = [[statement.format(five=five, six=six) for statement in statements] for statements in CHAIN.values()]
    for how, findings in zip(CHAIN, intruder.find_each(*changes), strict=True):
        chain = [each for each in findings if each.check == "audit chain"]
        assert len(chain) == 1, how
        if how in NAMES_THE_FIFTH:
            assert chain[0].where == f"audit row {five}", how
    assert intruder.find() == []
