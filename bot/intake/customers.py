"""Customers from a file: checked as the form checks them, then opened; those that are there get their contacts."""

import json
from dataclasses import replace
from pathlib import Path

from bot.domain.customers import (
    LONGEST_ID,
    LONGEST_NAME,
    Contact,
    Customer,
    Mode,
    NewCustomer,
    clean_code,
    clean_contacts,
    clean_country,
    clean_due_days,
    clean_text,
    clean_zone,
)
from bot.domain.errors import Refused
from bot.domain.intake import ImportCustomers, ImportedCustomer, import_customers
from bot.domain.money import Currency, Money
from bot.domain.payment_settings import PaymentSettings, TopUpMethod, is_from_stripe
from bot.intake.cells import Line
from bot.intake.reader import Column, Row
from bot.intake.run import Run
from bot.storage.intake_reads import Known, owners_of

CUSTOMERS = "customers"
COLUMNS = (
    Column("code", needed=True),
    Column("name", needed=True),
    Column("currency", needed=True),
    Column("mode", needed=True),
    Column("due_days"),
    Column("billing_name"),
    Column("country"),
    Column("zone"),
    Column("uuid"),
    Column("wallet_id"),
    Column("limit"),
    Column("contact"),
    Column("email"),
    Column("phone"),
    Column("more_contacts"),
    Column("payment_method"),
    Column("trigger_amount"),
    Column("threshold"),
    Column("auto_trigger"),
)
METHODS = {each.value: each for each in TopUpMethod}
SWITCH = {"on": True, "off": False}
# A new customer's balance is zero until its credit is taken over: it would be topped up before that.
NOT_YET = "its balance is not in the book yet; write off, and switch it on with /payment-settings when it is."
MODES = {each.value: each for each in Mode}
FIXED = ("name", "currency", "mode", "due_days", "billing_name", "country", "zone")


def check(run: Run, path: Path, *, with_limits: bool) -> None:
    """Read the whole file; faults are collected, good lines kept for writing."""
    for rows in run.read(path, COLUMNS):
        codes = [row.cells["code"].strip().upper() for row in rows]
        known = run.customers(codes)
        owners = _owners(run, rows)
        for row, code in zip(rows, codes, strict=True):
            line = run.line(path.name, row)
            given = parse(line)
            _check_once(run, line, code)
            _check_ids(run, line, code, owners)
            if given is not None:
                _compare(run, line, given, known.get(code), with_limits=with_limits)


def write(run: Run, intake_id: int | None = None) -> tuple[int, int]:
    """Write what was checked, a batch at a time; how many were opened and how many corrected."""
    opened = corrected = 0
    for rows in run.again(CUSTOMERS):
        given = tuple(parsed(run.line(CUSTOMERS, row)) for row in rows)
        done = run.write(import_customers, ImportCustomers(customers=given, intake_id=intake_id))
        opened, corrected = opened + done.written, corrected + done.corrected
    return opened, corrected


def parsed(line: Line) -> ImportedCustomer:
    """A line that was checked before."""
    given = parse(line)
    assert given is not None
    return given


def parse(line: Line) -> ImportedCustomer | None:
    """A line as a customer, or nothing with its faults told."""
    of = line.currency("currency")
    terms = {
        "code": line.clean("code", clean_code),
        "name": line.clean("name", lambda text: clean_text(text, "name", LONGEST_NAME, needed=True)),
        "mode": line.choice("mode", MODES),
        "country": line.clean("country", clean_country),
        "billing_name": line.clean("billing_name", lambda text: clean_text(text, "billing_name", LONGEST_NAME)),
        "zone": line.clean("zone", clean_zone),
        "uuid": line.clean("uuid", lambda text: clean_text(text, "uuid", LONGEST_ID).lower()),
        "wallet_id": line.clean("wallet_id", lambda text: clean_text(text, "wallet_id", LONGEST_ID).upper()),
    }
    days = line.whole("due_days")
    line.clean("due_days", lambda _: clean_due_days(days))
    contacts = _contacts(line)
    limit = None
    if of is not None and line.text("limit").strip():
        limit = line.amount("limit", of, zero=True)
    settings = _settings(line, of) if of is not None and line.text("payment_method").strip() else None
    if line.is_wrong or of is None:
        return None
    new = NewCustomer(currency=of, due_days=days, contacts=contacts, **terms)  # type: ignore[arg-type]  # checked above
    return ImportedCustomer(terms=new, limit=limit, settings=settings)


def _settings(line: Line, of: Currency) -> PaymentSettings | None:
    """How a customer is topped up by itself; of Stripe what its own process said. Rules 70, 71."""
    method, auto = line.choice("payment_method", METHODS), line.choice("auto_trigger", SWITCH)
    amount = line.amount("trigger_amount", of)
    threshold = line.amount("threshold", of, zero=True)
    if line.text("mode").strip().lower() != Mode.PREPAID.value:
        line.fault("payment_method", "only a prepaid customer has payment settings; leave them empty.")
    if line.is_wrong or method is None or amount is None or threshold is None or auto is None:
        return None
    return PaymentSettings(method=method, amount=amount, threshold=threshold, auto=auto)


