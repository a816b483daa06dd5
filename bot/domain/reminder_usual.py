"""Four texts and a schedule to begin with, for a book that has none. Rules 86, 87."""

from collections.abc import Mapping

LANGUAGE = "en"
SCHEDULE = "Usual"
STEPS = """3 days before: Friendly notice
7 days after: First reminder
14 days after: Second reminder
30 days after, every 14 days: Final notice"""
_COMING = """{% for invoice in invoices %}
- {{ invoice.number }} of {{ invoice.issued }}, due {{ invoice.due }}: {{ invoice.open }}
{% endfor %}
"""
_LATE = """{% for invoice in invoices %}
- {{ invoice.number }} of {{ invoice.issued }}, {{ invoice.days_overdue }} days late: {{ invoice.open }}
{% endfor %}
"""
_END = """
{% if payment_note %}
{{ payment_note }}

{% endif %}
{{ company }}"""


def _letter(says: str, invoices: str, asks: str) -> str:
    return f"Dear {{{{ customer }}}},\n\n{says}\n\n{invoices}\n{asks}\n{_END}"


# By name: the subject and the text.
TEXTS: Mapping[str, tuple[str, str]] = {
    "Friendly notice": (
        "{% if company %}{{ company }}: {% endif %}{{ total }} due soon",
        _letter(
            "this is a note of what falls due shortly:",
            _COMING,
            "Together {{ total }}. If it is on its way already, please ignore this.",
        ),
    ),
    "First reminder": (
        "{% if company %}{{ company }}: {% endif %}{{ overdue }} overdue",
        _letter(
            "we have not received payment of:",
            _LATE,
            "Together {{ total }}. Please pay it, or tell us when you will. If something is wrong, please answer.",
        ),
    ),
    "Second reminder": (
        "Second reminder{% if company %} from {{ company }}{% endif %}: {{ overdue }} overdue",
        _letter(
            "we wrote to you before about:",
            _LATE,
            "Together {{ total }}, the oldest {{ oldest_days }} days late. Please pay within seven days, or tell us"
            " what holds it back.",
        ),
    ),
    "Final notice": (
        "Final notice{% if company %} from {{ company }}{% endif %}: {{ overdue }} overdue",
        _letter(
            "in spite of our reminders these are still not paid:",
            _LATE,
            "Together {{ total }}. Please pay now, or call us today.",
        ),
    ),
}
