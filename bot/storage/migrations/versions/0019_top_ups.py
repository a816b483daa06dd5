"""Payment settings and automatic top-ups."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0019_top_ups"
down_revision = "0018_invoice_kinds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("top_up_at_micros", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_customer_top_up",
        "customer",
        ["id"],
        unique=False,
        postgresql_where=sa.text("top_up_at_micros is not null"),
        sqlite_where=sa.text("top_up_at_micros is not null"),
    )
    op.create_index(
        "ix_invoice_open_top_up",
        "invoice",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("automatic and kind = 'top_up' and open_micros > 0"),
        sqlite_where=sa.text("automatic and kind = 'top_up' and open_micros > 0"),
    )
    op.create_table(
        "payment_settings",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=True),
        sa.Column("amount_micros", sa.BigInteger(), nullable=True),
        sa.Column("threshold_micros", sa.BigInteger(), nullable=True),
        sa.Column("auto", sa.Boolean(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_micros > 0 and threshold_micros >= 0", name=op.f("ck_payment_settings_amounts")),
        sa.CheckConstraint("method in ('cheque', 'stripe', 'master')", name=op.f("ck_payment_settings_method")),
        sa.CheckConstraint(
            "method = 'stripe' or (method is null and not auto) or (amount_micros is not null "
            "and threshold_micros is not null)",
            name=op.f("ck_payment_settings_whole"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_payment_settings_customer_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_payment_settings_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_settings")),
        sa.UniqueConstraint("customer_id", "version", name=op.f("uq_payment_settings_customer_id_version")),
    )
    op.create_table(
        "top_up_attempt",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("settings_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("balance_micros", sa.BigInteger(), nullable=False),
        sa.Column("threshold_micros", sa.BigInteger(), nullable=False),
        sa.Column("credit_id", sa.BigInteger(), nullable=True),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("method in ('cheque', 'master')", name=op.f("ck_top_up_attempt_method")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_top_up_attempt_amount")),
        sa.CheckConstraint("balance_micros <= threshold_micros", name=op.f("ck_top_up_attempt_threshold")),
        sa.CheckConstraint("credit_id is null or invoice_id is null", name=op.f("ck_top_up_attempt_document")),
        sa.CheckConstraint(
            "(code = 'done') = (credit_id is not null or invoice_id is not null)", name=op.f("ck_top_up_attempt_done")
        ),
        sa.ForeignKeyConstraint(["credit_id"], ["credit.id"], name=op.f("fk_top_up_attempt_credit_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_top_up_attempt_customer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_top_up_attempt_invoice_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_top_up_attempt_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["settings_id"], ["payment_settings.id"], name=op.f("fk_top_up_attempt_settings_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_top_up_attempt")),
        sa.UniqueConstraint("customer_id", "day", "code", name=op.f("uq_top_up_attempt_customer_id_day_code")),
    )
    op.create_index(
        "ix_top_up_attempt_settings",
        "top_up_attempt",
        ["settings_id"],
        unique=False,
        postgresql_where=sa.text("code = 'done'"),
        sqlite_where=sa.text("code = 'done'"),
    )
    op.create_table(
        "top_up_day",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("total_micros", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("total_micros >= 0", name=op.f("ck_top_up_day_total")),
        sa.PrimaryKeyConstraint("currency", "day", name=op.f("pk_top_up_day")),
    )
    guards.install(op.get_bind())
