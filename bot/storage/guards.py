"""Triggers that refuse bad or changed entries and keep open amounts, on both engines; each migration ends by
installing them.
"""

import contextlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, text

from bot.storage.tables import NEVER_OWED

# Rows that are written once and never changed or deleted.
FROZEN = (
    "posting",
    "entry",
    "allocation",
    "assignment",
    "invoice_flag",
    "audit",
    "audit_seal",
    "request_key",
    "credit_limit",
    "mode_history",
    "payment_proof",
    "hold_lot",
    "approval_vote",
    "approval_execution",
    "withdrawn",
    "taken",
    "master_top_up",
    "credit_note_line",
    "payment_settings",
    "top_up_attempt",
    "dispute",
    "written_off",
    "reminder_left",
)
# Documents that are never deleted, and their columns that never change.
KEPT = {
    "payment": ("number", "amount_micros", "currency", "received_on", "posted_on", "recorded_at", "intake_id"),
    "lot": (
        "customer_id",
        "kind",
        "amount_micros",
        "currency",
        "opened_on",
        "payment_id",
        "suspense_on",
        "intake_id",
        "invoice_id",
    ),
    "customer": ("uuid", "currency"),
    "series": ("name",),
    "hold": ("customer_id", "amount_micros", "document"),
    "approval": (
        "operation",
        "document_kind",
        "document_id",
        "customer_id",
        "amount_micros",
        "currency",
        "requester",
        "needed",
    ),
    "credit": ("number", "kind", "purpose", "customer_id", "currency", "amount_micros", "made_on", "lot_id"),
    "master_account": ("currency", "opened_at"),
    "top_up_day": ("currency", "day"),
    "credit_note": (
        "customer_id",
        "currency",
        "draft_reference",
        "issue_on",
        "net_micros",
        "tax_micros",
        "total_micros",
    ),
    "usage_day": ("customer_id", "used_on"),
    "charge": (
        "external_id",
        "customer_id",
        "mode",
        "used_on",
        "posted_on",
        "product",
        "currency",
        "net_micros",
        "tax_rate_micros",
        "tax_micros",
        "cost_micros",
        "usage_day_id",
        "entry_id",
    ),
    "usage_refund": ("credit_id", "charge_id", "customer_id", "currency", "net_micros", "tax_micros", "cost_micros"),
    "terms_request": (
        "number",
        "customer_id",
        "currency",
        "kind",
        "limit_micros",
        "days",
        "mode",
        "was_mode",
        "was_limit_micros",
        "was_ends_at",
        "reason",
        "requested_by",
    ),
    "delegation": ("principal_id", "stand_in_id", "last_day", "until"),
    "withdrawal": ("number", "customer_id", "amount_micros", "currency", "gateway", "details", "reason"),
    "promise": ("customer_id", "amount_micros", "currency", "promised_on", "logged_at"),
    "mail": (
        "customer_id",
        "about",
        "about_id",
        "recipients",
        "copies",
        "reply_to",
        "subject",
        "body",
        "paper",
        "mark",
        "recorded_at",
        "operation_id",
    ),
    "reminder_template": ("name", "folded", "language", "subject", "body", "saved_by"),
    "reminder_schedule": ("name", "folded", "steps", "is_default", "saved_by"),
    "reminder_run": ("day", "way", "planned_at"),
    "reminder_message": ("run_id", "customer_id", "day", "template", "language", "currency", "hours_from", "closes_at"),
    "reminder_line": ("message_id", "invoice_id", "day", "level", "days", "times", "folded", "why"),
    "write_off": ("draft_reference", "customer_id", "invoice_id", "amount_micros", "currency", "reason"),
}
# The number of an imported document is given back when its opening is taken back, so that it can come again.
GIVEN_BACK = frozenset({"payment"})
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
}
# A draft invoice may change; once it has its number these are final.
FINAL_INVOICE = (
    "kind",
    "number",
    "proforma_number",
    "customer_id",
    "currency",
    "issue_on",
    "due_on",
    "posted_on",
    "net_micros",
    "tax_micros",
    "total_micros",
    "intake_id",
    "usage_net_micros",
    "automatic",
    "cost_micros",
    "usage_mode",
    "usage_through",
    "usage_lines",
    "settled_micros",
)
# Provisioning alone gives a proforma its tax number and days; what it is about and for whom stays.
PROVISIONED = ("customer_id", "currency", "net_micros", "tax_micros", "total_micros", "intake_id", "automatic")

