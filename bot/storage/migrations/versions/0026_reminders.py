"""Reminders of unpaid invoices: texts, schedules, plans, messages and what came of them."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0026_reminders"
down_revision = "0025_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reminder_run",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("send_at", Instant(), nullable=False),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("planned_through", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "state in ('planning', 'planned', 'held', 'released', 'cancelled')", name=op.f("ck_reminder_run_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_run")),
        sa.UniqueConstraint("day", name=op.f("uq_reminder_run_day")),
    )
    op.create_table(
        "reminder_contact",
        sa.Column("customer_id", KEY, autoincrement=False, nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_reminder_contact_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_reminder_contact")),
    )
    op.create_table(
        "reminder_left",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=100), nullable=False),
        sa.Column("invoices", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_reminder_left_customer_id")),
        sa.ForeignKeyConstraint(["run_id"], ["reminder_run.id"], name=op.f("fk_reminder_left_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_left")),
    )
    op.create_index(op.f("ix_reminder_left_customer_id"), "reminder_left", ["customer_id"], unique=False)
    op.create_index("ix_reminder_left_run", "reminder_left", ["run_id", "why"], unique=False)
    op.create_table(
        "reminder_message",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("open_micros", sa.BigInteger(), nullable=False),
        sa.Column("invoices", sa.BigInteger(), nullable=False),
        sa.Column("hours_from", Instant(), nullable=False),
        sa.Column("opens_at", Instant(), nullable=False),
        sa.Column("closes_at", Instant(), nullable=False),
        sa.Column("look_at", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("mail_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "state in ('planned', 'excluded', 'queued', 'sent', 'failed', 'bounced', 'unknown', 'expired', 'dropped')",
            name=op.f("ck_reminder_message_state"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_reminder_message_customer_id")),
        sa.ForeignKeyConstraint(["run_id"], ["reminder_run.id"], name=op.f("fk_reminder_message_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_message")),
    )
    op.create_index("ix_reminder_message_customer", "reminder_message", ["customer_id", "id"], unique=False)
    op.create_index(
        "ix_reminder_message_planned",
        "reminder_message",
        ["opens_at"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
        sqlite_where=sa.text("state = 'planned'"),
    )
    op.create_index("ix_reminder_message_run", "reminder_message", ["run_id", "customer_id"], unique=False)
    op.create_index(
        "uq_reminder_message_open",
        "reminder_message",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state in ('planned', 'queued', 'unknown')"),
        sqlite_where=sa.text("state in ('planned', 'queued', 'unknown')"),
    )
    op.create_table(
        "reminder_schedule",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("folded", sa.String(length=60), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("saved_by", sa.String(length=40), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_reminder_schedule_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_schedule")),
    )
    op.create_index(
        "uq_reminder_schedule_default",
        "reminder_schedule",
        ["is_default"],
        unique=True,
        postgresql_where=sa.text("is_default and retired_at is null"),
        sqlite_where=sa.text("is_default and retired_at is null"),
    )
    op.create_index(
        "uq_reminder_schedule_live",
        "reminder_schedule",
        ["folded"],
        unique=True,
        postgresql_where=sa.text("retired_at is null"),
        sqlite_where=sa.text("retired_at is null"),
    )
    op.create_table(
        "reminder_template",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("folded", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.String(length=40), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_reminder_template_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_template")),
    )
    op.create_index(
        "uq_reminder_template_live",
        "reminder_template",
        ["folded", "language"],
        unique=True,
        postgresql_where=sa.text("retired_at is null"),
        sqlite_where=sa.text("retired_at is null"),
    )
    op.create_table(
        "reminder_terms",
        sa.Column("customer_id", KEY, autoincrement=False, nullable=False),
        sa.Column("schedule", sa.String(length=60), nullable=False),
        sa.Column("opted_out", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_reminder_terms_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_reminder_terms")),
    )
    op.create_table(
        "reminder_line",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.String(length=60), nullable=False),
        sa.Column("open_micros", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "state in ('planned', 'queued', 'sent', 'dropped', 'left')", name=op.f("ck_reminder_line_state")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_reminder_line_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_line")),
    )
    op.create_index("ix_reminder_line_message", "reminder_line", ["message_id"], unique=False)
    op.create_index(
        "uq_reminder_line_day",
        "reminder_line",
        ["invoice_id", "folded", "day"],
        unique=True,
        postgresql_where=sa.text("state in ('queued', 'sent')"),
        sqlite_where=sa.text("state in ('queued', 'sent')"),
    )
    op.create_index(
        "uq_reminder_line_step",
        "reminder_line",
        ["invoice_id", "level", "days", "times"],
        unique=True,
        postgresql_where=sa.text("state in ('queued', 'sent')"),
        sqlite_where=sa.text("state in ('queued', 'sent')"),
    )
    op.create_table(
        "reminder_reached",
        sa.Column("invoice_id", KEY, autoincrement=False, nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("notice", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_reminder_reached_invoice_id")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_reminder_reached")),
    )
    op.create_table(
        "reminder_stop",
        sa.Column("invoice_id", KEY, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("stopped_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_reminder_stop_invoice_id")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_reminder_stop")),
    )
    guards.install(op.get_bind())
