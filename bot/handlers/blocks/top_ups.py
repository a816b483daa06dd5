"""Payment settings and automatic top-ups, as cards and forms show them."""

from bot.domain.customers import Customer, Mode
from bot.domain.modes import ModeSwitched
from bot.domain.payment_settings import PaymentSettings, PaymentSettingsChanged, TopUpMethod
from bot.domain.settings import Settings
from bot.domain.topups import TopUpCode, TopUpTried
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, balance, money, shorten
from bot.handlers.blocks.undo import undo_button
from bot.handlers.forms import Block, button

SIZE = "It happens once a day by UTC: choose an amount that lasts for a day of usage, and a threshold that leaves time."
WHAT = {
    TopUpMethod.CHEQUE: "a top-up invoice is sent; the balance rises once it is paid",
    TopUpMethod.STRIPE: "Stripe tops up in its own process; these books only show its amount and threshold",
    TopUpMethod.MASTER: "credit is issued from the master account at once, all of it or nothing",
}

NOT_DONE = {
    TopUpCode.CUSTOMER_NOT_ACTIVE: "the customer is not active",
    TopUpCode.ATTEMPT_OPEN: "the last one is not paid yet",
    TopUpCode.DONE_TODAY: "it was done today already",
    TopUpCode.CAP_REACHED: "it would pass a cap",
    TopUpCode.MASTER_SHORT: "the master account is short",
}


def rule_text(rule: PaymentSettings | None, settings: Settings) -> str:
    """`500.00 by cheque or TT at 100.00, on`."""
    if rule is None:
        return "none"
    locale = settings.locale
    parts = [amount(rule.amount, locale)] if rule.amount is not None else []
    parts.append(f"by {rule.method.label}")
    if rule.threshold is not None:
        parts.append(f"at {amount(rule.threshold, locale)}")
    return f"{' '.join(parts)}, {'on' if rule.auto else 'off'}"


def rule_parts(rule: PaymentSettings, settings: Settings) -> tuple[Part, ...]:
    """The line of the customer's card."""
    return (bold("Automatic top-up "), rule_text(rule, settings))


def rule_lines(rule: PaymentSettings | None, customer: Customer, settings: Settings) -> list[tuple[Part, ...]]:
    """What is set, what it does and how far the balance is from it. Rules 70-78."""
    lines: list[tuple[Part, ...]] = [(bold("Automatic top-up "), rule_text(rule, settings))]
    if rule is not None and rule.auto:
        lines.append((f"When it fires: {WHAT[rule.method]}.",))
    lines.append((bold("Balance "), balance(customer.balance, settings.locale)))
    if customer.mode is not Mode.PREPAID:
        lines.append(("A postpaid customer has no wallet to top up.",))
    return [*lines, (SIZE,)]


def settings_effect(outcome: PaymentSettingsChanged, settings: Settings) -> list[Block]:
    """What will be set, and what it means: how large, and whether it fires at once."""
    customer, rule = outcome.customer, outcome.after
    lines: list[tuple[Part, ...]] = [(bold("What will happen"),), (typed(customer.name), f" ({customer.code})")]
    lines += [_changed(outcome, settings), (bold("Balance "), balance(customer.balance, settings.locale))]
    if rule is not None and rule.auto:
        lines.append((f"When the balance is at the threshold or below: {WHAT[rule.method]}.",))
    return [
        rich(*lines, *warning_lines(outcome, settings), block_id="effect"),
        rich((SIZE,), *_busiest(outcome, settings), block_id="advice"),
    ]


def warning_lines(outcome: PaymentSettingsChanged, settings: Settings) -> list[tuple[Part, ...]]:
    """What a person may not expect of these settings."""
    lines: list[tuple[Part, ...]] = []
    if outcome.fires_at_once:
        lines.append((bold("It fires at once: "), "the balance is at the threshold already, or below."))
    if outcome.stays_below:
        lines.append(("One top-up does not lift the balance above the threshold; the next one comes on another day.",))
    if outcome.is_small:
        busiest = money(outcome.busiest, settings.locale)
        lines.append((f"The amount is less than the busiest day took: {busiest}. The balance may run out in a day.",))
    return lines


