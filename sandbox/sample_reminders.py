"""How the sample company reminds: at any hour of any day, so that the demo has a plan whenever somebody starts it."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from bot.domain.disputes import OpenDispute, open_dispute
from bot.domain.promises import LogPromise, log_promise
from bot.domain.reminder_plan import CustomerFacts, InvoiceFacts
from bot.domain.reminder_steps import due_step
from bot.domain.reminder_templates import SaveSchedule, SaveTemplate, save_schedule, save_template
from bot.domain.reminder_terms import PauseReminders, SetReminders, pause_reminders, set_reminders
from bot.domain.reminder_usual import LANGUAGE, SCHEDULE, STEPS, TEXTS

# A plan that is made late waits as long as people usually have to look: here half an hour.
SETTINGS = (
    ("reminders", "review"),
    ("reminder_days", "daily"),
    ("reminder_hours", "00:00-23:59"),
    ("reminder_plan_at", "00:00"),
    ("reminder_send_at", "00:30"),
    ("reminder_holidays", ""),
    ("payment_note", "Kopi Supplies Pte Ltd, Example Bank, account 003-123456-7. Please quote the invoice numbers."),
)
GERMAN = {
    "Friendly notice": (
        "{{ company }}: {{ total }} bald fällig",
        """Guten Tag {{ customer }},

bald fällig sind:

{% for invoice in invoices %}
- {{ invoice.number }} vom {{ invoice.issued }}, fällig am {{ invoice.due }}: {{ invoice.open }}
{% endfor %}

Zusammen {{ total }}. Ist die Zahlung schon unterwegs, ist nichts weiter zu tun.

{{ payment_note }}

{{ company }}""",
    ),
    "First reminder": (
        "{{ company }}: {{ overdue }} überfällig",
        """Guten Tag {{ customer }},

noch nicht eingegangen ist die Zahlung von:

{% for invoice in invoices %}
- {{ invoice.number }} vom {{ invoice.issued }}, seit {{ invoice.days_overdue }} Tagen fällig: {{ invoice.open }}
{% endfor %}

Zusammen {{ total }}. Bitte überweisen Sie den Betrag, oder sagen Sie uns, bis wann Sie zahlen.

{{ payment_note }}

{{ company }}""",
    ),
}
GERMANS = ("ECHO", "INDIGO", "NORTHWIND", "VELA", "DUNE")
ALWAYS_FREE = ("ACME",)  # others try things on it
Do = Callable[..., Any]


def write_texts(do: Do, day: date) -> None:
    """The usual texts and schedule, and two of them in German."""
    for language, texts in ((LANGUAGE, TEXTS), ("de", GERMAN)):
        for name, (subject, body) in texts.items():
            do(save_template, SaveTemplate(name=name, language=language, subject=subject, body=body), day)
    do(save_schedule, SaveSchedule(name=SCHEDULE, steps=STEPS, is_default=True), day)


def hold_back(do: Do, customers: Sequence[CustomerFacts], sales: str, today: date) -> None:
    """Of those that are due one is paused, one never reminded, one has promised, one broke its word, one disputes."""
    due = [each for each in customers if each.code not in ALWAYS_FREE and _due(each, today)]
    due.sort(key=lambda each: (-len(_due(each, today)), each.id))
    disputing, broken = due[0], due[1]
    paused, never, promised = due[-3:]
    reason = "The machine was away for repair half of the month"
    do(open_dispute, OpenDispute(invoice_id=_due(disputing, today)[-1].id, reason=reason), today, sales)
    logged = today - timedelta(days=9)
    word = LogPromise(
        customer_id=broken.id, invoice_id=_due(broken, today)[0].id, promised_on=today - timedelta(days=2)
    )
    do(log_promise, word, logged, sales)
    do(log_promise, LogPromise(customer_id=promised.id, promised_on=today + timedelta(days=4)), today, sales)
    until = today + timedelta(days=12)
    do(pause_reminders, PauseReminders(customer_id=paused.id, until=until, reason="Its accountant is on leave"), today)
    terms = SetReminders(
        customer_id=never.id,
        version=1 if never.language else 0,
        language=never.language,
        opted_out=True,
        reason="Pays each quarter, by contract",
    )
    do(set_reminders, terms, today)


def _due(customer: CustomerFacts, today: date) -> list[InvoiceFacts]:
    """What of a customer is overdue and due for a step, the oldest first."""
    late = (each for each in customer.invoices if each.due_on < today)
    return [each for each in late if due_step(customer.steps, each.due_on, each.reached, today) is not None]
