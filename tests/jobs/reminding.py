"""A book that reminds: texts, a schedule, and a clock that is moved from day to day."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from bot.domain.customers import Contact, Customer, Mode, NewCustomer, new_customer
from bot.domain.disputes import OpenDispute, open_dispute
from bot.domain.mail import KeptMail, MailState
from bot.domain.money import currency
from bot.domain.reminder_ports import Message, MessageState
from bot.domain.reminder_templates import SaveSchedule, SaveTemplate, save_schedule, save_template
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.reminders import watch_reminders
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage import mails
from bot.storage.jobs import JobRun, JobRuns
from bot.storage.tables import MailRow
from tests.world import OWNER, World

_mail = MailRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one

STEPS = """3 days before: Friendly
on due: Friendly
7 days after: First
14 days after: Second
30 days after, every 14 days: Last"""
BODY = """Dear {{ customer }},
{% for invoice in invoices %}
{{ invoice.number }} due {{ invoice.due }} {{ invoice.open }}
{% endfor %}
Together {{ total }}"""


def reminding(world: World, steps: str = STEPS, **settings: str) -> None:
    """Texts, a default schedule and settings; sent without a look unless said otherwise."""
    for name in ("Friendly", "First", "Second", "Last"):
        command = SaveTemplate(name=name, language="en", subject=f"{name}: {{{{ total }}}}", body=BODY)
        world.do(save_template, command)
    world.do(save_schedule, SaveSchedule(name="Usual", steps=steps))
    for name, value in {"reminders": "automatic", "reminder_fresh_days": "0", **settings}.items():
        world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)


def reachable(world: World, code: str = "ACME", *, of: str = "SGD", zone: str = "", country: str = "") -> Customer:
    """A postpaid customer with an address."""
    world.keep(of)
    command = NewCustomer(
        code=code,
        name=f"{code} Pte Ltd",
        currency=currency(of),
        mode=Mode.POSTPAID,
        zone=zone,
        country=country,
        contacts=(Contact(name="Accounts", email=f"{code.lower()}@example.com"),),
    )
    return world.do(new_customer, command).customer


def tick(world: World, at: datetime | None = None, name: str = "one") -> None:
    """What a process does every ten seconds, at a moment."""
    world.now = at or world.now
    Runner(
        world.desk,
        jobs={"reminders": JOBS["reminders"]},
        watches={"reminders": watch_reminders},
        now=lambda: world.now,
        name=name,
    ).run_once()


def waiting_mails(world: World, *, only: int = 0, of: int = 0, unknown: bool = False) -> list[KeptMail]:
    """What was handed over and is not settled: all, one, or that of a customer; or of which nobody knows."""
    state = MailState.UNKNOWN if unknown else MailState.WAITING
    asked = mails.MAILS.where(_mail.c.state == state.value)
    rows = world.store.read(lambda books: books.connection.execute(asked).all())
    found = map(mails.kept_mail, rows)
    return [each for each in found if only in {0, each.mail.id} and of in {0, each.mail.customer_id}]


def deliver(world: World, state: MailState = MailState.SENT, *, only: int = 0, of: int = 0) -> list[KeptMail]:
    """Settle what waits or is not known, as the worker of mails does: all, one, or that of a customer."""
    found = [*waiting_mails(world, only=only, of=of), *waiting_mails(world, only=only, of=of, unknown=True)]

    def settle(connection: Connection) -> None:
        for each in found:
            mails.settle(connection, each.mail.id, state, "250 ok", world.now)

    world.store.write(settle)
    return found


def messages(world: World, state: MessageState | None = None) -> list[Message]:
    """All messages but those that wait, the newest first."""
    lines = world.store.read(lambda books: books.reminder_log(None, 10_000))
    return [each.message for each in lines if state is None or each.message.state is state]


def newest(world: World) -> JobRun:
    """The last run of the job."""
    found = JobRuns(world.store).newest("reminders", "book")
    assert found is not None
    return found


def reminded(world: World) -> Customer:
    """A customer of which one reminder was sent, as they go out on a working day; another one was left out."""
    reminding(world)
    customer = reachable(world, "LATE")
    world.invoice(customer, 75, issued=-40, due=-8)
    held = world.invoice(reachable(world, "HELD"), 60, issued=-40, due=-8)
    world.do(open_dispute, OpenDispute(invoice_id=held.id, reason="quantity"))
    for moment in (world.now, world.now + timedelta(hours=1)):
        tick(world, moment)
    deliver(world)
    return customer


def at_noon(world: World) -> None:
    """The world's clock is the real one, as the database's is, and it is about noon in the book."""
    world.now = datetime.now(UTC)
    ahead = 12 - world.now.hour
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "UTC"  # these are named the other way round
    for name, value in {"zone": zone, "reminder_days": "daily"}.items():
        world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)
