"""W3: the reminders of a day over all open invoices. The floor picks what is overdue and not reminded yet, writes each
letter and marks it; ours plans every customer with all checks and reasons. Writing and handing over are apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from jinja2 import Template

from benchmarks.adapter import OurBooks, asked
from benchmarks.data import TODAY, Books
from benchmarks.floors import Floor
from benchmarks.measure import Figure, Measured, Sample, in_turn, milliseconds
from benchmarks.stage import Stage, settle, staged
from bot.desk import Desk
from bot.domain.reminder_runs import CancelReminders, ReleaseReminders, cancel_reminders, release_reminders
from bot.domain.reminder_templates import SaveSchedule, SaveTemplate, save_schedule, save_template
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.reminders import prepare, run_reminders, watch_reminders
from bot.storage.jobs import JobRun
from bot.storage.reminder_reads import to_send

INVOICES_OF_A_CUSTOMER = 5
LATE = timedelta(days=3)
LETTERS = 500  # written one after the other
SETTINGS = {"reminders": "automatic", "reminder_fresh_days": "0", "reminder_days": "daily"}
BODY = """Dear {{ customer }},
{% for invoice in invoices %}
{{ invoice.number }} {{ invoice.due }} {{ invoice.open }}
{% endfor %}
Together {{ total }}"""
ALL_CONTACTS = """
    INSERT INTO contact (id, customer_id, name, email, phone)
    SELECT id, id, name, lower(code) || '@example.com', '' FROM customer
"""
REMINDED = "CREATE TABLE reminded (invoice bigint PRIMARY KEY, sent_on date NOT NULL)"
PICK = """
    SELECT i.number, c.name, i.due_on, i.open_micros FROM invoices i JOIN customers c ON c.number = i.customer
    LEFT JOIN reminded r ON r.invoice = i.number WHERE i.open_micros > 0 AND i.due_on <= ? AND r.invoice IS NULL
"""
LETTER = Template("Dear {{ name }}, invoice {{ number }}, due {{ due_on }}, has {{ open }} open.")


def remind(stage: Stage) -> list[Figure]:
    """W3 on books of their own: five open invoices to a customer, nearly all of them overdue."""
    figures = []
    books = Books(stage.size, of_customer=INVOICES_OF_A_CUSTOMER)
    with another(stage, books) as other:
        floor_table(other.floor)
        overdue = len(other.floor.run(PICK, TODAY - LATE).fetchall())
        ours = planned(other, other.ours, overdue) if isinstance(other.ours, OurBooks) else None
        samples = in_turn(stage.plan.repeats, lambda: floor_each(other.floor, overdue), ours)
        figures.append(other.figure("W3", "plan, each reminder", "us", samples))
        if isinstance(other.ours, OurBooks):
            figures += letters(other, other.ours)
    return figures


@contextmanager
def another(stage: Stage, books: Books) -> Iterator[Stage]:
    """The same engine and size, other books."""
    with staged(stage.engine, stage.size, stage.plan, stage.adapter, stage.conninfo, books=books) as other:
        yield other


def floor_table(floor: Floor) -> None:
    floor.run(REMINDED)


def floor_each(floor: Floor, overdue: int) -> float:
    """Microseconds for each reminder; the marks are taken away again afterwards."""

    def work() -> None:
        floor.run("BEGIN")
        rows = floor.run(PICK, TODAY - LATE).fetchall()
        for number, name, due_on, open_micros in rows:
            LETTER.render(name=name, number=number, due_on=due_on, open=open_micros)
        marks = ((row[0], TODAY) for row in rows)
        floor.fill_plain("reminded", marks)
        floor.run("COMMIT")
        assert len(rows) == overdue

    took = milliseconds(work)
    floor.run("DELETE FROM reminded")
    return took * 1000 / overdue


def planned(stage: Stage, ours: OurBooks, overdue: int) -> Measured:
    """Plans day after day; each plan is cancelled before the next, so that it has as much to do. The server knows its
    tables from the plan of the first day, as it does in a book that is in use.
    """
    prepared_books(ours)
    days = (TODAY + timedelta(days=ahead) for ahead in count())

    def one_turn() -> float:
        desk, run = on(ours, next(days))
        took = milliseconds(lambda: run_reminders(desk, run))
        plan = ours.store.read(lambda books: books.reminder_run_of(run.day))
        assert plan is not None
        counts = ours.store.read(lambda books: books.reminder_counts(plan.id))
        assert counts.invoices >= overdue, (counts, overdue)
        cancelled = CancelReminders(run_id=plan.id, version=plan.version)
        desk.carry_out(cancel_reminders, cancelled, replace(asked(f"cancel {run.day}"), deadline=None))
        settle(stage.engine, stage.ours_where)
        return took * 1000 / counts.invoices

    return one_turn


def letters(stage: Stage, ours: OurBooks) -> list[Figure]:
    """How long a letter takes to be written, and to be handed over for sending in a transaction of its own."""
    desk, run = on(ours, TODAY + timedelta(days=59))
    run_reminders(desk, run)
    plan = ours.store.read(lambda books: books.reminder_run_of(run.day))
    assert plan is not None
    now = desk.clock() + timedelta(hours=2)
    release = ReleaseReminders(run_id=plan.id, version=plan.version)
    desk.carry_out(release_reminders, release, replace(asked("release"), deadline=None))
    written = milliseconds(
        lambda: ours.store.read(lambda books: prepare(books, to_send(books.connection, now, 0, LETTERS), now))
    )
    handed: list[int] = []
    took = milliseconds(lambda: handed.append(watch_reminders(Desk(ours.store, clock=lambda: now), now)))
    assert handed[0] > 0
    return [
        stage.figure("W3", "write a letter", "us", (None, Sample((written * 1000 / LETTERS,)))),
        stage.figure("W3", "hand a letter over", "us", (None, Sample((took * 1000 / handed[0],)))),
    ]


def on(ours: OurBooks, day: date) -> tuple[Desk, JobRun]:
    """A desk on the morning of a day, and the run of its plan."""
    morning = datetime.combine(day, time(8), UTC)
    facts: dict[str, Any] = dict.fromkeys(("asked_by", "error", "result", "payload", "baseline"), "")
    run = JobRun(
        id=1,
        job="reminders",
        period=f"book {day}",
        target="book",
        day=day,
        state="running",
        owner="bench",
        attempt=1,
        not_before=morning,
        finished_at=None,
        **facts,
    )
    return Desk(ours.store, clock=lambda: morning), run


def prepared_books(ours: OurBooks) -> None:
    """Everybody has an address; one text and one step."""
    ours.store.write(lambda connection: connection.exec_driver_sql(ALL_CONTACTS))
    template = SaveTemplate(name="First", language="en", subject="{{ total }} is overdue", body=BODY)
    ours.desk.carry_out(save_template, template, asked("template"))
    ours.desk.carry_out(save_schedule, SaveSchedule(name="Usual", steps="3 days after: First"), asked("schedule"))
    for name, value in SETTINGS.items():
        ours.desk.carry_out(change_setting, ChangeSetting(name=name, value=value), asked(name))
