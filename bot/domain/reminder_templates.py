"""Templates and schedules of reminders: what is said, and when it is due."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.customers import clean_text
from bot.domain.errors import NotFound, ScheduleRefused, WrongState
from bot.domain.operation import Announcement, Context, Role, Trace, operation
from bot.domain.reminder_ports import ReminderSchedule, Template
from bot.domain.reminder_steps import LONGEST_TEMPLATE_NAME, read_steps
from bot.domain.reminder_text import check_body, check_subject
from bot.domain.settings import LOCALES

if TYPE_CHECKING:
    from bot.domain.ports import Books

STALE = "was changed by somebody else meanwhile; open the form again."


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTemplate:
    """Write a template, or a new version of it; `over` is the one that was shown, if there was one."""

    name: str
    language: str
    subject: str
    body: str
    over: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireTemplate:
    """Use a template no more."""

    template_id: int
    name: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChanged:
    """A text of reminders is another from now on."""

    step: str
    template: Template
    operation_id: int

    def trace(self) -> Trace:
        made = self.template
        return Trace(
            description=f"Reminder template {made.name} ({made.language}) {self.step}",
            document=made.name,
            after={"template": str(made.id)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSchedule:
    """Write a schedule, or a new version of it; `over` is the one that was shown, if there was one."""

    name: str
    steps: str
    is_default: bool = False
    over: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireSchedule:
    """Use a schedule no more."""

    schedule_id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChanged:
    """A schedule of reminders is another from now on."""

    step: str
    schedule: ReminderSchedule
    operation_id: int
    before: str = ""

    def trace(self) -> Trace:
        made = self.schedule
        return Trace(
            description=f"Reminder schedule {made.name} {self.step}{' as the default' if made.is_default else ''}",
            document=made.name,
            before={"steps": self.before} if self.before else {},
            after={"steps": made.steps},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@operation(by=Role.CLERK)
def save_template(command: SaveTemplate, books: "Books", context: Context) -> TemplateChanged:
    """Keep a text for reminders; a version that was sent stays as it was. Rules 86, 90. Refuses: TemplateRefused,
    MissingText, TextTooLong, WrongState.
    """
    name = clean_text(" ".join(command.name.split()), "name", LONGEST_TEMPLATE_NAME, needed=True)
    language = command.language.strip() or books.settings.current().locale
    if language not in LOCALES:
        raise WrongState(f"There is no language {language[:10]}; choose one of {', '.join(LOCALES)}.", field="language")
    before = books.reminders.template(name, language)
    if (before.id if before is not None else None) != command.over:
        raise WrongState(
            f"{name} ({language}) {STALE if command.over else 'is there already; change that one.'}", field="name"
        )
    made = Template(
        id=books.new_id(),
        name=name,
        language=language,
        subject=check_subject(command.subject),
        body=check_body(command.body),
        saved_by=context.person,
        saved_at=context.now,
    )
    books.reminders.put_template(made, before)
    return TemplateChanged(
        step="changed" if before is not None else "written", template=made, operation_id=context.operation_id
    )


@operation(by=Role.CLERK)
def retire_template(command: RetireTemplate, books: "Books", context: Context) -> TemplateChanged:
    """Use a text no more; the last one of a name stays while a schedule says it. Refuses: NotFound, WrongState."""
    found = books.reminders.template(command.name, command.language)
    if found is None or found.id != command.template_id:
        raise NotFound(f"There is no such template any more; {command.name[:40]} was changed or retired.")
    if len(books.reminders.templates_called(found.name)) == 1:
        users = [
            each.name
            for each in books.reminders.schedules()
            if any(step.template.casefold() == found.name.casefold() for step in read_steps(each.steps))
        ]
        if users:
            raise WrongState(f"The schedule {users[0]} says {found.name}; change that schedule first.")
    books.reminders.retire_template(found)
    return TemplateChanged(step="retired", template=found, operation_id=context.operation_id)


@operation(by=Role.CLERK)
def save_schedule(command: SaveSchedule, books: "Books", context: Context) -> ScheduleChanged:
    """Keep a schedule; the first one is the default. Rule 87. Refuses: ScheduleRefused, MissingText, TextTooLong,
    WrongState.
    """
    name = clean_text(" ".join(command.name.split()), "name", LONGEST_TEMPLATE_NAME, needed=True)
    before = books.reminders.schedule(name)
    if (before.id if before is not None else None) != command.over:
        raise WrongState(f"{name} {STALE if command.over else 'is there already; change that one.'}", field="name")
    steps = read_steps(command.steps)
    known = books.reminders.template_names()
    missing = sorted({step.template for step in steps if step.template.casefold() not in known})
    if missing:
        raise ScheduleRefused(
            f"There is no template {' and no '.join(missing)}; write it first under /reminders templates.",
            field="steps",
        )
    default = books.reminders.default_schedule()
    is_default = command.is_default or default is None or (before is not None and before.is_default)
    made = ReminderSchedule(
        id=books.new_id(),
        name=name,
        steps="\n".join(step.label for step in steps),
        is_default=is_default,
        saved_by=context.person,
        saved_at=context.now,
    )
    if is_default and default is not None and default != before:
        books.reminders.put_schedule(_plain(default, books, context), default)
    books.reminders.put_schedule(made, before)
    return ScheduleChanged(
        step="changed" if before is not None else "written",
        schedule=made,
        operation_id=context.operation_id,
        before=before.steps if before is not None else "",
    )


def _plain(default: ReminderSchedule, books: "Books", context: Context) -> ReminderSchedule:
    """The same schedule, the default no more."""
    return ReminderSchedule(
        id=books.new_id(),
        name=default.name,
        steps=default.steps,
        is_default=False,
        saved_by=context.person,
        saved_at=context.now,
    )


@operation(by=Role.CLERK)
def retire_schedule(command: RetireSchedule, books: "Books", context: Context) -> ScheduleChanged:
    """Use a schedule no more, once no customer has it. Refuses: NotFound, WrongState."""
    found = books.reminders.schedule(command.name)
    if found is None or found.id != command.schedule_id:
        raise NotFound(f"There is no such schedule any more; {command.name[:40]} was changed or retired.")
    users = books.reminders.customers_on(found.name)
    if users:
        raise WrongState(f"{users:,} customers have the schedule {found.name}; give them another one first.")
    books.reminders.retire_schedule(found)
    return ScheduleChanged(step="retired", schedule=found, operation_id=context.operation_id)
