"""The book itself, its settings, and who may do what in it."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    String,
    UniqueConstraint,
)
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, key, partial, word, words


class SettingRow(Table, table=True):
    """One setting of this book, as text."""

    __tablename__ = "setting"
    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: str = words()


class BookRow(Table, table=True):
    """The book itself: one row, whose version rises with each change of a setting."""

    __tablename__ = "book"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    id: int = key()
    name: str = word(60)
    settings_version: int = big(default=1)
    digest_key: str = word(64)


class SeriesRow(Table, table=True):
    """The counter of a gapless series; locked by the transaction that takes a number."""

    __tablename__ = "series"
    name: str = Field(sa_column=Column(String(40), primary_key=True))
    last: int = big(default=0)


class PersonRow(Table, table=True):
    """A person with a right in this book."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("team", "slack_user"),
        CheckConstraint("role between 0 and 5", name="role"),
        partial("uq_person_one_owner", "role", where="role = 5", unique=True),
    )
    id: int = key()
    team: str = word()
    enterprise: str | None = word(null=True)
    slack_user: str = word()
    name: str = word(200)
    role: int = big()
    active: bool = True
    direct_channel: str | None = word(null=True)
