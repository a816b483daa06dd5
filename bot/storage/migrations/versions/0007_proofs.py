"""Proofs of payment: which files were given for a payment; the files themselves stay in Slack."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY

revision = "0007_proofs"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_proof",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_proof_payment_id")),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["audit.id"],
            name=op.f("fk_payment_proof_operation_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_proof")),
        sa.UniqueConstraint("payment_id", "file_id", name=op.f("uq_payment_proof_payment_id_file_id")),
    )
    op.add_column("payment", sa.Column("proofs", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    guards.install(op.get_bind())
