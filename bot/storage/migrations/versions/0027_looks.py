"""A watch leaves a sign of life as well: when it last looked, when it last did something, and what stood in its way."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import Instant

revision = "0027_looks"
down_revision = "0021_disputes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pulse", sa.Column("acted_at", Instant(), nullable=True))
    op.add_column("pulse", sa.Column("did", sa.BigInteger(), nullable=True))
    op.add_column("pulse", sa.Column("fault", sa.String(length=100), nullable=True))
    guards.install(op.get_bind())
