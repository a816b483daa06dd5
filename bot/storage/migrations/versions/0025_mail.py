"""E-mail to customers, and the addresses from which it came back."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0025_mail"
down_revision = "0027_looks"
branch_labels = None
depends_on = None

TROUBLED = sa.text("state in ('failed', 'unknown', 'bounced') and handled_at is null")


def upgrade() -> None:
    op.create_table(
        "mail",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("about_id", sa.BigInteger(), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("copies", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("paper", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.String(length=400), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("attempting_at", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("bounced_at", Instant(), nullable=True),
        sa.Column("looking_until", Instant(), nullable=True),
        sa.Column("handled_at", Instant(), nullable=True),
        sa.CheckConstraint("about in ('reminder', 'statement', 'invoice')", name=op.f("ck_mail_about")),
        sa.CheckConstraint(
            "state in ('waiting', 'sent', 'failed', 'bounced', 'unknown', 'withdrawn')", name=op.f("ck_mail_state")
        ),
        sa.CheckConstraint("state <> 'sent' or sent_at is not null", name=op.f("ck_mail_sent")),
        sa.CheckConstraint("state <> 'bounced' or bounced_at is not null", name=op.f("ck_mail_bounced")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_mail_customer_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["audit.id"], name=op.f("fk_mail_operation_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("mark", name=op.f("uq_mail_mark")),
    )
    op.create_index("ix_mail_about", "mail", ["about", "about_id", "id"], unique=False)
    op.create_index("ix_mail_customer", "mail", ["customer_id", "id"], unique=False)
    op.create_index("ix_mail_troubled", "mail", ["id"], unique=False, postgresql_where=TROUBLED, sqlite_where=TROUBLED)
    op.create_table(
        "bounced_address",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_bounced_address_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounced_address")),
        sa.UniqueConstraint("customer_id", "address", name=op.f("uq_bounced_address_customer_id_address")),
    )
    guards.install(op.get_bind())
