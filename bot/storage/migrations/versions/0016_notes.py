"""Credit notes with their lines, reason, and the invoice they are about."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0016_notes"
down_revision = "0015_usage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credit_note_line",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("note_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("of_position", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity_micros", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_micros", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_micros", sa.BigInteger(), nullable=False),
        sa.Column("net_micros", sa.BigInteger(), nullable=False),
        sa.Column("tax_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["credit_note.id"], name=op.f("fk_credit_note_line_note_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note_line")),
    )
    op.create_index("ix_credit_note_line_note", "credit_note_line", ["note_id"], unique=False)
    op.create_index(
        "ix_allocation_note",
        "allocation",
        ["credit_note_id"],
        unique=False,
        postgresql_where=sa.text("credit_note_id is not null"),
        sqlite_where=sa.text("credit_note_id is not null"),
    )
    op.add_column("credit_note", sa.Column("code", sa.String(length=20), server_default="", nullable=False))
    op.add_column("credit_note", sa.Column("drafted_by", sa.String(length=40), server_default="", nullable=False))
    op.add_column("credit_note", sa.Column("drafted_at", Instant(), nullable=True))
    op.add_column("credit_note", sa.Column("invoice_id", sa.BigInteger(), nullable=True))
    op.add_column("credit_note", sa.Column("copied_from", sa.BigInteger(), nullable=True))
    op.add_column("credit_note", sa.Column("voided_on", sa.Date(), nullable=True))
    op.create_index(
        "ix_credit_note_ageing",
        "credit_note",
        ["customer_id", "posted_on", "open_micros"],
        unique=False,
        postgresql_where=sa.text("open_micros > 0"),
        sqlite_where=sa.text("open_micros > 0"),
    )
    op.create_index(
        "ix_credit_note_invoice",
        "credit_note",
        ["invoice_id"],
        unique=False,
        postgresql_where=sa.text("invoice_id is not null"),
        sqlite_where=sa.text("invoice_id is not null"),
    )
    op.create_index(
        "ix_credit_note_voided",
        "credit_note",
        ["voided_on"],
        unique=False,
        postgresql_where=sa.text("voided_on is not null"),
        sqlite_where=sa.text("voided_on is not null"),
    )
    guards.install(op.get_bind())