_LATER = "guards are installed later"


def install(connection: Connection) -> None:
    """Install every guard of the tables that there are, after removing those of an earlier version."""
    if connection.info.get(_LATER):
        return
    dialect = connection.dialect.name
    there = set(connection.execute(text(TABLES[dialect])).scalars())
    for statement in statements(dialect, there):
        connection.execute(text(statement.replace(":", "\\:")))


@contextlib.contextmanager
def once(connection: Connection) -> Iterator[None]:
    """Of many migrations in a row each ends with its guards: they are installed when the last of them is done."""
    kept = connection.info
    kept[_LATER] = True
    try:
        yield
    finally:
        del kept[_LATER]
    install(connection)


def statements(dialect: str, there: AbstractSet[str]) -> Iterator[str]:
    """What removes every guard and installs those of the tables that there are."""
    yield from remove(dialect)
    yield from (_sqlite(there) if dialect == "sqlite" else _postgresql(there))
    if "withdrawn" in there:
        yield from _fits_and_moves("withdrawn", _HELD, _TAKEN, _SENTENCE, dialect)
    if "taken" in there:
        yield from _fits_and_moves("taken", _TAKES_FREE, _move("lot", "lot_id"), _TAKES_FREE_SENTENCE, dialect)
    if "written_off" in there:
        yield from _fits_and_moves("written_off", _GIVES_UP, _GIVEN_UP, _GIVES_UP_SENTENCE, dialect)
        yield from _written_off_only_so(dialect)


def remove(dialect: str) -> Iterator[str]:
    for name, table in names():
        if dialect == "sqlite":
            yield f"DROP TRIGGER IF EXISTS {name}"
        else:
            yield f"DROP TRIGGER IF EXISTS {name} ON {table}"


