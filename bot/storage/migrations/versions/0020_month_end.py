"""Invoices of usage know their mode, their last day and what was settled already; a total may be below zero."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards

revision = "0020_month_end"
down_revision = "0019_top_ups"
branch_labels = None
depends_on = None

WAS, IS = "open_micros between 0 and total_micros", "open_micros between 0 and total_micros - settled_micros"
TELL = """UPDATE invoice SET usage_mode = 'postpaid',
    usage_lines = (SELECT COUNT(*) FROM invoice_line l WHERE l.invoice_id = invoice.id),
    usage_through = COALESCE((SELECT MAX(c.posted_on) FROM charge c WHERE c.invoice_id = invoice.id), issue_on)
    WHERE usage_net_micros IS NOT NULL"""


def upgrade() -> None:
    connection = op.get_bind()
    for statement in guards.remove(connection.dialect.name):
        op.execute(statement)
    op.add_column("invoice", sa.Column("usage_mode", sa.String(length=10), nullable=True))
    op.add_column("invoice", sa.Column("usage_through", sa.Date(), nullable=True))
    op.add_column("invoice", sa.Column("usage_lines", sa.BigInteger(), nullable=True))
    op.add_column("invoice", sa.Column("settled_micros", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("usage_day", sa.Column("moved_micros", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("usage_day", sa.Column("moved_on", sa.Date(), nullable=True))
    _loosen(connection)
    op.execute(TELL)
    op.drop_index("ix_charge_unbilled", "charge")
    partial("ix_charge_to_bill", "charge", ["customer_id", "posted_on"], "invoice_id is null")
    partial("ix_invoice_usage", "invoice", ["customer_id", "usage_through"], "usage_through is not null")
    partial(
        "ix_usage_day_moved",
        "usage_day",
        ["moved_on", "customer_id", "used_on", "moved_micros"],
        "moved_micros > 0",
    )
    guards.install(connection)


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, unique=False, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _loosen(connection: sa.Connection) -> None:
    """Give the bound of what is open its new text. SQLite keeps it in the text of the table alone, so that no row of
    the largest table is copied and nothing that refers to it is touched.
    """
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_invoice_open"), "invoice", type_="check")
        op.create_check_constraint(op.f("ck_invoice_open"), "invoice", IS)
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar() or 0
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'invoice'",
        (f"({WAS})", f"({IS})"),
    )
    assert changed.rowcount == 1
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
