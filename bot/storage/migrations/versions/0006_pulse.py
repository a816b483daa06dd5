"""Signs of life: which processes serve the book, when a request last arrived, when the books were last proved."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import Instant

revision = "0006"
down_revision = "0004_at_hand"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pulse",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("request_at", Instant(), nullable=True),
        sa.Column("findings", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pulse")),
    )
    guards.install(op.get_bind())