def _kept(there: AbstractSet[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    return ((table, columns) for table, columns in KEPT.items() if table in there)


def names() -> Iterator[tuple[str, str]]:
    """Every guard's name and table; a test compares them with what the database has."""
    yield "guard_entry_balances", "entry"
    yield "guard_posting_is_new", "posting"
    yield "guard_allocation_fits", "allocation"
    yield "guard_allocation_moves", "allocation"
    yield "guard_invoice_final", "invoice"
    yield "guard_invoice_kept", "invoice"
    yield "guard_invoice_line_final", "invoice_line"
    yield "guard_invoice_line_kept", "invoice_line"
    yield "guard_invoice_line_fits", "invoice_line"
    yield "guard_usage_day_summed_up", "usage_day"
    yield "guard_withdrawn_fits", "withdrawn"
    yield "guard_withdrawn_moves", "withdrawn"
    yield "guard_taken_fits", "taken"
    yield "guard_taken_moves", "taken"
    yield "guard_written_off_fits", "written_off"
    yield "guard_written_off_moves", "written_off"
    yield "guard_invoice_written_off", "invoice"
    for table in FROZEN:
        yield f"guard_{table}_unchanged", table
        yield f"guard_{table}_undeleted", table
    for table in KEPT:
        yield f"guard_{table}_facts", table
        yield f"guard_{table}_undeleted", table


def _changed(columns: tuple[str, ...], dialect: str, *, number_given_back: bool = False) -> str:
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"

    def changed(column: str) -> str:
        found = f"NEW.{column} {differs} OLD.{column}"
        return f"({found} AND NOT ({_GIVEN_BACK}))" if number_given_back and column == "number" else found

    return " OR ".join(map(changed, columns))


def _final(dialect: str) -> str:
    """A final invoice keeps its facts and is not voided once it is owed or paid; a proforma is provisioned once."""
    changed = _changed(FINAL_INVOICE, dialect, number_given_back=True)
    provisioned = f"({_PROVISIONS} AND NOT ({_changed(PROVISIONED, dialect)}))"
    return f"OLD.number IS NOT NULL AND ((({changed}) AND NOT {provisioned}) OR {_WRONGLY_VOID})"


_PROVISIONS = """OLD.kind = 'proforma' AND NEW.kind = 'tax' AND OLD.state = 'sent' AND NEW.state = 'sent'
    AND OLD.posted_on IS NULL AND NEW.posted_on IS NOT NULL AND NEW.proforma_number = OLD.number
    AND NEW.number <> OLD.number AND NEW.usage_net_micros IS NULL"""
# What an import brought goes when it is taken back.
_WRONGLY_VOID = """(OLD.state <> 'void' AND NEW.state = 'void' AND OLD.intake_id IS NULL
    AND (OLD.kind = 'tax' OR OLD.open_micros <> OLD.total_micros))"""
_GIVEN_BACK = """OLD.intake_id IS NOT NULL AND OLD.state <> 'void' AND NEW.state = 'void'
    AND SUBSTR(NEW.number, 1, LENGTH(OLD.number) + 1) = OLD.number || '~'"""


_REVERSAL_FITS = """EXISTS (SELECT 1 FROM allocation o WHERE o.id = NEW.reverses_id AND o.reverses_id IS NULL
    AND o.amount_micros = -NEW.amount_micros AND COALESCE(o.lot_id, 0) = COALESCE(NEW.lot_id, 0)
    AND COALESCE(o.credit_note_id, 0) = COALESCE(NEW.credit_note_id, 0)
    AND COALESCE(o.invoice_id, 0) = COALESCE(NEW.invoice_id, 0)
    AND COALESCE(o.usage_day_id, 0) = COALESCE(NEW.usage_day_id, 0) AND o.posted_on = NEW.posted_on
    AND o.issue_on = NEW.issue_on AND o.due_on = NEW.due_on AND o.advance = NEW.advance
    AND o.effective_on <= NEW.effective_on)"""
# What is owed counts from its day; what only asks for money takes that of a payment, by hand, a top-up all of it.
_OWED_OR_ASKED = f"""((i.kind = 'tax' AND i.posted_on = NEW.posted_on AND NEW.effective_on >= i.posted_on)
    OR (i.kind <> 'tax' AND i.posted_on IS NULL AND NEW.posted_on = '{NEVER_OWED.isoformat()}'
    AND NEW.credit_note_id IS NULL AND NOT NEW.automatic
    AND (i.kind <> 'top_up' OR ABS(NEW.amount_micros) = i.total_micros)
    AND EXISTS (SELECT 1 FROM lot k WHERE k.id = NEW.lot_id AND k.kind = 'payment')))"""
# A match that is taken back has the days of its invoice at that time, which provisioning changed.
_OWNERS_FIT = f"""(NEW.invoice_id IS NULL OR EXISTS (SELECT 1 FROM invoice i WHERE i.id = NEW.invoice_id
    AND i.customer_id = NEW.customer_id AND i.state = 'sent' AND (NEW.reverses_id IS NOT NULL OR (
    i.due_on = NEW.due_on AND i.issue_on = NEW.issue_on AND NEW.effective_on >= i.rose_on
    AND NEW.advance = (i.kind = 'proforma') AND {_OWED_OR_ASKED}))))
    AND (NEW.lot_id IS NULL OR EXISTS (SELECT 1 FROM lot l WHERE l.id = NEW.lot_id AND l.customer_id = NEW.customer_id
    AND l.closed_on IS NULL AND l.opened_on = NEW.credit_on AND NEW.effective_on >= l.opened_on
    AND (NEW.reverses_id IS NOT NULL OR NEW.effective_on >= l.rose_on)))
    AND (NEW.credit_note_id IS NULL OR EXISTS (SELECT 1 FROM credit_note n WHERE n.id = NEW.credit_note_id
    AND n.customer_id = NEW.customer_id AND n.state = 'sent' AND n.posted_on = NEW.credit_on
    AND NEW.effective_on >= n.posted_on AND (NEW.reverses_id IS NOT NULL OR NEW.effective_on >= n.rose_on)))
    AND (NEW.usage_day_id IS NULL OR EXISTS (SELECT 1 FROM usage_day d WHERE d.id = NEW.usage_day_id
    AND d.customer_id = NEW.customer_id AND d.used_on = NEW.posted_on AND NEW.effective_on >= d.used_on
    AND (NEW.reverses_id IS NOT NULL OR NEW.effective_on >= d.rose_on)))
    AND EXISTS (SELECT 1 FROM entry e WHERE e.id = NEW.entry_id AND e.effective_on = NEW.effective_on)"""


_SENT = "EXISTS (SELECT 1 FROM invoice WHERE id = OLD.invoice_id AND number IS NOT NULL)"
# The lines of a final invoice are inserted after it, up to its total and no further; of usage, with lines below zero,
# up to their count.
_LINE_EXCEEDS = """EXISTS (SELECT 1 FROM invoice i WHERE i.id = NEW.invoice_id AND i.number IS NOT NULL
    AND CASE WHEN i.usage_lines IS NOT NULL THEN i.usage_lines <= (SELECT COUNT(*) FROM invoice_line l
    WHERE l.invoice_id = i.id) ELSE i.total_micros < NEW.net_micros + NEW.tax_micros
    + (SELECT COALESCE(SUM(l.net_micros + l.tax_micros), 0) FROM invoice_line l WHERE l.invoice_id = i.id) END)"""
_SUMMED_UP = "OLD.summary_invoice_id IS NOT NULL"
_SUMMED_UP_SENTENCE = "a day of usage on a summary does not change"


def _move(table: str, column: str) -> str:
    return f"""UPDATE {table} SET open_micros = open_micros - NEW.amount_micros,
        rose_on = CASE WHEN NEW.amount_micros < 0 AND NEW.effective_on > rose_on THEN NEW.effective_on ELSE rose_on END
        WHERE id = NEW.{column};"""


_MOVES = (
    ("lot", "lot_id"),
    ("credit_note", "credit_note_id"),
    ("invoice", "invoice_id"),
    ("usage_day", "usage_day_id"),
)


def _sqlite(there: AbstractSet[str]) -> Iterator[str]:
    def refuse(name: str, when: str, table: str, condition: str, sentence: str) -> str:
        body = f"SELECT RAISE(ABORT, '{sentence}') WHERE {condition};"
        return f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW BEGIN {body} END"

    balanced = "(SELECT COUNT(*) < 2 OR SUM(amount_micros) <> 0 FROM posting WHERE entry_id = NEW.id)"
    yield refuse("guard_entry_balances", "BEFORE INSERT", "entry", balanced, "an entry must balance")
    known = "EXISTS (SELECT 1 FROM entry WHERE id = NEW.entry_id)"
    yield refuse("guard_posting_is_new", "BEFORE INSERT", "posting", known, "an entry takes no further posting")
    misfit = f"(NEW.reverses_id IS NOT NULL AND NOT {_REVERSAL_FITS}) OR NOT ({_OWNERS_FIT})"
    yield refuse(
        "guard_allocation_fits", "BEFORE INSERT", "allocation", misfit, "an allocation joins one customer in time"
    )
    moves = "".join(_move(table, column) for table, column in _MOVES)
    yield f"CREATE TRIGGER guard_allocation_moves AFTER INSERT ON allocation FOR EACH ROW BEGIN {moves} END"
    final = _final("sqlite")
    yield refuse("guard_invoice_final", "BEFORE UPDATE", "invoice", final, "a final invoice does not change")
    yield refuse("guard_invoice_kept", "BEFORE DELETE", "invoice", "OLD.number IS NOT NULL", "a final invoice stays")
    unchanging = "a final invoice does not change"
    yield refuse("guard_invoice_line_final", "BEFORE UPDATE", "invoice_line", _SENT, unchanging)
    yield refuse("guard_invoice_line_kept", "BEFORE DELETE", "invoice_line", _SENT, unchanging)
    yield refuse("guard_invoice_line_fits", "BEFORE INSERT", "invoice_line", _LINE_EXCEEDS, unchanging)
    yield refuse("guard_usage_day_summed_up", "BEFORE UPDATE", "usage_day", _SUMMED_UP, _SUMMED_UP_SENTENCE)
    for table in (each for each in FROZEN if each in there):
        yield refuse(f"guard_{table}_unchanged", "BEFORE UPDATE", table, "1", f"{table} rows do not change")
        yield refuse(f"guard_{table}_undeleted", "BEFORE DELETE", table, "1", f"{table} rows are not deleted")
    for table, columns in _kept(there):
        condition = _changed(columns, "sqlite", number_given_back=table in GIVEN_BACK)
        yield refuse(f"guard_{table}_facts", "BEFORE UPDATE", table, condition, f"{table} facts do not change")
        yield refuse(f"guard_{table}_undeleted", "BEFORE DELETE", table, "1", f"{table} rows are not deleted")


def _postgresql(there: AbstractSet[str]) -> Iterator[str]:
    def function(name: str, body: str) -> str:
        return (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN {body} END $guard$"
        )

    def refusing(condition: str, sentence: str, result: str = "NEW") -> str:
        raising = f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'"
        return f"IF {condition} THEN {raising}; END IF; RETURN {result};"

    def trigger(name: str, when: str, table: str, called: str, each: str = "ROW") -> str:
        return f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {called}()"

    balanced = "(SELECT COUNT(*) < 2 OR SUM(amount_micros) <> 0 FROM posting WHERE entry_id = NEW.id)"
    yield function("guard_entry_balances", refusing(balanced, "an entry must balance"))
    yield trigger("guard_entry_balances", "BEFORE INSERT", "entry", "guard_entry_balances")
    known = "EXISTS (SELECT 1 FROM entry WHERE id = NEW.entry_id)"
    yield function("guard_posting_is_new", refusing(known, "an entry takes no further posting"))
    yield trigger("guard_posting_is_new", "BEFORE INSERT", "posting", "guard_posting_is_new")
    misfit = f"(NEW.reverses_id IS NOT NULL AND NOT {_REVERSAL_FITS}) OR NOT ({_OWNERS_FIT})"
    yield function("guard_allocation_fits", refusing(misfit, "an allocation joins one customer in time"))
    yield trigger("guard_allocation_fits", "BEFORE INSERT", "allocation", "guard_allocation_fits")
    moves = "".join(f"IF NEW.{column} IS NOT NULL THEN {_move(table, column)} END IF;" for table, column in _MOVES)
    yield function("guard_allocation_moves", f"{moves} RETURN NULL;")
    yield trigger("guard_allocation_moves", "AFTER INSERT", "allocation", "guard_allocation_moves")
    final = _final("postgresql")
    yield function("guard_invoice_final", refusing(final, "a final invoice does not change"))
    yield trigger("guard_invoice_final", "BEFORE UPDATE", "invoice", "guard_invoice_final")
    yield function("guard_invoice_kept", refusing("OLD.number IS NOT NULL", "a final invoice stays", "OLD"))
    yield trigger("guard_invoice_kept", "BEFORE DELETE", "invoice", "guard_invoice_kept")
    unchanging = "a final invoice does not change"
    yield function("guard_invoice_line_final", refusing(_SENT, unchanging))
    yield trigger("guard_invoice_line_final", "BEFORE UPDATE", "invoice_line", "guard_invoice_line_final")
    yield function("guard_invoice_line_kept", refusing(_SENT, unchanging, "OLD"))
    yield trigger("guard_invoice_line_kept", "BEFORE DELETE", "invoice_line", "guard_invoice_line_kept")
    yield function("guard_invoice_line_fits", refusing(_LINE_EXCEEDS, unchanging))
    yield trigger("guard_invoice_line_fits", "BEFORE INSERT", "invoice_line", "guard_invoice_line_fits")
    yield function("guard_usage_day_summed_up", refusing(_SUMMED_UP, _SUMMED_UP_SENTENCE))
    yield trigger("guard_usage_day_summed_up", "BEFORE UPDATE", "usage_day", "guard_usage_day_summed_up")
    yield function(
        "guard_refuse", "RAISE EXCEPTION '% rows stay as they are', TG_TABLE_NAME USING ERRCODE = 'check_violation';"
    )
    for table in (each for each in FROZEN if each in there):
        # A statement trigger cannot refuse TRUNCATE of an empty table later filled, so it stands for each statement.
        yield trigger(f"guard_{table}_unchanged", "BEFORE UPDATE", table, "guard_refuse")
        yield trigger(f"guard_{table}_undeleted", "BEFORE DELETE OR TRUNCATE", table, "guard_refuse", "STATEMENT")
    for table, columns in _kept(there):
        changed = _changed(columns, "postgresql", number_given_back=table in GIVEN_BACK)
        yield function(f"guard_{table}_facts", refusing(changed, f"{table} facts do not change"))
        yield trigger(f"guard_{table}_facts", "BEFORE UPDATE", table, f"guard_{table}_facts")
        yield trigger(f"guard_{table}_undeleted", "BEFORE DELETE OR TRUNCATE", table, "guard_refuse", "STATEMENT")


# A withdrawal takes what its open hold has of the lot, no more and no less, and gives the lot's hold back with it.
_HELD = """EXISTS (SELECT 1 FROM hold h JOIN hold_lot hl ON hl.hold_id = h.id WHERE h.id = NEW.withdrawal_id
    AND h.state = 'open' AND h.customer_id = NEW.customer_id AND hl.lot_id = NEW.lot_id
    AND hl.amount_micros = NEW.amount_micros)"""
_TAKEN = """UPDATE lot SET open_micros = open_micros - NEW.amount_micros, held_micros = held_micros - NEW.amount_micros
    WHERE id = NEW.lot_id;"""
_SENTENCE = "a withdrawal takes what is held for it"


# What a credit document takes of a lot was there, of its own customer; what it gives back is what it took.
_TAKES_FREE = """EXISTS (SELECT 1 FROM lot l JOIN credit c ON c.id = NEW.credit_id WHERE l.id = NEW.lot_id
    AND l.customer_id = NEW.customer_id AND c.customer_id = NEW.customer_id AND l.closed_on IS NULL
    AND l.opened_on = NEW.credit_on AND NEW.effective_on >= l.opened_on
    AND (NEW.reverses_id IS NOT NULL OR NEW.effective_on >= l.rose_on))
    AND EXISTS (SELECT 1 FROM entry e WHERE e.id = NEW.entry_id AND e.effective_on = NEW.effective_on)
    AND (NEW.reverses_id IS NULL OR EXISTS (SELECT 1 FROM taken o WHERE o.id = NEW.reverses_id
    AND o.reverses_id IS NULL AND o.amount_micros = -NEW.amount_micros AND o.lot_id = NEW.lot_id
    AND o.credit_id = NEW.credit_id AND o.effective_on <= NEW.effective_on))"""
_TAKES_FREE_SENTENCE = "a credit document takes what is there"

# What is written off was owed, of an invoice of the document's customer; what is given back is what was written off.
_GIVES_UP = """EXISTS (SELECT 1 FROM invoice i JOIN write_off w ON w.id = NEW.write_off_id WHERE i.id = NEW.invoice_id
    AND w.invoice_id = i.id AND w.customer_id = NEW.customer_id AND i.customer_id = NEW.customer_id AND i.kind = 'tax'
    AND i.posted_on = NEW.posted_on AND i.due_on = NEW.due_on AND i.issue_on = NEW.issue_on
    AND NEW.effective_on >= i.posted_on AND ((NEW.reverses_id IS NOT NULL AND i.state IN ('sent', 'written_off'))
    OR (i.state = 'sent' AND NEW.effective_on >= i.rose_on AND NEW.amount_micros = w.amount_micros)))
    AND EXISTS (SELECT 1 FROM entry e WHERE e.id = NEW.entry_id AND e.effective_on = NEW.effective_on)
    AND (NEW.reverses_id IS NULL OR EXISTS (SELECT 1 FROM written_off o WHERE o.id = NEW.reverses_id
    AND o.reverses_id IS NULL AND o.amount_micros = -NEW.amount_micros AND o.write_off_id = NEW.write_off_id
    AND o.effective_on <= NEW.effective_on))"""
_GIVES_UP_SENTENCE = "a write-off takes what is owed"
# An invoice with nothing left to pay is written off then; what is given back makes it owed again.
_GIVEN_UP = """UPDATE invoice SET open_micros = open_micros - NEW.amount_micros,
    rose_on = CASE WHEN NEW.amount_micros < 0 AND NEW.effective_on > rose_on THEN NEW.effective_on ELSE rose_on END,
    state = CASE WHEN NEW.amount_micros < 0 THEN 'sent' WHEN open_micros = NEW.amount_micros THEN 'written_off'
    ELSE state END WHERE id = NEW.invoice_id;"""
_LIVE_WRITE_OFF = """EXISTS (SELECT 1 FROM written_off o WHERE o.invoice_id = NEW.id AND o.reverses_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM written_off b WHERE b.reverses_id = o.id))"""


def _written_off_only_so(dialect: str) -> Iterator[str]:
    """An invoice is written off by a document that stands, with nothing open, and by nothing else."""
    other = "OLD.state <> NEW.state" if dialect == "sqlite" else "OLD.state IS DISTINCT FROM NEW.state"
    misfit = f"""(NEW.state = 'written_off' AND (NEW.open_micros <> 0 OR ({other} AND NOT ({_LIVE_WRITE_OFF}))))
        OR (OLD.state = 'written_off' AND {other} AND (NEW.state <> 'sent' OR NEW.open_micros = 0))"""
    sentence = "an invoice is written off by its document"
    name = "guard_invoice_written_off"
    if dialect == "sqlite":
        body = f"SELECT RAISE(ABORT, '{sentence}') WHERE {misfit};"
        yield f"CREATE TRIGGER {name} BEFORE UPDATE ON invoice FOR EACH ROW BEGIN {body} END"
        return
    raising = f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'"
    body = f"IF {misfit} THEN {raising}; END IF; RETURN NEW;"
    yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN {body} END $guard$"
    yield f"CREATE TRIGGER {name} BEFORE UPDATE ON invoice FOR EACH ROW EXECUTE FUNCTION {name}()"


def _fits_and_moves(table: str, fits: str, moves: str, sentence: str, dialect: str) -> Iterator[str]:
    """A row is refused unless it fits, and moves what it is about."""
    if dialect == "sqlite":
        body = f"SELECT RAISE(ABORT, '{sentence}') WHERE NOT ({fits});"
        yield f"CREATE TRIGGER guard_{table}_fits BEFORE INSERT ON {table} FOR EACH ROW BEGIN {body} END"
        yield f"CREATE TRIGGER guard_{table}_moves AFTER INSERT ON {table} FOR EACH ROW BEGIN {moves} END"
        return
    raising = f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'"
    bodies = {
        "fits": ("BEFORE", f"IF NOT ({fits}) THEN {raising}; END IF; RETURN NEW;"),
        "moves": ("AFTER", f"{moves} RETURN NULL;"),
    }
    for name, (when, body) in bodies.items():
        yield (
            f"CREATE OR REPLACE FUNCTION guard_{table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $guard$ "
            f"BEGIN {body} END $guard$"
        )
        yield (
            f"CREATE TRIGGER guard_{table}_{name} {when} INSERT ON {table} FOR EACH ROW "
            f"EXECUTE FUNCTION guard_{table}_{name}()"
        )
