"""Usage that was measured elsewhere, from a file: each id once, in bounded memory, by customer."""

from pathlib import Path

from bot.domain.customers import CustomerState, clean_text
from bot.domain.usage import (
    LONGEST_ID,
    LONGEST_PRODUCT,
    MOST_LINES,
    Charge,
    ImportUsage,
    UsageLine,
    import_usage,
)
from bot.intake.cells import FINEST, Line, shown
from bot.intake.reader import Column, Row
from bot.intake.run import Run, bar
from bot.storage.intake_reads import Known, known_usage

USAGE = "usage"
MOST_NAMED = 10
COLUMNS = (
    Column("id", needed=True),
    Column("customer", needed=True),
    Column("used", needed=True),
    Column("product", needed=True),
    Column("net", needed=True),
    Column("tax_rate"),
    Column("cost"),
    Column("currency"),
)


def bring(run: Run, path: Path, *, dry_run: bool) -> str:
    """Check a file of usage and charge it; what was done, in a sentence. Raises Stopped."""
    for rows in run.read(path, COLUMNS):
        _check(run, path.name, rows)
    run.stop_if_wrong()
    count = run.spill.counts.get(USAGE, 0)
    if dry_run:
        return f"{count:,} lines: {run.new:,} new. Nothing was charged: this was a dry run."
    if not run.new:
        return f"{count:,} lines: all of them are in the book already. Nothing was changed."
    charged, over = _write(run, count)
    said = f"{count:,} lines: {charged:,} charged."
    if not over:
        return said
    named = ", ".join(over[:MOST_NAMED]) + (f" and {len(over) - MOST_NAMED} more" if len(over) > MOST_NAMED else "")
    return f"{said} Over what they may spend: {named}."


def _check(run: Run, file: str, rows: list[Row]) -> None:
    owners = run.customers(row.cells["customer"].strip().upper() for row in rows)
    there = run.desk.store.read(lambda books: known_usage(books, [row.cells["id"].strip() for row in rows]))
    for row in rows:
        line = run.line(file, row)
        identity = line.text("id").strip()
        before = run.spill.put(USAGE, identity, row)
        if before is not None and identity:
            line.fault("id", f"{identity[:40]} stands in line {before} already; each id is one line of usage.")
        used = parse(line, owners)
        if used is not None:
            _compare(run, line, used, owners[line.text("customer").strip().upper()], there.get(used.external_id))


def _compare(run: Run, line: Line, used: UsageLine, owner: Known, kept: Charge | None) -> None:
    """An id that is in the book already is the same usage, or a fault."""
    if used.used_on > run.today:
        line.fault("used", f"{used.used_on} lies in the future; usage is charged once it happened.")
    if kept is None:
        run.new += 1
    elif (kept.customer_id, kept.used_on, kept.net) != (owner.customer.id, used.used_on, used.net):
        line.fault("id", f"{used.external_id[:40]} is {kept.net} of {kept.used_on} in the book, and not the same here.")


def parse(line: Line, owners: dict[str, Known]) -> UsageLine | None:
    """A line as usage, or nothing with its faults told."""
    code = line.text("customer").strip().upper()
    known = owners.get(code)
    external_id = line.clean("id", lambda text: clean_text(text, "id", LONGEST_ID, needed=True))
    product = line.clean("product", lambda text: clean_text(text, "product", LONGEST_PRODUCT, needed=True))
    used_on, rate = line.day("used"), line.number("tax_rate", "0")
    if rate is not None and rate > 100:  # noqa: PLR2004  # per cent
        line.fault("tax_rate", "the tax rate goes from 0 to 100 per cent.")
    if known is None:
        line.fault("customer", f"there is no customer {shown(code)} in the book; import it first.")
        return None
    customer = known.customer
    if customer.state is CustomerState.CLOSED:
        line.fault("customer", f"{customer.code} is closed; open it again first.")
    line.same_currency("currency", customer.currency)
    net = line.amount("net", customer.currency, finest=FINEST)
    typed_cost = line.text("cost").strip()
    cost = line.amount("cost", customer.currency, zero=True, finest=FINEST) if typed_cost else None
    if line.is_wrong or not external_id or not product or used_on is None or net is None or rate is None:
        return None
    return UsageLine(external_id=external_id, used_on=used_on, product=product, net=net, tax_rate=rate, cost=cost)


def _write(run: Run, count: int) -> tuple[int, list[str]]:
    """Charge what was checked, one customer at a time; how many lines were new, and who is over now."""
    charged, over = 0, dict[str, bool]()
    with bar(f"charging {USAGE}", count) as progress:
        for rows in run.spill.grouped(USAGE, "customer", MOST_LINES):
            owners = run.customers([rows[0].cells["customer"].strip().upper()])
            (known,) = owners.values()
            lines = [parse(run.line(USAGE, row), owners) for row in rows]
            mine = tuple(each for each in lines if each is not None)
            command = ImportUsage(customer_id=known.customer.id, lines=mine)
            done = run.desk.carry_out(import_usage, command, run.request())
            charged += done.charged
            if done.charged and done.is_over:
                over[known.customer.code] = True
            progress.update(len(rows))
    run.seal()
    return charged, list(over)
