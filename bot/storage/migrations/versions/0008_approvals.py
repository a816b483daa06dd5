"""Requests that wait for approval, who approved them, and withdrawals with what they took."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0008_approvals"
down_revision = "0007_proofs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("requester", sa.String(length=40), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("policy", sa.String(length=120), nullable=False),
        sa.Column("needed", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'approved', 'rejected', 'cancelled', 'expired')", name=op.f("ck_approval_state")
        ),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_approval_amount")),
        sa.CheckConstraint("needed between 0 and 2", name=op.f("ck_approval_needed")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_approval_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("document_kind", "document_id", name=op.f("uq_approval_document_kind_document_id")),
    )
    op.create_index("ix_approval_customer", "approval", ["customer_id"], unique=False)
    op.create_index(
        "ix_approval_waiting",
        "approval",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("details", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("executed_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.CheckConstraint("(state = 'paid') = (paid_on is not null)", name=op.f("ck_withdrawal_paid")),
        sa.CheckConstraint(
            "(state in ('approved', 'paid')) = (executed_on is not null)", name=op.f("ck_withdrawal_executed")
        ),
        sa.CheckConstraint("gateway in ('cash', 'cheque', 'bank transfer')", name=op.f("ck_withdrawal_gateway")),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'paid', 'rejected', 'cancelled', 'expired')",
            name=op.f("ck_withdrawal_state"),
        ),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_withdrawal_amount")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_withdrawal_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("number", name=op.f("uq_withdrawal_number")),
    )
    op.create_index("ix_withdrawal_customer", "withdrawal", ["customer_id", "id"], unique=False)
    op.create_table(
        "approval_execution",
        sa.Column("approval_id", KEY, autoincrement=False, nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_approval_execution_approval_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_approval_execution_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approval_execution")),
    )
    op.create_table(
        "approval_vote",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("approval_id", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["approval_id"], ["approval.id"], name=op.f("fk_approval_vote_approval_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_approval_vote_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_vote")),
        sa.UniqueConstraint("approval_id", "person", name=op.f("uq_approval_vote_approval_id_person")),
    )
    op.create_table(
        "withdrawn",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("withdrawal_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("credit_on", sa.Date(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_withdrawn_amount")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_withdrawn_customer_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_withdrawn_lot_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_withdrawn_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["withdrawal_id"], ["withdrawal.id"], name=op.f("fk_withdrawn_withdrawal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawn")),
        sa.UniqueConstraint("withdrawal_id", "lot_id", name=op.f("uq_withdrawn_withdrawal_id_lot_id")),
    )
    op.create_index(
        "ix_withdrawn_ageing", "withdrawn", ["effective_on", "customer_id", "credit_on", "amount_micros"], unique=False
    )
    op.create_index(op.f("ix_withdrawn_lot_id"), "withdrawn", ["lot_id"], unique=False)
    guards.install(op.get_bind())
