"""Templates, schedules and letters as people see them: listed, tried with a customer, and as they are read."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.customers import CustomerState
from bot.domain.money import currency
from bot.domain.reminder_plan import CustomerFacts, InvoiceFacts, Line
from bot.domain.reminder_ports import ReminderSchedule, Template
from bot.domain.reminder_steps import Due, Step, steps_of
from bot.domain.reminder_templates import ScheduleChanged, TemplateChanged
from bot.domain.reminder_text import INVOICE, VARIABLES
from bot.domain.settings import Settings
from bot.handlers.blocks.reminder_letters import write
from bot.handlers.blocks.reminders import section_of
from bot.handlers.blocks.rich import bold, preformatted, rich, typed
from bot.handlers.blocks.text import bidi_safe, plain, shorten
from bot.handlers.forms import Block, button, context, option

if TYPE_CHECKING:
    from datetime import date

MOST_LISTED = 20
LONGEST_LETTER = 2_400
SAMPLE_NAME, SAMPLE_CODE = "Sample Company Pte Ltd", "SAMPLE"


def template_list(templates: Sequence[Template], *, may_write: bool) -> list[Block]:
    """All texts by name and language, each with what can be done to it."""
    blocks: list[Block] = [rich((bold("Templates of reminders"), f"  {len(templates):,}"), block_id="title")]
    for each in templates[:MOST_LISTED]:
        said = f"{each.name} ({each.language})\n{shorten(each.subject, 200)}"
        choices = [("Preview", f"preview:{each.id}")]
        verbs = (("Test to me", "test"), ("Edit", "edit"), ("Retire", "retire")) if may_write else ()
        choices += [(label, f"{verb}:{each.id}") for label, verb in verbs]
        blocks.append(section_of(said, block_id=f"template:{each.id}", accessory=_menu("template_more", choices)))
    more = len(templates) - MOST_LISTED
    if more > 0:
        blocks.append(context(f"and {more:,} more; name one: /reminders templates Final", block_id="more"))
    new = [button("New template", "template_new", "new", style="primary")] if may_write else []
    new += [button("Write the usual set", "reminders_usual", "usual")] if may_write and not templates else []
    return [*blocks, *([{"type": "actions", "block_id": "actions", "elements": new}] if new else [])]


def schedule_list(schedules: Sequence[ReminderSchedule], *, may_write: bool) -> list[Block]:
    """All schedules with their steps, the default one marked."""
    blocks: list[Block] = [rich((bold("Schedules of reminders"), f"  {len(schedules):,}"), block_id="title")]
    for each in schedules[:MOST_LISTED]:
        default = " (default)" if each.is_default else ""
        choices = [("Edit", f"edit:{each.id}"), ("Retire", f"retire:{each.id}")]
        accessory = _menu("schedule_more", choices) if may_write else None
        said = f"{each.name}{default}\n{each.steps}"
        blocks.append(section_of(said, block_id=f"schedule:{each.id}", accessory=accessory))
    more = len(schedules) - MOST_LISTED
    if more > 0:
        blocks.append(context(f"and {more:,} more; name one: /reminders schedules Usual", block_id="more"))
    new = [button("New schedule", "schedule_new", "new", style="primary")] if may_write else []
    new += [button("Write the usual set", "reminders_usual", "usual")] if may_write and not schedules else []
    return [*blocks, *([{"type": "actions", "block_id": "actions", "elements": new}] if new else [])]


def _menu(action_id: str, choices: Sequence[tuple[str, str]]) -> Block:
    return {"type": "overflow", "action_id": action_id, "options": [option(*each) for each in choices]}


def variables_text() -> str:
    """What a template can name, for the top of its form. Rule 90."""
    plain_ones = ", ".join(name for name in VARIABLES if name != "invoices")
    fields = ", ".join(f"invoice.{name}" for name in INVOICE)
    return (
        f"Variables: {plain_ones}, each as {{{{ customer }}}}. A list: {{% for invoice in invoices %}} "
        f"{{{{ invoice.number }}}} {{% endfor %}} with {fields}. A choice: {{% if level > 1 %}} ... {{% endif %}}"
    )


def sample_customer(settings: Settings, today: "date") -> CustomerFacts:
    """A company that there is not, for a book without anything overdue."""
    of = currency(settings.currency_codes()[0])
    late = InvoiceFacts(
        id=0,
        number="INV-0042",
        issue_on=today - timedelta(days=42),
        due_on=today - timedelta(days=12),
        total_micros=300_000_000,
        open_micros=120_000_000,
    )
    return CustomerFacts(
        id=0, name=SAMPLE_NAME, code=SAMPLE_CODE, currency=of, state=CustomerState.ACTIVE, invoices=(late,)
    )


def tried_lines(customer: CustomerFacts, today: "date") -> tuple[Line, ...]:
    """The lines that a text is tried with: what is overdue, or else all that is open."""
    late = [each for each in customer.invoices if each.due_on < today]
    return tuple(
        Line(
            invoice=each,
            due=Due(step=Step(offset=7, template="", level=max(1, each.reached.level)), since=today),
        )
        for each in late or customer.invoices
    )


def tried(template: Template, customer: CustomerFacts, today: "date", settings: Settings) -> tuple[str, str]:
    """Subject and text of a template for a customer as it stands. Refuses: TemplateRefused."""
    return write(customer, tried_lines(customer, today), today, settings, template)


def letter_blocks(title: str, subject: str, body: str) -> list[Block]:
    """A letter as its reader has it; nothing in it is formatted."""
    return [
        rich((bold(typed(title)),), block_id="letter_title"),
        rich((bold("Subject "), typed(subject)), block_id="letter_subject"),
        preformatted(letter_text(body), block_id="letter_body"),
    ]


def letter_text(body: str) -> str:
    """As much of a letter as a message shows, control characters made visible."""
    return bidi_safe(shorten(body, LONGEST_LETTER))


def template_effect(outcome: TemplateChanged, _settings: Settings) -> list[Block]:
    """What happens to a text."""
    made = outcome.template
    after = "" if outcome.step == "retired" else "; what was sent stays as it was"
    line = (typed(f"{made.name} ({made.language})"), f" is {outcome.step}{after}.")
    return [rich((bold("What will happen"),), line, block_id="effect")]


def schedule_effect(outcome: ScheduleChanged, _settings: Settings) -> list[Block]:
    """The steps as they were understood."""
    made = outcome.schedule
    default = " and is the default" if made.is_default else ""
    if outcome.step == "retired":
        return [rich((bold("What will happen"),), (typed(made.name), " is used no more."), block_id="effect")]
    steps = [(f"{each.name}  ", typed(each.label)) for each in steps_of(made.steps)]
    head = (typed(made.name), f" is {outcome.step}{default}:")
    return [rich((bold("What will happen"),), head, *steps, block_id="effect")]


def described(text: str) -> Block:
    """A line of plain words."""
    return {"type": "context", "elements": [plain(text)]}
