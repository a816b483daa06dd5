"""Usage that customers are charged for, line by line, and its refunds."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, day, key, partial, ref, word


class ChargeRow(Table, table=True):
    """One thing used; nothing of it changes but the invoice that bills it, once."""

    __tablename__ = "charge"
    __table_args__ = (
        UniqueConstraint("external_id"),
        CheckConstraint("net_micros > 0", name="net"),
        CheckConstraint("cost_micros >= 0", name="cost"),
        CheckConstraint("mode in ('prepaid', 'postpaid')", name="mode"),
        CheckConstraint("(mode = 'prepaid') = (usage_day_id is not null)", name="day"),
        Index("ix_charge_customer", "customer_id", "posted_on"),
        partial("ix_charge_day", "usage_day_id", where="usage_day_id is not null"),
        partial("ix_charge_to_bill", "customer_id", "posted_on", where="invoice_id is null"),
    )
    id: int = key()
    external_id: str = word(80)
    customer_id: int = ref("customer")
    mode: str = word(10)
    used_on: date = day()
    posted_on: date = day()
    product: str = word(60)
    currency: str = word(3)
    net_micros: int = big()
    tax_rate_micros: int = big()
    tax_micros: int = big()
    cost_micros: int = big()
    usage_day_id: int | None = ref("usage_day", null=True)
    invoice_id: int | None = ref("invoice", null=True)
    entry_id: int = big()
    operation_id: int = ref("audit", deferred=True)


class UsageRefundRow(Table, table=True):
    """What a refund took back: revenue, tax and cost; of a charge, if it is known."""

    __tablename__ = "usage_refund"
    __table_args__ = (
        UniqueConstraint("credit_id"),
        CheckConstraint("net_micros >= 0 and tax_micros >= 0 and cost_micros >= 0", name="amounts"),
        partial("ix_usage_refund_charge", "charge_id", where="charge_id is not null"),
    )
    id: int = key()
    credit_id: int = ref("credit")
    charge_id: int | None = ref("charge", null=True)
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    currency: str = word(3)
    net_micros: int = big()
    tax_micros: int = big()
    cost_micros: int = big()
    unbilled: bool = False
    invoice_id: int | None = ref("invoice", null=True)
    entry_id: int = big()
    operation_id: int = ref("audit", deferred=True)