def _busiest(outcome: PaymentSettingsChanged, settings: Settings) -> list[tuple[Part, ...]]:
    if not outcome.busiest:
        return []
    return [(bold("Most used on a day "), f"{money(outcome.busiest, settings.locale)} in the last 30 days")]


def _changed(outcome: PaymentSettingsChanged, settings: Settings) -> tuple[Part, ...]:
    was, now = (rule_text(each, settings) for each in (outcome.before, outcome.after))
    return (bold("Automatic top-up "), f"{was} → {now}")


def settings_title(outcome: PaymentSettingsChanged) -> str:
    customer = outcome.customer
    return f"Customer {shorten(customer.name, 80)} · {customer.code} · payment settings {outcome.step}"


def settings_card(outcome: PaymentSettingsChanged, settings: Settings) -> list[Block]:
    """A customer has other payment settings; they can be put back for some minutes."""
    said: tuple[Part, ...] = ("by ", person(outcome.by), " · ", moment(outcome.at))
    elements: list[Block] = []
    if outcome.undo_until is not None:
        said = (*said, " · undo until ", moment(outcome.undo_until))
        elements.append(
            undo_button(
                outcome.operation_id,
                f"the payment settings of {shorten(outcome.customer.name, 80)}, "
                f"before: {rule_text(outcome.before, settings)}",
            )
        )
    elements.append(button("Customer", "customer_show", str(outcome.customer.id)))
    return [
        rich((bold(typed(settings_title(outcome))),), block_id="title"),
        rich(_changed(outcome, settings), *warning_lines(outcome, settings), block_id="facts"),
        rich(said, block_id="context"),
        {"type": "actions", "block_id": "actions", "elements": elements},
    ]


def settings_said(outcome: PaymentSettingsChanged, settings: Settings) -> tuple[Part, ...]:
    """The line of the thread."""
    head: tuple[Part, ...] = (person(outcome.by), f" payment settings {outcome.step}", " · ", moment(outcome.at))
    return (*head, " · ", rule_text(outcome.after, settings))


def switched_lines(outcome: ModeSwitched, settings: Settings) -> list[tuple[Part, ...]]:
    """What a switch of mode does to the automatic top-up. Rule 75."""
    rule = outcome.top_up_rule
    if outcome.switched_off is not None:
        return [(bold("Automatic top-up "), f"{rule_text(outcome.switched_off, settings)} → off")]
    if rule is None or outcome.after.mode is not Mode.PREPAID:
        return []
    return [(bold("Automatic top-up "), f"{rule_text(rule, settings)}; /payment-settings on switches it on")]


def refused_title(outcome: TopUpTried, settings: Settings) -> str:
    """What was not topped up, which notifications show."""
    attempt, customer = outcome.attempt, outcome.customer
    worth = money(attempt.amount, settings.locale)
    return f"Automatic top-up · {shorten(customer.name, 80)} · {worth} · not done: {NOT_DONE[attempt.code]}"


def refused_card(outcome: TopUpTried, settings: Settings) -> list[Block]:
    """A wallet is at its threshold and was not topped up: why, and how it stands."""
    attempt, customer, locale = outcome.attempt, outcome.customer, settings.locale
    facts: list[tuple[Part, ...]] = [
        (typed(outcome.sentence),),
        (
            bold("Balance "),
            balance(attempt.balance, locale),
            bold("  Threshold "),
            amount(attempt.threshold, locale),
            bold("  May still spend "),
            amount(customer.usable(outcome.at), locale),
        ),
        (bold("Method "), attempt.method.label),
    ]
    return [
        rich((bold(typed(refused_title(outcome, settings))),), block_id="title"),
        rich(*facts, block_id="facts"),
        rich((f"code {attempt.code.value}", " · ", moment(outcome.at), " · said once a day"), block_id="context"),
        {
            "type": "actions",
            "block_id": "actions",
            "elements": [button("Customer", "customer_show", str(customer.id))],
        },
    ]


def top_up_said(outcome: TopUpTried, settings: Settings) -> tuple[Part, ...]:
    """The line of a thread."""
    now = balance(outcome.customer.balance, settings.locale)
    return (typed(outcome.sentence), " · ", moment(outcome.at), f" · balance {now}")
