"""Mails to send in tests, without papers, and workers with short patience."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bot.desk import Desk
from bot.documents.pool import BookAt, Renderer
from bot.domain.customers import Customer
from bot.domain.mail import KeptMail, Mail, MailAbout, MailState
from bot.domain.settings import Settings
from bot.jobs.mail import MailWorker
from bot.jobs.mailbox import MailboxReader
from bot.jobs.smtp import Post
from bot.mail_servers import MailServer, Sender
from bot.storage.books import SqlBooks
from bot.storage.ids import new_id
from bot.storage.store import Store
from tests.domain.expect import ask_sql
from tests.world import World

COPIES = "copies@duedesk.example"
SENDER = Sender("Müller Billing", "billing@duedesk.example")


def write(world: World, customer: Customer, count: int = 1, **changes: Any) -> list[int]:
    """Queue so many mails about an invoice of a customer; returns their ids."""
    facts: dict[str, Any] = {
        "about": MailAbout.STATEMENT,
        "about_id": customer.id,
        "subject": "Hello Zoë",
        "body": "Hi",
    }
    facts |= {"to": (f"accounts@{customer.code.lower()}.example",)} | changes
    made = [Mail(id=new_id(), customer_id=customer.id, **facts) for _ in range(count)]

    def work(connection: Connection) -> None:
        books = SqlBooks(connection, Settings(), operation_id=_operation(connection), now=world.now)
        for each in made:
            books.mails.insert(each)
        books.flush()

    world.store.write(work)
    return [each.id for each in made]


def _operation(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT MAX(id) FROM audit").scalar() or 0)


def worker(store: Store, url: str, server: MailServer, copies: MailServer | None = None) -> MailWorker:
    """A worker that waits for nothing long."""
    return MailWorker(
        desk=Desk(store),
        post=Post(server, timeout=0.3, data_timeout=0.3),
        renderer=Renderer(),
        book=BookAt(url, store.book),
        sender=SENDER,
        copy_to=COPIES if copies is not None else "",
        copies=MailboxReader(copies, timeout=5) if copies is not None else None,
        look_for=timedelta(seconds=0.4),
        look_every=timedelta(seconds=0.05),
        back_off=lambda _attempts: 0.01,
    )


def kept(world: World, mail_id: int) -> KeptMail:
    return world.store.read(lambda books: books.mail(mail_id))


def states(world: World) -> dict[MailState, int]:
    return {MailState(row[0]): row[1] for row in ask_sql(world, "SELECT state, COUNT(*) FROM mail GROUP BY state")}


def waiting(world: World) -> int:
    found = ask_sql(world, "SELECT COUNT(*) FROM outbox WHERE kind = 'mail' AND state = 'waiting'")
    return int(found[0][0])
