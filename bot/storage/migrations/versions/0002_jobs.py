"""Runs of scheduled jobs: one row per business period, claimed by one process at a time."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import KEY, Instant

revision = "0002_jobs"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN = "state in ('waiting', 'running')"


def upgrade() -> None:
    op.create_table(
        "job_run",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=120), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'running', 'done', 'failed')", name=op.f("ck_job_run_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "period", name=op.f("uq_job_run_job_period")),
    )
    op.create_index("ix_job_run_target", "job_run", ["job", "target", "day"], unique=False)
    op.create_index(
        "ix_job_run_open",
        "job_run",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text(OPEN),
        sqlite_where=sa.text(OPEN),
    )
    guards.install(op.get_bind())
