"""What the home tab asks for often has an index: invoices not sent, messages not delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0004_at_hand"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_invoice_draft", "invoice", "issue_on", "state = 'draft'"),
    ("ix_outbox_failed", "outbox", "error", "state = 'failed'"),
)


def upgrade() -> None:
    for name, table, column, where in INDEXES:
        clause = sa.text(where)
        op.create_index(name, table, [column], unique=False, postgresql_where=clause, sqlite_where=clause)