def _contacts(line: Line) -> tuple[Contact, ...]:
    found = []
    first = Contact(name=line.text("contact"), email=line.text("email"), phone=line.text("phone"))
    if first != Contact(name=""):
        found.append(("email", first))
    found += [("more_contacts", each) for each in _more(line)]
    for column, contact in found:
        try:
            clean_contacts((contact,))
        except Refused as refusal:
            named = {"contact": "contact", "email": "email", "phone": "phone"}.get(refusal.field or "", column)
            line.fault(column if column == "more_contacts" else named, refusal.sentence)
    return () if line.is_wrong else clean_contacts(tuple(each for _, each in found))


def _more(line: Line) -> list[Contact]:
    """Further contacts, as JSON: [{"name": ..., "email": ..., "phone": ...}]."""
    text = line.text("more_contacts").strip()
    if not text:
        return []
    try:
        return [
            Contact(name=str(each["name"]), email=str(each.get("email", "")), phone=str(each.get("phone", "")))
            for each in json.loads(text)
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        line.fault("more_contacts", 'write further contacts as [{"name": "A", "email": "", "phone": ""}].')
        return []


def _check_once(run: Run, line: Line, code: str) -> None:
    before = run.spill.put(CUSTOMERS, code, line.row)
    if before is not None and code:
        line.fault("code", f"{code} stands in line {before} already; each customer has one line.")


def _owners(run: Run, rows: list[Row]) -> dict[str, dict[str, str]]:
    """Whose the UUIDs and wallet IDs of some lines are in the book."""
    wanted = {
        "uuid": [row.cells["uuid"].strip().lower() for row in rows],
        "wallet_id": [row.cells["wallet_id"].strip().upper() for row in rows],
    }
    return run.desk.store.read(lambda books: {name: owners_of(books, name, each) for name, each in wanted.items()})


def _check_ids(run: Run, line: Line, code: str, owners: dict[str, dict[str, str]]) -> None:
    for column, text in (("uuid", line.text("uuid").lower()), ("wallet_id", line.text("wallet_id").upper())):
        value = text.strip()
        if not value:
            continue
        before = run.spill.mark(f"customers.{column}", value, line.row.line)
        if before is not None:
            line.fault(column, f"{value[:LONGEST_ID]} stands in line {before} already; each customer has its own.")
        owner = owners[column].get(value)
        if owner is not None and owner != code:
            line.fault(column, f"{value} is {owner}'s in the book; each customer has its own.")


def _compare(run: Run, line: Line, given: ImportedCustomer, known: Known | None, *, with_limits: bool) -> None:
    """A customer that is there keeps what it is; a line that says otherwise is a fault that names both."""
    if known is None:
        run.new += 1
        if given.settings is not None and given.settings.acts:
            line.fault("auto_trigger", NOT_YET)
        return
    customer, terms = known.customer, given.terms
    for column in FIXED:
        ours, theirs = _told(getattr(customer, column)), _told(getattr(terms, column))
        if theirs and ours != theirs:  # what is left empty is not said
            line.fault(column, f"{customer.code} has {ours or 'nothing'} in the book and {theirs} here.")
    for column in ("uuid", "wallet_id"):
        theirs = getattr(terms, column)
        if theirs and theirs != getattr(customer, column):
            line.fault(column, f"{customer.code} has {getattr(customer, column)} in the book and {theirs} here.")
    if given.limit is not None and not with_limits and given.limit.micros != customer.limit_micros:
        line.fault("limit", f"{customer.code} has {_limit(customer)} in the book and {given.limit} here.")
    if terms.contacts and clean_contacts(terms.contacts) != known.contacts:
        run.corrected += 1
    if given.settings is not None:
        _compare_settings(run, line, given.settings, customer)


def _compare_settings(run: Run, line: Line, given: PaymentSettings, customer: Customer) -> None:
    """What Stripe says is taken over whenever it changes; what people set is changed by them."""
    kept = run.desk.store.read(lambda books: books.payment_settings(customer))
    if kept is not None and replace(kept, id=0) == given:
        return
    if is_from_stripe(given, kept):
        run.corrected += 1
    else:
        ours = kept.told() if kept is not None else "no payment settings"
        line.fault("payment_method", f"{customer.code} has {ours} in the book; change it with /payment-settings.")


def _limit(customer: Customer) -> Money:
    return Money(customer.limit_micros, customer.currency)


def _told(value: object) -> str:
    return "" if value is None else str(getattr(value, "code", value))


def bring(run: Run, path: Path, *, dry_run: bool) -> str:
    """Check a file of customers and write it; what was done, in a sentence. Raises Stopped."""
    check(run, path, with_limits=False)
    run.stop_if_wrong()
    count = run.spill.counts.get(CUSTOMERS, 0)
    would = f"{count:,} lines: {run.new:,} new customers, {run.corrected:,} with other contacts"
    if dry_run:
        return f"{would}. Nothing was written: this was a dry run."
    if not run.new and not run.corrected:
        return f"{count:,} lines: all of them are in the book already. Nothing was changed."
    opened, corrected = write(run)
    run.seal()
    return f"{count:,} lines: {opened:,} customers opened, {corrected:,} corrected."
