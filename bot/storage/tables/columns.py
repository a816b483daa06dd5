"""The base of all tables and the kinds of their columns. Amounts are integer micro-units, instants are UTC."""

from datetime import UTC, date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


KEY = BigInteger().with_variant(Integer, "sqlite")  # to SQLite such a key is the row itself, without an index beside it


class Table(SQLModel):
    """The base of all tables, with names for every constraint so that a migration can find it."""

    metadata = MetaData(naming_convention=NAMES)


def key() -> int:
    """A 64-bit id given by us, so that rows can refer to each other before they are written."""
    return Field(sa_column=Column(KEY, primary_key=True, autoincrement=False))  # type: ignore[no-any-return]


def big(*, null: bool = False, default: int | None = None) -> int:
    """A 64-bit number, such as micros."""
    server = text(str(default)) if default is not None else None
    return Field(sa_column=Column(BigInteger, nullable=null, server_default=server))  # type: ignore[no-any-return]


def yes_or_no() -> bool:
    """A truth that rows had not before."""
    return Field(sa_column=Column(Boolean, nullable=False, server_default=false()))  # type: ignore[no-any-return]


def ref(target: str, *, null: bool = False, deferred: bool = False) -> int:
    """A reference to another row's id."""
    deferral = {"deferrable": True, "initially": "DEFERRED"} if deferred else {}
    return Field(sa_column=Column(BigInteger, ForeignKey(f"{target}.id", **deferral), nullable=null))  # type: ignore[no-any-return,arg-type]


def word(length: int = 40, *, null: bool = False) -> str:
    return Field(sa_column=Column(String(length), nullable=null))  # type: ignore[no-any-return]


def words(*, null: bool = False) -> str:
    return Field(sa_column=Column(Text, nullable=null))  # type: ignore[no-any-return]


def day(*, null: bool = False) -> date:
    return Field(sa_column=Column(Date, nullable=null))  # type: ignore[no-any-return]


def instant(*, null: bool = False) -> datetime:
    return Field(sa_column=Column(Instant, nullable=null))  # type: ignore[no-any-return]


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over some rows only; what it leaves out costs a write nothing."""
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))
