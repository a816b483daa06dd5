"""Credit given and taken without money, and the master account at the platform."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0014_credits"
down_revision = "0009_lists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "master_account",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("balance_micros", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("limit_micros", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.CheckConstraint("limit_micros >= 0", name=op.f("ck_master_account_limit")),
        sa.PrimaryKeyConstraint("currency", name=op.f("pk_master_account")),
    )
    op.create_table(
        "master_top_up",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_master_top_up_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_master_top_up")),
        sa.UniqueConstraint("number", name=op.f("uq_master_top_up_number")),
    )
    op.create_table(
        "credit",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.CheckConstraint("(kind = 'issue') = (lot_id is not null)", name=op.f("ck_credit_lot")),
        sa.CheckConstraint("(kind = 'issue') = (purpose <> '')", name=op.f("ck_credit_purpose")),
        sa.CheckConstraint("kind in ('issue', 'take-back', 'payout', 'refund')", name=op.f("ck_credit_kind")),
        sa.CheckConstraint("state in ('made', 'undone')", name=op.f("ck_credit_state")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_credit_amount")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_credit_customer_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_credit_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_number")),
    )
    op.create_index("ix_credit_customer", "credit", ["customer_id", "id"], unique=False)
    op.create_table(
        "taken",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("credit_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("credit_on", sa.Date(), nullable=False),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(reverses_id is null and amount_micros > 0) or (reverses_id is not null and amount_micros < 0)",
            name=op.f("ck_taken_sign"),
        ),
        sa.ForeignKeyConstraint(["credit_id"], ["credit.id"], name=op.f("fk_taken_credit_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_taken_customer_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_taken_lot_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["audit.id"], name=op.f("fk_taken_operation_id"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["reverses_id"], ["taken.id"], name=op.f("fk_taken_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken")),
    )
    op.create_index(
        "ix_taken_ageing", "taken", ["effective_on", "customer_id", "credit_on", "amount_micros"], unique=False
    )
    op.create_index("ix_taken_credit", "taken", ["credit_id"], unique=False)
    op.create_index("ix_taken_lot", "taken", ["lot_id"], unique=False)
    op.create_index(
        "uq_taken_reverses_id",
        "taken",
        ["reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id is not null"),
        sqlite_where=sa.text("reverses_id is not null"),
    )
    guards.install(op.get_bind())
