"""A customer's own postings and drafts are found without reading those of others."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards

revision = "0022_statements"
down_revision = "0024_month"
branch_labels = None
depends_on = None

OF_A_CUSTOMER = sa.text("customer_id is not null")
DRAFT = sa.text("state = 'draft'")


def upgrade() -> None:
    op.create_index(
        "ix_posting_customer",
        "posting",
        ["customer_id", "account", "entry_id", "amount_micros"],
        unique=False,
        postgresql_where=OF_A_CUSTOMER,
        sqlite_where=OF_A_CUSTOMER,
    )
    op.create_index(
        "ix_invoice_customer_draft",
        "invoice",
        ["customer_id"],
        unique=False,
        postgresql_where=DRAFT,
        sqlite_where=DRAFT,
    )
    guards.install(op.get_bind())
