"""Open the registry: installations with their encrypted tokens, installations begun, and what happened."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables import KEY, Instant

revision = "0001_installations"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("place", sa.String(length=20), nullable=False),
        sa.Column("book", sa.String(length=50), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team", sa.String(length=20), nullable=False),
        sa.Column("enterprise", sa.String(length=20), nullable=False),
        sa.Column("is_org", sa.Boolean(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("bot_user", sa.String(length=20), nullable=False),
        sa.Column("bot", sa.String(length=20), nullable=False),
        sa.Column("app", sa.String(length=20), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_installation")),
        sa.UniqueConstraint("book", name=op.f("uq_installation_book")),
    )
    op.create_table(
        "begun",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_begun")),
    )
    op.create_table(
        "happened",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("place", sa.String(length=20), nullable=False),
        sa.Column("book", sa.String(length=50), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_happened")),
    )
