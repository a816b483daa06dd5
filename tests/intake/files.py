"""Small files to import, and what came of importing them."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bot.intake import customers, invoices
from bot.intake.faults import Stopped
from bot.intake.opening import Asked, take_over
from bot.intake.run import Run
from tests.world import World

CUSTOMERS = """code,name,currency,mode,limit,contact,email
ACME,Acme Pte Ltd,SGD,postpaid,5000,Ann,ann@acme.example
BETA,"Beta, Sons",SGD,prepaid,,,
GAMMA,Gamma KK,JPY,postpaid,,,
"""
INVOICES = """number,customer,issued,due,open,description
OLD-1,ACME,2026-07-01,2026-07-31,1000.50,Consulting
OLD-2,ACME,2026-09-20,2026-10-20,200,
OLD-3,GAMMA,2026-10-01,2026-11-15,90000,
"""
PAYMENTS = """number,customer,received,amount,payer,reference
OLDPAY-1,ACME,2026-10-05,150.25,Acme Bank,TT-1
"""
BALANCES = """customer,amount
BETA,75.10
"""
CONTROL = """currency,receivables,unapplied,wallet
SGD,1200.50,150.25,75.10
JPY,90000,0,0
"""
AS_OF = date(2026, 10, 31)
FILES = {
    "customers.csv": CUSTOMERS,
    "invoices.csv": INVOICES,
    "payments.csv": PAYMENTS,
    "balances.csv": BALANCES,
    "control.csv": CONTROL,
}


def write_files(folder: Path, **changed: str) -> Path:
    """The sample opening with some of its files changed; an empty text leaves the file out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **{f"{name}.csv": text for name, text in changed.items()}}.items():
        if text:
            (folder / name).write_bytes(text.encode())
    return folder


@dataclass
class Done:
    """What was said, and the faults that stopped it."""

    said: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def watched(work: Callable[[Done], None]) -> Done:
    done = Done()
    try:
        work(done)
    except Stopped as stopped:
        done.faults = list(stopped.faults.told())
    return done


def open_books(
    world: World,
    folder: Path,
    *,
    as_of: date = AS_OF,
    name: str = "old",
    dry_run: bool = False,
    control: Path | None = None,
) -> Done:
    """Take an opening over by the world's clock."""
    asked = Asked(folder=folder, as_of=as_of, name=name, dry_run=dry_run, control=control)
    return watched(lambda done: take_over(world.desk, asked, done.said.append))


def bring_customers(world: World, path: Path, *, dry_run: bool = False) -> Done:
    with closing(Run.over(world.desk)) as run:
        return watched(lambda done: done.said.append(customers.bring(run, path, dry_run=dry_run)))


def bring_invoices(world: World, path: Path, *, dry_run: bool = False) -> Done:
    with closing(Run.over(world.desk)) as run:
        return watched(lambda done: done.said.append(invoices.bring(run, path, dry_run=dry_run)))
