"""A customer knows what is unbilled of the month in which it was last charged; what there is counts from this month."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from bot.storage import guards
from bot.storage.tables import Instant

revision = "0024_month"
down_revision = "0017_usage_invoices"
branch_labels = None
depends_on = None

ZONE = sa.text("SELECT value FROM setting WHERE name = 'zone'")
COUNT = sa.text("""UPDATE customer SET month_starts_on = :starts_on, month_ends_at = :ends_at, month_micros =
    COALESCE((SELECT SUM(k.net_micros + k.tax_micros) FROM charge k WHERE k.customer_id = customer.id
    AND k.mode = 'postpaid' AND k.invoice_id IS NULL AND k.posted_on >= :starts_on), 0)
    - COALESCE((SELECT SUM(r.net_micros + r.tax_micros) FROM usage_refund r JOIN charge k ON k.id = r.charge_id
    WHERE r.customer_id = customer.id AND r.unbilled AND r.invoice_id IS NULL AND k.posted_on >= :starts_on), 0)
    WHERE unbilled_micros <> 0""").bindparams(
    sa.bindparam("starts_on", type_=sa.Date()), sa.bindparam("ends_at", type_=Instant())
)


def upgrade() -> None:
    op.add_column("customer", sa.Column("month_starts_on", sa.Date(), nullable=True))
    op.add_column("customer", sa.Column("month_ends_at", Instant(), nullable=True))
    op.add_column("customer", sa.Column("month_micros", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    connection = op.get_bind()
    zone = ZoneInfo(connection.execute(ZONE).scalar() or "UTC")
    first = datetime.now(UTC).astimezone(zone).date().replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    ends_at = datetime.combine(following, time(), zone).astimezone(UTC)
    connection.execute(COUNT, {"starts_on": first, "ends_at": ends_at})
    guards.install(connection)
