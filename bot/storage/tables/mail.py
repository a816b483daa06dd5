"""E-mail to customers, and the addresses from which it came back."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from bot.storage.tables.columns import Table, big, instant, key, partial, ref, word, words


class MailRow(Table, table=True):
    """A mail as it was queued, and how it stands; its outbox row has its id as document."""

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("mark"),
        CheckConstraint("about in ('reminder', 'statement', 'invoice')", name="about"),
        CheckConstraint("state in ('waiting', 'sent', 'failed', 'bounced', 'unknown', 'withdrawn')", name="state"),
        CheckConstraint("state <> 'sent' or sent_at is not null", name="sent"),
        CheckConstraint("state <> 'bounced' or bounced_at is not null", name="bounced"),
        Index("ix_mail_about", "about", "about_id", "id"),
        Index("ix_mail_customer", "customer_id", "id"),
        partial("ix_mail_troubled", "id", where="state in ('failed', 'unknown', 'bounced') and handled_at is null"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    about: str = word(20)
    about_id: int = big()
    recipients: str = words()
    copies: str = words()
    reply_to: str = word(200)
    subject: str = word(200)
    body: str = words()
    paper: str = words()
    mark: str = word(80)
    recorded_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)
    host: str = word(253)
    state: str = word(10)
    answer: str = word(400)
    refused: str = words()
    attempts: int = big(default=0)
    version: int = big(default=1)
    attempting_at: datetime | None = instant(null=True)
    sent_at: datetime | None = instant(null=True)
    bounced_at: datetime | None = instant(null=True)
    looking_until: datetime | None = instant(null=True)
    handled_at: datetime | None = instant(null=True)


class BouncedAddressRow(Table, table=True):
    """An address of a customer that mail came back from; no part of the books."""

    __tablename__ = "bounced_address"
    __table_args__ = (UniqueConstraint("customer_id", "address"),)
    id: int = key()
    customer_id: int = ref("customer")
    address: str = word(200)
    reason: str = word(400)
    at: datetime = instant()
