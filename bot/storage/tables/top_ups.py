"""Payment settings, and what came of them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Date, String, UniqueConstraint
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, day, instant, key, partial, ref, word

METHODS = "('cheque', 'stripe', 'master')"


class PaymentSettingsRow(Table, table=True):
    """A customer's payment settings from one change to the next; without a method there are none."""

    __tablename__ = "payment_settings"
    __table_args__ = (
        UniqueConstraint("customer_id", "version"),
        CheckConstraint(f"method in {METHODS}", name="method"),
        CheckConstraint("amount_micros > 0 and threshold_micros >= 0", name="amounts"),
        CheckConstraint(
            "method = 'stripe' or (method is null and not auto) or (amount_micros is not null "
            "and threshold_micros is not null)",
            name="whole",
        ),
    )
    id: int = key()
    customer_id: int = ref("customer")
    version: int = big()
    method: str | None = word(10, null=True)
    amount_micros: int | None = big(null=True)
    threshold_micros: int | None = big(null=True)
    auto: bool = False
    starts_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)


class TopUpAttemptRow(Table, table=True):
    """One automatic top-up, or one reason that finance was told of; each once a customer and UTC day."""

    __tablename__ = "top_up_attempt"
    __table_args__ = (
        UniqueConstraint("customer_id", "day", "code"),
        CheckConstraint("method in ('cheque', 'master')", name="method"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("balance_micros <= threshold_micros", name="threshold"),
        CheckConstraint("credit_id is null or invoice_id is null", name="document"),
        CheckConstraint("(code = 'done') = (credit_id is not null or invoice_id is not null)", name="done"),
        partial("ix_top_up_attempt_settings", "settings_id", where="code = 'done'"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    settings_id: int = ref("payment_settings")
    day: date = day()
    code: str = word(30)
    method: str = word(10)
    currency: str = word(3)
    amount_micros: int = big()
    balance_micros: int = big()
    threshold_micros: int = big()
    credit_id: int | None = ref("credit", null=True)
    invoice_id: int | None = ref("invoice", null=True)
    operation_id: int = ref("audit", deferred=True)


class TopUpDayRow(Table, table=True):
    """What was topped up on a UTC day in a currency; its row is locked so that the day's cap holds."""

    __tablename__ = "top_up_day"
    __table_args__ = (CheckConstraint("total_micros >= 0", name="total"),)
    currency: str = Field(sa_column=Column(String(3), primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    total_micros: int = big(default=0)
