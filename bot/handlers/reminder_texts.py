"""/reminders templates and schedules: what is said and when, tried with a real customer before it is kept."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from bot.domain.errors import NotFound, Refused
from bot.domain.operation import Role
from bot.domain.reminder_plan import CustomerFacts
from bot.domain.reminder_ports import ReminderSchedule, Template
from bot.domain.reminder_steps import EXAMPLE, LONGEST_TEMPLATE_NAME
from bot.domain.reminder_templates import (
    RetireSchedule,
    RetireTemplate,
    SaveSchedule,
    SaveTemplate,
    ScheduleChanged,
    TemplateChanged,
    retire_schedule,
    retire_template,
    save_schedule,
    save_template,
)
from bot.domain.reminder_text import LONGEST_SUBJECT
from bot.domain.reminder_usual import LANGUAGE as USUAL_LANGUAGE
from bot.domain.reminder_usual import SCHEDULE as USUAL_SCHEDULE
from bot.domain.reminder_usual import STEPS as USUAL_STEPS
from bot.domain.reminder_usual import TEXTS as USUAL
from bot.domain.settings import LOCALES
from bot.handlers.blocks.reminder_texts import (
    letter_blocks,
    sample_customer,
    schedule_effect,
    schedule_list,
    template_effect,
    template_list,
    tried,
    variables_text,
)
from bot.handlers.blocks.text import counted, escape, shorten
from bot.handlers.commands import OTHER_VERSION, Reply, id_of, press
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import (
    MOST_TYPED,
    Block,
    ChoiceField,
    Form,
    SearchField,
    TextField,
    TickField,
    Values,
    context,
)
from bot.handlers.parse.words import whole
from bot.handlers.reminder_letters import Written, send_to_me
from bot.handlers.request import Call
from bot.storage.reports import SqlReadBooks

NOT_AGAIN = "It can be written again under the same name."
KeptT = TypeVar("KeptT", Template, ReminderSchedule)

NAME = TextField("name", "Name", longest=LONGEST_TEMPLATE_NAME, placeholder="First reminder")
LANGUAGE = ChoiceField("language", "Language", choices=tuple((each, each) for each in LOCALES))
WITH = SearchField(
    "customer",
    "Preview with",
    needed=False,
    placeholder="Name, code or wallet ID",
    hint="Empty means a customer with something overdue.",
    dispatches=True,
)
SUBJECT = TextField("subject", "Subject", longest=LONGEST_SUBJECT)
BODY = TextField("body", "Text", multiline=True)
STEPS = TextField("steps", "Steps, one a line", multiline=True, placeholder=EXAMPLE, hint=f"Such as {EXAMPLE}.")
DEFAULT = TickField("default", "Default", text="For all customers that have no schedule of their own")


def _save(values: Values, about: Mapping[str, Any], _call: Call) -> SaveTemplate:
    known = "template" in about
    return SaveTemplate(
        name=about["name"] if known else values.need(NAME),
        language=about["language"] if known else values.need(LANGUAGE),
        subject=values.need(SUBJECT),
        body=values.need(BODY),
        over=id_of(about["template"]) if known else None,
    )


def _shown(outcome: TemplateChanged, values: Values, call: Call) -> Sequence[Block]:
    """The text as the chosen customer would read it today. Refuses: NotFound, TemplateRefused."""
    chosen = values.get(WITH)
    customer = call.desk.ask(lambda books: _customer(books, call, id_of(chosen[1]) if chosen else None), call.request)
    return preview_blocks(outcome.template, customer, call)


def preview_blocks(template: Template, customer: CustomerFacts, call: Call) -> list[Block]:
    """A text filled in for a customer as it stands today. Refuses: TemplateRefused."""
    settings = settings_of(call)
    subject, body = tried(template, customer, settings.today(call.request.now), settings)
    return letter_blocks(f"As {shorten(customer.name, 80)} would read it", subject, body)


def _customer(books: SqlReadBooks, call: Call, customer_id: int | None) -> CustomerFacts:
    """The customer to try a text with; a company that there is not, where nothing is overdue. Refuses: NotFound."""
    settings = books.settings()
    today = settings.today(call.request.now)
    if customer_id is None:
        return books.reminder_example(today) or sample_customer(settings, today)
    found = books.reminder_facts([customer_id], today)
    if not found:
        raise NotFound("This customer has no open tax invoice, or is not postpaid; choose another.", field="customer")
    return found[0]


def example(call: Call) -> CustomerFacts:
    """A customer to try a text with."""
    return call.desk.ask(lambda books: _customer(books, call, None), call.request)


def _template_fields(about: Mapping[str, Any]) -> Sequence[Any]:
    return (WITH, SUBJECT, BODY) if "template" in about else (NAME, LANGUAGE, WITH, SUBJECT, BODY)


TEMPLATE = flow(
    Flow(
        form=Form(
            "reminder_template", "Reminder template", (NAME, LANGUAGE, WITH, SUBJECT, BODY), intro=variables_text()
        ),
        operation=save_template,
        command=_save,
        effect=template_effect,
        verb=lambda _outcome, _settings: "Save",
        done=template_effect,
        fields=_template_fields,
        shows=_shown,
    )
)
RETIRE_TEMPLATE = flow(
    Flow(
        form=Form("reminder_template_retire", "Retire a template", (), intro=NOT_AGAIN),
        operation=retire_template,
        command=lambda _values, about, _call: RetireTemplate(
            template_id=id_of(about["template"]), name=about["name"], language=about["language"]
        ),
        effect=template_effect,
        verb=lambda _outcome, _settings: "Retire",
        done=template_effect,
    )
)


def _save_schedule(values: Values, about: Mapping[str, Any], _call: Call) -> SaveSchedule:
    known = "schedule" in about
    return SaveSchedule(
        name=about["name"] if known else values.need(NAME),
        steps=values.need(STEPS),
        is_default=values.ticked(DEFAULT),
        over=id_of(about["schedule"]) if known else None,
    )


def _schedule_fields(about: Mapping[str, Any]) -> Sequence[Any]:
    return (STEPS, DEFAULT) if "schedule" in about else (NAME, STEPS, DEFAULT)


SCHEDULE = flow(
    Flow(
        form=Form(
            "reminder_schedule",
            "Reminder schedule",
            (NAME, STEPS, DEFAULT),
            intro="Lines such as 3 days before: Friendly notice, on due: Due today, 7 days after: First reminder,"
            " 30 days after, every 14 days, from SGD 50: Final notice. Behind the colon stands the template.",
        ),
        operation=save_schedule,
        command=_save_schedule,
        effect=schedule_effect,
        verb=lambda _outcome, _settings: "Save",
        done=schedule_effect,
        fields=_schedule_fields,
    )
)
RETIRE_SCHEDULE = flow(
    Flow(
        form=Form("reminder_schedule_retire", "Retire a schedule", (), intro=NOT_AGAIN),
        operation=retire_schedule,
        command=lambda _values, about, _call: RetireSchedule(schedule_id=id_of(about["schedule"]), name=about["name"]),
        effect=schedule_effect,
        verb=lambda _outcome, _settings: "Retire",
        done=schedule_effect,
    )
)


def templates(call: Call, text: str) -> Reply:
    """All templates, or those whose name has a word in it."""
    found = call.desk.ask(lambda books: books.reminder_templates(), call.request)
    wanted = _named(found, text, "template")
    return Reply(counted(len(wanted), "template"), template_list(wanted, may_write=_may_write(call)))


def schedules(call: Call, text: str) -> Reply:
    """All schedules, or those whose name has a word in it."""
    found = call.desk.ask(lambda books: books.reminder_schedules(), call.request)
    wanted = _named(found, text, "schedule")
    return Reply(counted(len(wanted), "schedule"), schedule_list(wanted, may_write=_may_write(call)))


def _named(found: Sequence[KeptT], text: str, what: str) -> Sequence[KeptT]:
    """Those whose name has a text in it. Refuses: NotFound."""
    name = whole(text)
    wanted = [each for each in found if name.casefold() in each.name.casefold()]
    if name and not wanted:
        raise NotFound(f"There is no {what} {name[:40]}.")
    return wanted


def _may_write(call: Call) -> bool:
    actor = call.request.actor
    person = call.desk.store.read(lambda books: books.person(actor.team, actor.user), call.request.deadline)
    return person is not None and person.role >= Role.CLERK


def open_template(call: Call, kept: Template | None = None) -> None:
    """The form of a template, new or filled with what it says. Refuses: Refused, one longer than a form holds."""
    if kept is None:
        TEMPLATE.open(call, Values({"language": _language(call)}))
        return
    if len(kept.body) > MOST_TYPED:
        raise Refused(f"{kept.name[:40]} is longer than a form holds; write it anew under another name.")
    given = {"subject": kept.subject, "body": kept.body}
    TEMPLATE.open(call, Values(given), _about_template(kept))


def _language(call: Call) -> str:
    locale = settings_of(call).locale
    return locale if locale in LOCALES else USUAL_LANGUAGE


def _about_template(kept: Template) -> dict[str, Any]:
    about = {"template": str(kept.id), "name": kept.name, "language": kept.language}
    return {**about, "notes": [f"{kept.name} ({kept.language})"]}


@press("template_new", by=Role.CLERK)
def press_new_template(call: Call, _action: dict[str, Any]) -> None:
    open_template(call)


@press("template_more", by=Role.VIEWER)
def press_template(call: Call, action: dict[str, Any]) -> Reply | None:
    """Preview, test, edit or retire a template as it was listed. Refuses: NoAccess, NotFound."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    found = call.desk.ask(lambda books: books.reminder_templates(), call.request)
    kept = _kept(found, about, "template")
    if verb == "preview":
        return Reply(escape(f"Preview of {kept.name}"), preview_blocks(kept, example(call), call))
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    if verb == "test":
        return Reply(escape(send_to_me(call, _written(call, kept))))
    if verb == "edit":
        open_template(call, kept)
    elif verb == "retire":
        RETIRE_TEMPLATE.open(call, Values(), _about_template(kept), preview=True)
    else:
        raise Refused(OTHER_VERSION)
    return None


