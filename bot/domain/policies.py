"""How many people have to approve an operation: a table by operation, currency and amount, written as a setting."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.errors import Refused, SettingRefused
from bot.domain.money import Money, currency, plain

if TYPE_CHECKING:
    from bot.domain.settings import Settings

COUNTS = {"none": 0, "one": 1, "two": 2}
OPERATIONS = ("withdrawal", "credit_note", "limit_increase", "write_off", "mode_switch")
ALWAYS = frozenset({"write_off"})  # nobody does these alone
MOST_RULES = 40
_RULE = re.compile(r"(?P<name>[a-z_]+) (?P<count>none|one|two)(?: from (?P<amount>[0-9.]+) (?P<code>[A-Z]{3}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One row: so many approvals for an operation, from an amount on in one currency, or for every amount."""

    operation: str
    needed: int
    least: Money | None = None

    @property
    def label(self) -> str:
        count = next(word for word, number in COUNTS.items() if number == self.needed)
        since = f" from {plain(self.least.decimal())} {self.least.currency.code}" if self.least is not None else ""
        return f"{self.operation} {count}{since}"


def rule_for(rules: tuple[PolicyRule, ...], operation: str, amount: Money) -> PolicyRule:
    """The row with the highest amount that is reached; without any row one person approves."""
    fitting = [
        rule
        for rule in rules
        if rule.operation == operation
        and (rule.least is None or (rule.least.currency == amount.currency and amount >= rule.least))
    ]
    return max(
        fitting,
        key=lambda rule: rule.least.micros if rule.least is not None else -1,
        default=PolicyRule(operation=operation, needed=1),
    )


def policy_of(settings: "Settings") -> tuple[PolicyRule, ...]:
    return read_policy(settings.approval_policy)


def read_policy(text: str) -> tuple[PolicyRule, ...]:
    """`withdrawal one; withdrawal two from 10000 SGD`. Refuses: SettingRefused."""
    rules = tuple(_rule(" ".join(part.split())) for part in text.split(";") if part.strip())
    if len(rules) > MOST_RULES:
        raise SettingRefused(f"Keep the approvals to {MOST_RULES} rows.", field="value")
    seen = [(rule.operation, rule.least) for rule in rules]
    twice = next((rule.label for rule in rules if seen.count((rule.operation, rule.least)) > 1), None)
    if twice is not None:
        raise SettingRefused(f"Two rows are about the same amount ({twice}); leave one of them.", field="value")
    return rules


def check_policy(text: str) -> str:
    """The table in its stored form. Refuses: SettingRefused."""
    return "; ".join(rule.label for rule in read_policy(text))


def _rule(text: str) -> PolicyRule:
    found = _RULE.fullmatch(text)
    if found is None:
        raise SettingRefused(
            "Type rows such as withdrawal one; withdrawal two from 10000 SGD: the operation, "
            "none, one or two, and from which amount.",
            field="value",
        )
    if found["name"] not in OPERATIONS:
        raise SettingRefused(f"{found['name'][:30]} is none of {', '.join(OPERATIONS)}.", field="value")
    if found["name"] in ALWAYS and not COUNTS[found["count"]]:
        raise SettingRefused(f"{found['name']} always needs somebody else; type one or two.", field="value")
    return PolicyRule(operation=found["name"], needed=COUNTS[found["count"]], least=_least(found))


def _least(found: "re.Match[str]") -> Money | None:
    if found["amount"] is None:
        return None
    try:
        return Money.parse(found["amount"], currency(found["code"]))
    except Refused:
        raise SettingRefused(
            f"{found['amount'][:30]} {found['code']} is not an amount; type one such as 10000 SGD.", field="value"
        ) from None
