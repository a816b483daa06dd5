"""${message}."""

from alembic import op

from bot.storage import guards

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
    for statement in guards.install(op.get_bind().dialect.name):
        op.execute(statement)
