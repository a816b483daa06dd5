"""The books' own proof: every kept figure recomputed from the entries, invariants, numbers and seals; it names what
differs.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, and_, func, literal, or_, select, text, true, union_all

from bot.domain.ledger import CONTROLS
from bot.domain.ports import Finding
from bot.domain.receivables import AgeingQuestion
from bot.domain.settings import Settings
from bot.storage import requests
from bot.storage.ageing import ageing
from bot.storage.checks import GIVEN_UP, SOLD_AND_GIVEN
from bot.storage.database import now_of
from bot.storage.invoice_checks import ASKED_FOR
from bot.storage.reminder_checks import REMINDED
from bot.storage.tables import (
    AuditRow,
    CreditNoteRow,
    CreditRow,
    EntryRow,
    InvoiceRow,
    MasterTopUpRow,
    PaymentRow,
    SealRow,
    WithdrawalRow,
    WriteOffRow,
)

_audit = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as below
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as below
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as below
_withdrawal = WithdrawalRow.__table__  # type: ignore[attr-defined]  # as below
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above
_credit = CreditRow.__table__  # type: ignore[attr-defined]  # as above
_top_up = MasterTopUpRow.__table__  # type: ignore[attr-defined]  # as above
_seal = SealRow.__table__  # type: ignore[attr-defined]  # as above
_write_off = WriteOffRow.__table__  # type: ignore[attr-defined]  # as above

PROFORMA = func.coalesce(_invoice.c.proforma_number, _invoice.c.number)
NUMBERED: tuple[tuple[str, Any, Any], ...] = (
    ("payment", _payment.c.number, _payment.c.intake_id.is_(None)),
    ("invoice", _invoice.c.number, and_(_invoice.c.kind == "tax", _invoice.c.intake_id.is_(None))),
    ("top-up invoice", _invoice.c.number, _invoice.c.kind == "top_up"),
    ("proforma", PROFORMA, or_(_invoice.c.kind == "proforma", _invoice.c.proforma_number.is_not(None))),
    ("withdrawal", _withdrawal.c.number, true()),
    ("credit", _credit.c.number, true()),
    ("credit note", _note.c.number, true()),
    ("master", _top_up.c.number, true()),
    ("write-off", _write_off.c.number, true()),
)
UNSEALED_SECONDS = 60
MOST_FINDINGS = 100

# Each check selects rows that must not exist: where, what is kept, what it was recomputed to.
CHECKS: dict[str, str] = {
    "entry balances": """SELECT 'entry ' || e.id, '0', COALESCE(SUM(p.amount_micros), 0) FROM entry e
        LEFT JOIN posting p ON p.entry_id = e.id GROUP BY e.id
        HAVING COUNT(p.id) < 2 OR COALESCE(SUM(p.amount_micros), 0) <> 0""",
    "posting has an entry": """SELECT 'posting ' || p.id, 'entry ' || p.entry_id, 'none' FROM posting p
        LEFT JOIN entry e ON e.id = p.entry_id WHERE e.id IS NULL""",
    **{
        f"{account.value} of a customer": f"""SELECT 'customer ' || c.code, c.{account.value}_micros,
            COALESCE(x.total, 0) FROM customer c LEFT JOIN (SELECT customer_id, {sign} * SUM(amount_micros) AS total
            FROM posting WHERE account = '{account.value}' GROUP BY customer_id) x ON x.customer_id = c.id
            WHERE c.{account.value}_micros <> COALESCE(x.total, 0)"""
        for account, sign in CONTROLS.items()
    },
    "deposits equal open lots": """SELECT 'customer ' || c.code, c.deposits_micros, COALESCE(x.total, 0) FROM customer c
        LEFT JOIN (SELECT customer_id, SUM(open_micros) AS total FROM lot GROUP BY customer_id) x
        ON x.customer_id = c.id WHERE c.deposits_micros <> COALESCE(x.total, 0)""",
    "receivable equals open items": """SELECT 'customer ' || c.code, c.receivable_micros, COALESCE(x.total, 0)
        FROM customer c LEFT JOIN (SELECT customer_id, SUM(open_micros) AS total FROM (
        SELECT customer_id, open_micros FROM invoice WHERE kind = 'tax' AND state IN ('sent', 'written_off')
        UNION ALL SELECT customer_id, open_micros FROM usage_day) o GROUP BY customer_id) x
        ON x.customer_id = c.id WHERE c.receivable_micros <> COALESCE(x.total, 0)""",
    "reserved equals holds": """SELECT 'customer ' || c.code, c.reserved_micros, COALESCE(x.total, 0) FROM customer c
        LEFT JOIN (SELECT customer_id, SUM(amount_micros) AS total FROM hold WHERE state = 'open' GROUP BY
        customer_id) x
        ON x.customer_id = c.id WHERE c.reserved_micros <> COALESCE(x.total, 0)""",
    "lot open amount": """SELECT 'lot of ' || l.number, l.open_micros,
        CASE WHEN l.closed_on IS NULL THEN l.amount_micros ELSE 0 END - COALESCE(x.total, 0) FROM lot l
        LEFT JOIN (SELECT lot_id, SUM(amount_micros) AS total FROM (SELECT lot_id, amount_micros FROM allocation
        UNION ALL SELECT lot_id, amount_micros FROM withdrawn
        UNION ALL SELECT lot_id, amount_micros FROM taken) u GROUP BY lot_id) x ON x.lot_id = l.id
        WHERE l.open_micros <> CASE WHEN l.closed_on IS NULL THEN l.amount_micros ELSE 0 END - COALESCE(x.total, 0)""",
    "invoice open amount": """SELECT 'invoice ' || COALESCE(i.number, i.draft_reference), i.open_micros,
        CASE WHEN i.state IN ('sent', 'written_off') THEN i.total_micros - i.settled_micros ELSE 0 END
        - COALESCE(x.total, 0) FROM invoice i LEFT JOIN (SELECT invoice_id, SUM(amount_micros) AS total FROM (
        SELECT invoice_id, amount_micros FROM allocation UNION ALL SELECT invoice_id, amount_micros FROM written_off) u
        GROUP BY invoice_id) x ON x.invoice_id = i.id WHERE i.open_micros <>
        CASE WHEN i.state IN ('sent', 'written_off') THEN i.total_micros - i.settled_micros ELSE 0 END
        - COALESCE(x.total, 0)""",
    "invoice lines add up": """SELECT 'invoice ' || COALESCE(i.number, i.draft_reference), i.total_micros,
        COALESCE(x.total, 0) FROM invoice i LEFT JOIN (SELECT invoice_id, SUM(net_micros + tax_micros) AS total
        FROM invoice_line GROUP BY invoice_id) x ON x.invoice_id = i.id WHERE i.total_micros <> COALESCE(x.total, 0)""",
    "allocation joins one customer": """SELECT 'allocation ' || a.id, a.customer_id, COALESCE(l.customer_id, 0)
        FROM allocation a LEFT JOIN lot l ON l.id = a.lot_id LEFT JOIN invoice i ON i.id = a.invoice_id
        WHERE (l.id IS NOT NULL AND (l.customer_id <> a.customer_id OR l.opened_on <> a.credit_on)) OR
        (i.id IS NOT NULL AND (i.customer_id <> a.customer_id OR i.currency <> l.currency
        OR (a.posted_on <> '9999-12-31' AND (i.kind <> 'tax' OR i.posted_on IS NULL OR i.posted_on <> a.posted_on
        OR i.due_on <> a.due_on OR i.issue_on <> a.issue_on))))""",
    "allocation matches its entry": """SELECT 'allocation ' || a.id, a.amount_micros || ' on ' || a.effective_on,
        COALESCE(-p.amount_micros || ' on ' || e.effective_on, 'none') FROM allocation a
        LEFT JOIN posting p ON p.entry_id = a.entry_id AND p.account = CASE WHEN a.advance THEN 'advances'
        WHEN a.posted_on = '9999-12-31' THEN 'deposits' ELSE 'receivable' END
        AND (p.account <> 'deposits' OR p.amount_micros = -a.amount_micros) LEFT JOIN entry e ON e.id =
        a.entry_id WHERE p.id IS NULL OR e.id IS NULL
        OR -p.amount_micros <> a.amount_micros OR p.customer_id <> a.customer_id OR e.effective_on <> a.effective_on""",
    "lot opened and closed as its payment was assigned": """SELECT 'lot of ' || l.number, l.id, s.step FROM assignment s
        JOIN lot l ON l.id = s.lot_id WHERE l.customer_id <> s.customer_id OR l.payment_id <> s.payment_id
        OR (s.step = 'assign' AND l.opened_on <> s.effective_on)
        OR (s.step = 'unassign' AND (l.closed_on IS NULL OR l.closed_on <> s.effective_on))""",
    "payment waits since it was taken back": """SELECT 'payment ' || p.number, p.suspense_on,
        COALESCE(x.last, p.posted_on) FROM payment p LEFT JOIN (SELECT payment_id, MAX(effective_on) AS last
        FROM assignment WHERE step = 'unassign' GROUP BY payment_id) x ON x.payment_id = p.id
        WHERE p.suspense_on <> COALESCE(x.last, p.posted_on)""",
    "lot knows how long its money waited": """SELECT 'lot of ' || x.number, x.suspense_on, x.since FROM (
        SELECT l.number, l.suspense_on, COALESCE((SELECT MAX(s.effective_on) FROM assignment s
        WHERE s.payment_id = p.id AND s.step = 'unassign' AND s.id < a.id), p.posted_on) AS since
        FROM lot l JOIN payment p ON p.id = l.payment_id
        JOIN assignment a ON a.lot_id = l.id AND a.step = 'assign') x
        WHERE x.suspense_on IS NULL OR x.suspense_on <> x.since""",
    "invoice never over-allocated": """SELECT 'invoice ' || i.number, i.total_micros - i.settled_micros, x.used
        FROM invoice i JOIN (
        SELECT invoice_id, effective_on, SUM(SUM(amount_micros)) OVER (PARTITION BY invoice_id ORDER BY
        effective_on) AS used FROM (SELECT invoice_id, effective_on, amount_micros FROM allocation
        UNION ALL SELECT invoice_id, effective_on, amount_micros FROM written_off) u
        GROUP BY invoice_id, effective_on) x ON x.invoice_id = i.id
        WHERE x.used > i.total_micros - i.settled_micros OR x.used < 0""",
    "lot never over-allocated": """SELECT 'lot of ' || l.number, l.amount_micros, x.used FROM lot l JOIN (
        SELECT lot_id, effective_on, SUM(SUM(amount_micros)) OVER (PARTITION BY lot_id ORDER BY effective_on) AS used
        FROM (SELECT lot_id, effective_on, amount_micros FROM allocation
        UNION ALL SELECT lot_id, effective_on, amount_micros FROM withdrawn
        UNION ALL SELECT lot_id, effective_on, amount_micros FROM taken) u GROUP BY lot_id, effective_on) x
        ON x.lot_id = l.id WHERE x.used > l.amount_micros OR x.used < 0""",
    "suspense equals unassigned payments": """SELECT 'currency ' || s.currency, COALESCE(w.total, 0), s.total FROM (
        SELECT e.currency, -SUM(p.amount_micros) AS total FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'suspense' GROUP BY e.currency) s LEFT JOIN (
        SELECT currency, SUM(amount_micros) AS total FROM payment WHERE customer_id IS NULL AND state = 'recorded'
        GROUP BY currency) w ON w.currency = s.currency WHERE s.total <> COALESCE(w.total, 0)""",
    "cash equals payments and withdrawals": """SELECT 'currency ' || x.currency || ' by ' || x.method, SUM(x.kept),
        SUM(x.posted) FROM (SELECT currency, method, amount_micros AS kept, 0 AS posted FROM payment
        WHERE state = 'recorded' AND intake_id IS NULL AND method <> 'platform' UNION ALL
        SELECT currency, method, -amount_micros, 0 FROM master_top_up UNION ALL
        SELECT currency, gateway, -amount_micros, 0 FROM withdrawal WHERE state = 'paid' UNION ALL
        SELECT e.currency, p.detail, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'cash') x GROUP BY x.currency, x.method HAVING SUM(x.kept) <> SUM(x.posted)""",
    **{
        f"{account} equals what was sold": f"""SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
            SELECT i.currency, i.{column} AS kept, 0 AS posted FROM invoice i LEFT JOIN intake t ON t.id = i.intake_id
            WHERE i.state IN ('sent', 'written_off') AND i.kind = 'tax' AND COALESCE(t.kind, '') <> 'opening'
            AND ({of_usage} OR i.usage_net_micros IS NULL) AND COALESCE(i.usage_mode, '') <> 'prepaid' UNION ALL
            SELECT c.currency, c.{column}, 0 FROM charge c WHERE {charged} UNION ALL
            SELECT r.currency, -r.{column}, 0 FROM usage_refund r WHERE {refunded} UNION ALL
            SELECT n.currency, -n.{column}, 0 FROM credit_note n WHERE n.state = 'sent' AND '{account}' = 'tax_payable'
            UNION ALL SELECT e.currency, 0, -p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
            WHERE p.account = '{account}') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)"""
        for account, column, charged, refunded, of_usage in (
            ("revenue", "net_micros", "1 = 1", "1 = 1", "1 = 0"),
            ("tax_payable", "tax_micros", "c.mode = 'prepaid'", "NOT r.unbilled", "1 = 1"),
        )
    },
    "payment and lot are a pair": """SELECT 'payment ' || p.number, p.lot_id, COALESCE(l.id, 0) FROM payment p
        LEFT JOIN lot l ON l.id = p.lot_id AND l.payment_id = p.id AND l.customer_id = p.customer_id
        AND l.closed_on IS NULL AND l.amount_micros = p.amount_micros WHERE p.lot_id IS NOT NULL AND l.id IS NULL""",
    "edits are counted": """SELECT 'payment ' || p.number, p.edits, COALESCE(x.steps, 0) FROM payment p LEFT JOIN (
        SELECT payment_id, COUNT(*) AS steps FROM assignment GROUP BY payment_id) x ON x.payment_id = p.id
        WHERE p.edits <> COALESCE(x.steps, 0)""",
    "proofs are counted": """SELECT 'payment ' || p.number, p.proofs, COALESCE(x.files, 0) FROM payment p LEFT JOIN (
        SELECT payment_id, COUNT(*) AS files FROM payment_proof GROUP BY payment_id) x ON x.payment_id = p.id
        WHERE p.proofs <> COALESCE(x.files, 0)""",
    "payment numbers have no hole": """SELECT 'series payment', s.last, COUNT(p.id) FROM series s
        LEFT JOIN payment p ON p.intake_id IS NULL
        WHERE s.name = 'payment' GROUP BY s.last HAVING s.last <> COUNT(p.id)""",
    "invoice numbers have no hole": """SELECT 'series invoice', s.last, COUNT(i.id) FROM series s
        LEFT JOIN invoice i ON i.number IS NOT NULL AND i.intake_id IS NULL AND i.kind = 'tax'
        WHERE s.name = 'invoice' GROUP BY s.last HAVING s.last <> COUNT(i.id)""",
    "held credit equals open holds": """SELECT 'lot of ' || l.number, l.held_micros, COALESCE(x.total, 0) FROM lot l
        LEFT JOIN (SELECT hl.lot_id, SUM(hl.amount_micros) AS total FROM hold_lot hl JOIN hold h ON h.id = hl.hold_id
        WHERE h.state = 'open' GROUP BY hl.lot_id) x ON x.lot_id = l.id
        WHERE l.held_micros <> COALESCE(x.total, 0)""",
    "a hold has its open request": """SELECT 'hold of ' || h.document, h.state || ' ' || h.amount_micros,
        COALESCE(w.state || ' ' || w.amount_micros, 'none') FROM hold h LEFT JOIN withdrawal w ON w.id = h.id
        WHERE w.id IS NULL OR w.amount_micros <> h.amount_micros OR w.customer_id <> h.customer_id
        OR (w.state = 'requested') <> (h.state = 'open') OR h.amount_micros <> (SELECT COALESCE(SUM(hl.amount_micros),
        0) FROM hold_lot hl WHERE hl.hold_id = h.id)""",
    "a request has its hold": """SELECT 'withdrawal ' || w.number, w.state, 'no hold' FROM withdrawal w
        LEFT JOIN hold h ON h.id = w.id WHERE h.id IS NULL""",
    "a withdrawal is as its approval": """SELECT 'withdrawal ' || w.number,
        w.state || ' ' || w.amount_micros || ' of ' || w.customer_id,
        COALESCE(a.state || ' ' || a.amount_micros || ' of ' || a.customer_id, 'none') FROM withdrawal w
        LEFT JOIN approval a ON a.document_kind = 'withdrawal' AND a.document_id = w.id
        WHERE a.id IS NULL OR a.amount_micros <> w.amount_micros OR a.customer_id <> w.customer_id
        OR a.state <> CASE w.state WHEN 'requested' THEN 'waiting' WHEN 'paid' THEN 'approved' ELSE w.state END""",
    "executed once when approved": """SELECT 'request ' || a.label, a.state, COUNT(e.approval_id) FROM approval a
        LEFT JOIN approval_execution e ON e.approval_id = a.id GROUP BY a.id, a.label, a.state
        HAVING COUNT(e.approval_id) <> CASE WHEN a.state = 'approved' THEN 1 ELSE 0 END""",
    "approved by enough others": """SELECT 'request ' || a.label, a.needed, COUNT(DISTINCT v.person) FROM approval a
        LEFT JOIN approval_vote v ON v.approval_id = a.id AND v.person <> a.requester
        GROUP BY a.id, a.label, a.needed, a.state
        HAVING (a.state = 'approved' AND COUNT(DISTINCT v.person) < a.needed)
        OR (a.state <> 'approved' AND a.needed > 0 AND COUNT(DISTINCT v.person) >= a.needed)""",
    "nobody approved an own request": """SELECT 'request ' || a.label, 'not ' || a.requester, v.person FROM approval a
        JOIN approval_vote v ON v.approval_id = a.id WHERE v.person = a.requester""",
    "withdrawn is what was approved": """SELECT 'withdrawal ' || w.number,
        CASE WHEN w.state IN ('approved', 'paid') THEN w.amount_micros ELSE 0 END, COALESCE(x.total, 0)
        FROM withdrawal w LEFT JOIN (SELECT d.withdrawal_id, SUM(d.amount_micros) AS total FROM withdrawn d
        JOIN lot l ON l.id = d.lot_id AND l.customer_id = d.customer_id AND l.opened_on = d.credit_on
        AND l.kind IN ('commission', 'payment', 'top_up') GROUP BY d.withdrawal_id) x ON x.withdrawal_id = w.id
        WHERE COALESCE(x.total, 0) <> CASE WHEN w.state IN ('approved', 'paid') THEN w.amount_micros ELSE 0 END""",
    "payouts due are approved and not paid": """SELECT 'customer ' || c.code, c.payouts_due_micros, COALESCE(x.total, 0)
        FROM customer c LEFT JOIN (SELECT customer_id, SUM(amount_micros) AS total FROM withdrawal
        WHERE state = 'approved' GROUP BY customer_id) x ON x.customer_id = c.id
        WHERE c.payouts_due_micros <> COALESCE(x.total, 0)""",
    "withdrawal numbers have no hole": """SELECT 'series withdrawal', s.last, COUNT(w.id) FROM series s
        LEFT JOIN withdrawal w ON w.id IS NOT NULL
        WHERE s.name = 'withdrawal' GROUP BY s.last HAVING s.last <> COUNT(w.id)""",
    **SOLD_AND_GIVEN,
    **ASKED_FOR,
    **GIVEN_UP,
    **REMINDED,
    "one audit row and one key each": """SELECT 'operation ' || a.id, '1', COUNT(r.key) FROM audit a
        LEFT JOIN request_key r ON r.operation_id = a.id GROUP BY a.id HAVING COUNT(r.key) <> 1""",
    "every key has its operation": """SELECT 'key ' || r.key, r.operation_id, 'none' FROM request_key r
        LEFT JOIN audit a ON a.id = r.operation_id WHERE a.id IS NULL""",
    "every entry has its operation": """SELECT 'entry ' || e.id, e.operation_id, 'none' FROM entry e
        LEFT JOIN audit a ON a.id = e.operation_id WHERE a.id IS NULL""",
    "an import brought its documents": """SELECT d.kind || ' ' || d.number, d.state, COALESCE(t.state, 'none') FROM (
        SELECT 'invoice' AS kind, number, state, intake_id FROM invoice WHERE intake_id IS NOT NULL
        UNION ALL SELECT 'payment', number, state, intake_id FROM payment WHERE intake_id IS NOT NULL
        UNION ALL SELECT 'lot', number, CASE WHEN closed_on = opened_on THEN 'void' ELSE 'open' END, intake_id
        FROM lot WHERE intake_id IS NOT NULL) d
        LEFT JOIN intake t ON t.id = d.intake_id
        WHERE t.id IS NULL OR (t.state = 'taken_back' AND d.state <> 'void')""",
    "a closed customer has nothing": """SELECT 'customer ' || code, state, 'deposits ' || deposits_micros ||
        ', receivable ' || receivable_micros FROM customer WHERE state = 'closed' AND (deposits_micros <> 0 OR
        advances_micros <> 0 OR credit_notes_micros <> 0 OR receivable_micros <> 0 OR unbilled_micros <> 0
        OR payouts_due_micros <> 0 OR reserved_micros <> 0)""",
    "one owner": """SELECT 'people', '1', x.owners FROM (SELECT SUM(CASE WHEN role = 5 THEN 1 ELSE 0 END) AS owners,
        COUNT(*) AS people FROM person) x WHERE x.people > 0 AND x.owners <> 1""",
}


def _all_at_once() -> TextClause:
    """All checks as one statement that a server reads, plans and answers once; each row has the place of its check."""
    each = (
        f"SELECT * FROM (WITH w(a, b, c) AS ({statement} LIMIT {MOST_FINDINGS})"
        f" SELECT {place}, CAST(a AS TEXT), CAST(b AS TEXT), CAST(c AS TEXT) FROM w) AS x{place}"
        for place, statement in enumerate(CHECKS.values())
    )
    return text(" UNION ALL ".join(each)).execution_options(no_parameters=True)


_NAMES = tuple(CHECKS)
_CHECKED = _all_at_once()
_NUMBERS = union_all(
    *(
        select(literal(name).label("name"), column.label("number")).where(column.is_not(None), ours)
        for name, column, ours in NUMBERED
    )
)

_LAST_POSTED = select(func.max(_entry.c.effective_on))
_CONTROLS = text("SELECT id, receivable_micros, deposits_micros + advances_micros + credit_notes_micros FROM customer")
_LINKS = (
    select(_seal.c.seq, _seal.c.previous_hash, _seal.c.hash, *(column for column in _audit.c if column.name != "hash"))
    .select_from(_seal.join(_audit, _audit.c.id == _seal.c.audit_id))
    .order_by(_seal.c.seq)
    .execution_options(yield_per=1000)
)
_SEALED = select(func.count()).select_from(_seal)


def findings(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """All that differs, at most a hundred per check."""
    for place, where, kept, recomputed in connection.execute(_CHECKED):
        yield Finding(check=_NAMES[place], where=str(where), kept=str(kept), recomputed=str(recomputed))
    yield from _numbers(connection)
    yield from _control_against_open_items(connection, settings)
    yield from seals(connection)


def _numbers(connection: Connection) -> Iterator[Finding]:
    """Every document has the number of its turn; a prefix may have changed on the way, the count goes on."""
    found: dict[str, dict[str, int]] = {}
    for name, number in connection.execute(_NUMBERS):
        found.setdefault(name, {})[number] = turn_of(number)
    for name, turns in found.items():
        missing = sorted(set(range(1, len(turns) + 1)) - set(turns.values()))
        seen: set[int] = set()
        for number, turn in sorted(turns.items()):
            if turn in seen or not 1 <= turn <= len(turns):
                yield Finding(
                    check="each number in its turn",
                    where=f"{name} {number}",
                    kept=number,
                    recomputed=str(missing.pop(0)),
                )
            seen.add(turn)


def turn_of(number: str) -> int:
    """The count at the end of a document's number; zero where there is none."""
    digits = number[len(number.rstrip("0123456789")) :]
    return int(digits or 0)


