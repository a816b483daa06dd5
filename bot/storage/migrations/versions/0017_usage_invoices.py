"""Invoices of usage know their net before rounding."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards

revision = "0017_usage_invoices"
down_revision = "0016_notes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoice", sa.Column("usage_net_micros", sa.BigInteger(), nullable=True))
    guards.install(op.get_bind())
