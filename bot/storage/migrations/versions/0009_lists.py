"""The newest payments are listed without reading all of them."""

from alembic import op

revision = "0009_lists"
down_revision = "0008_approvals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_payment_received", "payment", ["received_on", "id"], unique=False)
