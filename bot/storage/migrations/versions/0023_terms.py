"""Terms that others approve first, who stands in for whom, and what was told of limits."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0023_terms"
down_revision = "0020_month_end"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("approval_vote", sa.Column("in_place_of", sa.String(length=40), server_default="", nullable=False))
    op.create_table(
        "terms_request",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("limit_micros", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("was_mode", sa.String(length=10), nullable=False),
        sa.Column("was_limit_micros", sa.BigInteger(), nullable=False),
        sa.Column("was_ends_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind in ('set', 'extend', 'switch')", name=op.f("ck_terms_request_kind")),
        sa.CheckConstraint("limit_micros >= 0", name=op.f("ck_terms_request_limit")),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'rejected', 'cancelled', 'expired')",
            name=op.f("ck_terms_request_state"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_terms_request_customer_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_terms_request_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_request")),
        sa.UniqueConstraint("number", name=op.f("uq_terms_request_number")),
    )
    op.create_index("ix_terms_request_customer", "terms_request", ["customer_id"], unique=False)
    op.create_table(
        "delegation",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("principal_id", sa.BigInteger(), nullable=False),
        sa.Column("stand_in_id", sa.BigInteger(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("principal_id <> stand_in_id", name=op.f("ck_delegation_other")),
        sa.ForeignKeyConstraint(["principal_id"], ["person.id"], name=op.f("fk_delegation_principal_id")),
        sa.ForeignKeyConstraint(["stand_in_id"], ["person.id"], name=op.f("fk_delegation_stand_in_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_delegation_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    for name, column, unique in (
        ("uq_delegation_live", "principal_id", True),
        ("ix_delegation_stand_in", "stand_in_id", False),
    ):
        op.create_index(
            name,
            "delegation",
            [column],
            unique=unique,
            postgresql_where=sa.text("ended_at is null"),
            sqlite_where=sa.text("ended_at is null"),
        )
    op.create_table(
        "limit_watch",
        sa.Column("customer_id", KEY, autoincrement=False, nullable=False),
        sa.Column("level", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("end_told", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("level in (0, 80, 90, 100)", name=op.f("ck_limit_watch_level")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_limit_watch_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_limit_watch")),
    )
    guards.install(op.get_bind())
