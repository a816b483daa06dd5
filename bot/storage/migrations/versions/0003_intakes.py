"""Imports: documents that keep their own numbers name the import that brought them."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0003"
down_revision = "0002_jobs"
branch_labels = None
depends_on = None

WITH_NUMBERS = ("invoice", "payment", "lot")


def upgrade() -> None:
    op.create_table(
        "intake",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind in ('opening', 'invoices')", name=op.f("ck_intake_kind")),
        sa.CheckConstraint("state in ('begun', 'whole', 'taken_back')", name=op.f("ck_intake_state")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["audit.id"], name=op.f("fk_intake_operation_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake")),
    )
    for table in (*WITH_NUMBERS, "credit_limit"):
        op.add_column(table, sa.Column("intake_id", sa.BigInteger(), nullable=True))
    for table in WITH_NUMBERS:
        brought = sa.text("intake_id is not null")
        op.create_index(
            f"ix_{table}_intake", table, ["intake_id", "customer_id"], postgresql_where=brought, sqlite_where=brought
        )
    guards.install(op.get_bind())
