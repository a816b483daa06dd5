"""Disputes, promises to pay, and debts that are given up."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0021_disputes"
down_revision = "0023_terms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("step in ('opened', 'resolved')", name=op.f("ck_dispute_step")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_dispute_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_dispute_invoice_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["audit.id"], name=op.f("fk_dispute_operation_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    op.create_index("ix_dispute_invoice", "dispute", ["invoice_id", "id"], unique=False)
    op.create_index("ix_dispute_customer", "dispute", ["customer_id", "recorded_on"], unique=False)
    op.create_table(
        "promise",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("logged_by", sa.String(length=40), nullable=False),
        sa.Column("logged_at", Instant(), nullable=False),
        sa.Column("logged_on", sa.Date(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=True),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_promise_ended")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_promise_amount")),
        sa.CheckConstraint("promised_on >= logged_on", name=op.f("ck_promise_day")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_promise_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_promise_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    op.create_index(
        "ix_promise_standing",
        "promise",
        ["customer_id", "invoice_id", "promised_on"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
        sqlite_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "write_off",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("draft_reference", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("undone_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(state = 'undone') = (undone_on is not null)", name=op.f("ck_write_off_undone")),
        sa.CheckConstraint("(state in ('made', 'undone')) = (made_on is not null)", name=op.f("ck_write_off_made")),
        sa.CheckConstraint("(state in ('made', 'undone')) = (number is not null)", name=op.f("ck_write_off_numbered")),
        sa.CheckConstraint(
            "state in ('requested', 'made', 'rejected', 'cancelled', 'expired', 'undone')",
            name=op.f("ck_write_off_state"),
        ),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_write_off_amount")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_write_off_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_write_off_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_off")),
        sa.UniqueConstraint("number", name=op.f("uq_write_off_number")),
    )
    op.create_index("ix_write_off_customer", "write_off", ["customer_id", "id"], unique=False)
    op.create_index("ix_write_off_invoice", "write_off", ["invoice_id", "id"], unique=False)
    op.create_index(
        "ix_write_off_waiting",
        "write_off",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
        sqlite_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "written_off",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("write_off_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("issue_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(reverses_id is null and amount_micros > 0) or (reverses_id is not null and amount_micros < 0)",
            name=op.f("ck_written_off_sign"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_written_off_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_written_off_invoice_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_written_off_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["reverses_id"], ["written_off.id"], name=op.f("fk_written_off_reverses_id")),
        sa.ForeignKeyConstraint(["write_off_id"], ["write_off.id"], name=op.f("fk_written_off_write_off_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_written_off")),
    )
    op.create_index(
        "ix_written_off_ageing",
        "written_off",
        ["effective_on", "customer_id", "posted_on", "due_on", "issue_on", "amount_micros"],
        unique=False,
    )
    op.create_index("ix_written_off_invoice", "written_off", ["invoice_id"], unique=False)
    op.create_index(
        "uq_written_off_once",
        "written_off",
        ["write_off_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id is null"),
        sqlite_where=sa.text("reverses_id is null"),
    )
    op.create_index(
        "uq_written_off_reverses_id",
        "written_off",
        ["reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id is not null"),
        sqlite_where=sa.text("reverses_id is not null"),
    )
    guards.install(op.get_bind())
