"""Usage that customers are charged for, and its refunds."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY

revision = "0015_usage"
down_revision = "0014_credits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "charge",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("product", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_micros", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_micros", sa.BigInteger(), nullable=False),
        sa.Column("tax_micros", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("usage_day_id", sa.BigInteger(), nullable=True),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(mode = 'prepaid') = (usage_day_id is not null)", name=op.f("ck_charge_day")),
        sa.CheckConstraint("mode in ('prepaid', 'postpaid')", name=op.f("ck_charge_mode")),
        sa.CheckConstraint("cost_micros >= 0", name=op.f("ck_charge_cost")),
        sa.CheckConstraint("net_micros > 0", name=op.f("ck_charge_net")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_charge_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_charge_invoice_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["audit.id"], name=op.f("fk_charge_operation_id"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["usage_day_id"], ["usage_day.id"], name=op.f("fk_charge_usage_day_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge")),
        sa.UniqueConstraint("external_id", name=op.f("uq_charge_external_id")),
    )
    op.create_index("ix_charge_customer", "charge", ["customer_id", "posted_on"], unique=False)
    op.create_index(
        "ix_charge_day",
        "charge",
        ["usage_day_id"],
        unique=False,
        postgresql_where=sa.text("usage_day_id is not null"),
        sqlite_where=sa.text("usage_day_id is not null"),
    )
    op.create_index(
        "ix_charge_unbilled",
        "charge",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("mode = 'postpaid' and invoice_id is null"),
        sqlite_where=sa.text("mode = 'postpaid' and invoice_id is null"),
    )
    op.create_table(
        "usage_refund",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("credit_id", sa.BigInteger(), nullable=False),
        sa.Column("charge_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net_micros", sa.BigInteger(), nullable=False),
        sa.Column("tax_micros", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("unbilled", sa.Boolean(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "net_micros >= 0 and tax_micros >= 0 and cost_micros >= 0", name=op.f("ck_usage_refund_amounts")
        ),
        sa.ForeignKeyConstraint(["charge_id"], ["charge.id"], name=op.f("fk_usage_refund_charge_id")),
        sa.ForeignKeyConstraint(["credit_id"], ["credit.id"], name=op.f("fk_usage_refund_credit_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_usage_refund_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_usage_refund_invoice_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_usage_refund_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_refund")),
        sa.UniqueConstraint("credit_id", name=op.f("uq_usage_refund_credit_id")),
    )
    op.create_index(
        "ix_usage_refund_charge",
        "usage_refund",
        ["charge_id"],
        unique=False,
        postgresql_where=sa.text("charge_id is not null"),
        sqlite_where=sa.text("charge_id is not null"),
    )
    op.create_index(op.f("ix_usage_refund_customer_id"), "usage_refund", ["customer_id"], unique=False)
    op.create_index(
        "ix_allocation_usage",
        "allocation",
        ["effective_on", "customer_id", "posted_on", "amount_micros"],
        unique=False,
        postgresql_where=sa.text("usage_day_id is not null"),
        sqlite_where=sa.text("usage_day_id is not null"),
    )
    op.create_index(
        "ix_allocation_usage_day",
        "allocation",
        ["usage_day_id"],
        unique=False,
        postgresql_where=sa.text("usage_day_id is not null"),
        sqlite_where=sa.text("usage_day_id is not null"),
    )
    op.create_index(
        "ix_usage_day_open",
        "usage_day",
        ["customer_id", "used_on", "open_micros"],
        unique=False,
        postgresql_where=sa.text("open_micros > 0"),
        sqlite_where=sa.text("open_micros > 0"),
    )
    guards.install(op.get_bind())
