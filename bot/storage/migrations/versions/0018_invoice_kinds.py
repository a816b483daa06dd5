"""Top-up invoices and proformas: what waits in advances, which rule wrote one, and what a provisioned sale cost."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards

revision = "0018_invoice_kinds"
down_revision = "0022_statements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("allocation", sa.Column("advance", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("invoice", sa.Column("automatic", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("invoice", sa.Column("cost_micros", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("invoice_line", sa.Column("cost_micros", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index(
        "ix_allocation_advance",
        "allocation",
        ["effective_on", "customer_id", "amount_micros"],
        unique=False,
        postgresql_where=sa.text("advance"),
        sqlite_where=sa.text("advance"),
    )
    op.create_index(
        "ix_invoice_proforma",
        "invoice",
        ["proforma_number"],
        unique=True,
        postgresql_where=sa.text("proforma_number is not null"),
        sqlite_where=sa.text("proforma_number is not null"),
    )
    op.create_index(
        "ix_lot_invoice",
        "lot",
        ["invoice_id"],
        unique=False,
        postgresql_where=sa.text("invoice_id is not null"),
        sqlite_where=sa.text("invoice_id is not null"),
    )
    guards.install(op.get_bind())