def _control_against_open_items(connection: Connection, settings: Settings) -> Iterable[Finding]:
    """The ageing report ties to the control accounts, customer by customer, once all that was posted is in force."""
    posted = connection.execute(_LAST_POSTED).scalar() or date.min
    today = max(settings.today(now_of(connection)), posted)
    report = {row.customer_id: row for row in ageing(connection, AgeingQuestion(as_of=today)).rows}
    for customer_id, receivable, credit in connection.execute(_CONTROLS):
        row = report.get(customer_id)
        aged = (row.total_micros, row.unapplied_micros) if row is not None else (0, 0)
        if aged != (receivable, credit):
            yield Finding(
                check="ageing ties to the control accounts",
                where=f"customer {customer_id}",
                kept=f"{receivable} / {credit}",
                recomputed=f"{aged[0]} / {aged[1]}",
            )


def seals(connection: Connection) -> Iterator[Finding]:
    """Replay the hash chain from its first link; the first broken row is named. Rule 117."""
    previous, expected = requests.GENESIS, 0
    with connection.execute(_LINKS) as rows:
        for row in rows:
            expected += 1
            current = requests.link(previous, row)
            if row.seq != expected or row.previous_hash != previous or row.hash != current:
                yield Finding(check="audit chain", where=f"audit row {row.id}", kept=row.hash, recomputed=current)
                return
            previous = current
    sealed = connection.execute(_SEALED).scalar() or 0
    if sealed != expected:
        yield Finding(check="audit chain", where="a sealed row is gone", kept=str(sealed), recomputed=str(expected))
    late = requests.unsealed_before(connection, now_of(connection) - timedelta(seconds=UNSEALED_SECONDS))
    if late:
        yield Finding(check="audit chain", where="unsealed rows older than a minute", kept="0", recomputed=str(late))


def all_checks() -> list[str]:
    """The names of all checks, for help and tests."""
    return [*CHECKS, "each number in its turn", "ageing ties to the control accounts", "audit chain"]
