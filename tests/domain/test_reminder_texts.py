"""Texts of reminders that would fail only once they are sent: refused when they are saved."""

import pytest

from bot.domain.errors import TemplateRefused
from bot.domain.reminder_text import check_body, fill
from bot.domain.reminder_usual import TEXTS

HIDDEN = "{{% if level == 3 %}}{}{{% endif %}}"  # no sample has this level


@pytest.mark.rule(90)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ 1 if total > 1000 else 2 }}", "words and a number cannot be compared with >"),
        ("{% if 'x' in level %}{% endif %}", "words and a number cannot be compared with in"),
        ("{% if 5 < oldest_days <= payment_note %}{% endif %}", "a number and words cannot be compared with <="),
        ("{{ level|length }}", "a number has no length"),
        ("{{ customer|upper(3) }}", "upper takes no such values"),
        ("{{ customer|default(*level) }}", "default takes no such values"),
        ("{{ 'late' if level < 3 }}", "say what holds else"),
        ("{{ invoices }}", "the list of invoices cannot be said as a whole"),
        ("{% for each in invoices %}{{ each|upper }}{% endfor %}", "an invoice cannot be said as a whole"),
        ("{% if customer.__class__ %}{% endif %}", "customer has no parts"),
        ("{{ ''.join }}", "this has no parts"),
        ("{{ '%s' % customer }}", "mod cannot be used here"),
        ("{{ 'x' * 99999999 }}", "mul cannot be used here"),
        ("{{ level / 0 }}", "div cannot be used here"),
        ("{{ customer|attr('x') }}", "there is no filter attr"),
        ("{% if level %}" * 60 + "{% endif %}" * 60, "nested too deeply"),
        ("{{ " + "not " * 1_500 + "level }}", "nested too deeply"),
        ("{{ " + "(" * 900 + "level" + ")" * 900 + " }}", "nested too deeply"),
        ("{{ customer" + "|upper" * 900 + " }}", "nested too deeply"),
        ("{{ " + "9" * 5_000 + " }}", "nested too deeply"),
    ],
)
def test_what_would_fail_in_a_branch_that_nobody_tried_is_refused(text: str, says: str) -> None:
    with pytest.raises(TemplateRefused) as refusal:
        check_body(HIDDEN.format(text))
    assert says in refusal.value.sentence


@pytest.mark.rule(90)
def test_what_people_write_is_taken_and_filled_in() -> None:
    for subject, body in TEXTS.values():
        assert check_body(body)
        assert check_body(subject)
    said = "{% if level > 2 and oldest_days >= 30 %}{{ 'Last' if count == 1 else 'All' }}{% elif 'a' in code %}a"
    text = check_body(said + "{% endif %}{{ payment_note|default('none', true)|trim }}{{ invoices|length }}")
    values = {"level": 3, "oldest_days": 31, "count": 2, "code": "b", "payment_note": "", "invoices": [1, 2]}
    assert fill("{{ code }}\r\nBcc: x@y.z", text, values) == ("b Bcc: x@y.z", "Allnone2")
