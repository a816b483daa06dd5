"""The tables of the registry, beside those of the books; private to storage."""

from sqlalchemy import BigInteger, Boolean, Column, MetaData, String, Table, Text

from bot.storage.tables.columns import KEY, NAMES, Instant

metadata = MetaData(naming_convention=NAMES)

# A place is a workspace, by its team id, or a whole organisation, by its enterprise id, where it installed as one.
installation = Table(
    "installation",
    metadata,
    Column("place", String(20), primary_key=True),
    Column("book", String(50), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("team", String(20), nullable=False),
    Column("enterprise", String(20), nullable=False),
    Column("is_org", Boolean, nullable=False),
    Column("token", Text, nullable=True),  # encrypted; nothing while it is not installed
    Column("bot_user", String(20), nullable=False),
    Column("bot", String(20), nullable=False),
    Column("app", String(20), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# What an installation that was begun must come back with, as a hash: who reads the table can end none.
begun = Table(
    "begun",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("until", Instant, nullable=False),
)

# What happened to installations; it stays when a book is erased.
happened = Table(
    "happened",
    metadata,
    Column("id", KEY, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("place", String(20), nullable=False),
    Column("book", String(50), nullable=False),
    Column("what", String(20), nullable=False),
    Column("who", String(40), nullable=False),
)