def _written(call: Call, kept: Template) -> Written:
    """A template filled in for a customer with something overdue. Refuses: TemplateRefused."""
    settings, customer = settings_of(call), example(call)
    return Written(customer=customer, words=tried(kept, customer, settings.today(call.request.now), settings))


@press("schedule_new", by=Role.CLERK)
def press_new_schedule(call: Call, _action: dict[str, Any]) -> None:
    SCHEDULE.open(call, Values())


@press("schedule_more", by=Role.CLERK)
def press_schedule(call: Call, action: dict[str, Any]) -> None:
    """Edit or retire a schedule as it was listed. Refuses: NotFound."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    found = call.desk.ask(lambda books: books.reminder_schedules(), call.request)
    kept = _kept(found, about, "schedule")
    carried = {"schedule": str(kept.id), "name": kept.name, "line": kept.name}
    if verb == "edit":
        SCHEDULE.open(call, Values({"steps": kept.steps, "default": kept.is_default}), carried)
    elif verb == "retire":
        RETIRE_SCHEDULE.open(call, Values(), carried, preview=True)
    else:
        raise Refused(OTHER_VERSION)


def _kept(found: Sequence[KeptT], value: str, what: str) -> KeptT:
    """What a list showed, unless it was changed since. Refuses: NotFound."""
    wanted = id_of(value)
    kept = next((each for each in found if each.id == wanted), None)
    if kept is None:
        raise NotFound(f"This {what} was changed or retired meanwhile; type /reminders {what}s to see them.")
    return kept


@press("reminders_usual", by=Role.CLERK)
def press_usual(call: Call, action: dict[str, Any]) -> Reply:
    """Four texts and a schedule to begin with; what there is already stays. Refuses: Refused, another version."""
    if action["value"] != "usual":
        raise Refused(OTHER_VERSION)
    kept = call.desk.ask(lambda books: books.reminder_templates(), call.request)
    names = {each.name.casefold() for each in kept}
    written = []
    for name, (subject, body) in USUAL.items():
        if name.casefold() not in names:
            made = SaveTemplate(name=name, language=USUAL_LANGUAGE, subject=subject, body=body)
            call.desk.carry_out(save_template, made, _usual(call, name))
            written.append(name)
    found = call.desk.ask(lambda books: books.reminder_schedules(), call.request)
    if USUAL_SCHEDULE.casefold() not in {each.name.casefold() for each in found}:
        outcome: ScheduleChanged = call.desk.carry_out(
            save_schedule, SaveSchedule(name=USUAL_SCHEDULE, steps=USUAL_STEPS), _usual(call, "schedule")
        )
        written.append(f"schedule {outcome.schedule.name}")
    said = f"Written: {', '.join(written)}." if written else "The usual set is there already; nothing was written."
    listed = call.desk.ask(lambda books: books.reminder_templates(), call.request)
    more = context("When each is sent: `/reminders schedules`", block_id="schedules")
    return Reply(escape(said), [context(escape(said), block_id="said"), *template_list(listed, may_write=True), more])


def _usual(call: Call, name: str) -> Any:
    return call.keyed(f"usual:{call.request.request_id}:{name}")
