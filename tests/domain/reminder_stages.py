"""One way to carry out each operation on reminders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.desk import SYSTEM
from bot.domain.customers import Contact, Customer, Mode, NewCustomer, new_customer
from bot.domain.open_items import Invoice
from bot.domain.promises import LogPromise, log_promise
from bot.domain.reminder_news import TellBrokenPromise, TellReminders, tell_broken_promise, tell_reminders
from bot.domain.reminder_plan import Planned, decide
from bot.domain.reminder_ports import Message, ReminderRun
from bot.domain.reminder_runs import (
    BeginReminders,
    CancelReminders,
    EditReminder,
    ExcludeReminder,
    PlanReminders,
    PostponeReminders,
    ReleaseDue,
    ReleaseReminders,
    ShowReminders,
    begin_reminders,
    cancel_reminders,
    edit_reminder,
    exclude_reminder,
    plan_reminders,
    postpone_reminders,
    release_due,
    release_reminders,
    show_reminders,
)
from bot.domain.reminder_sending import (
    ExpireReminder,
    RemindNow,
    SendReminder,
    expire_reminder,
    letter_of,
    remind_now,
    send_reminder,
)
from bot.domain.reminder_settings import policy_of
from bot.domain.reminder_templates import (
    RetireSchedule,
    RetireTemplate,
    SaveSchedule,
    SaveTemplate,
    retire_schedule,
    retire_template,
    save_schedule,
    save_template,
)
from bot.domain.reminder_terms import (
    GoOnChasing,
    PauseReminders,
    ResumeReminders,
    SetReminders,
    StopChasing,
    go_on_chasing,
    pause_reminders,
    resume_reminders,
    set_reminders,
    stop_chasing,
)
from tests.world import CLERK, SGD, VIEWER, World

Staged = tuple[Any, Any, str]
SUBJECT, BODY = "{{ company }}: {{ total }}", "Dear {{ customer }}, {{ count }} open."


def template(name: str = "First") -> SaveTemplate:
    return SaveTemplate(name=name, language="en", subject=SUBJECT, body=BODY)


def scheduled(world: World) -> None:
    """A text and a schedule that says it a week after the due date."""
    world.do(save_template, template())
    world.do(save_schedule, SaveSchedule(name="Usual", steps="7 days after: First"))


def debtor(world: World, code: str = "ACME") -> tuple[Customer, Invoice]:
    """A customer with an address, and an invoice ten days late."""
    scheduled(world)
    contact = Contact(name="Zoë", email="zoe@example.com")
    command = NewCustomer(code=code, name="Zoë & Co", currency=SGD, mode=Mode.POSTPAID, contacts=(contact,))
    customer = world.do(new_customer, command).customer
    return customer, world.invoice(customer, 30, issued=-40, due=-10, auto=False)


def begun(world: World, code: str = "ACME") -> ReminderRun:
    debtor(world, code)
    return world.do(begin_reminders, BeginReminders(day=world.today), by=SYSTEM).run


def planned(world: World, code: str = "ACME") -> ReminderRun:
    run = begun(world, code)
    world.do(plan_reminders, PlanReminders(run_id=run.id, after=0), by=SYSTEM)
    return world.do(show_reminders, ShowReminders(run_id=run.id), by=SYSTEM).run


def released(world: World) -> ReminderRun:
    run = planned(world)
    return world.do(release_reminders, ReleaseReminders(run_id=run.id, version=run.version)).run


def message(world: World, run: ReminderRun) -> Message:
    (line,) = world.store.read(lambda books: books.reminder_messages(run.id))
    return line.message


def due(world: World) -> ReleaseDue:
    world.pay(5, world.customer("PAID"))
    run = planned(world)
    world.now = run.send_at
    return ReleaseDue(run_id=run.id)


def sending(world: World) -> SendReminder:
    made = message(world, released(world))
    settings, names, facts = world.store.read(
        lambda books: (
            books.settings(),
            frozenset(each.name.casefold() for each in books.reminder_templates()),
            books.reminder_facts([made.customer_id], made.day, messages=(made.id,)),
        )
    )
    policy = policy_of(settings, made.day, names, send_at=made.opens_at)
    assert isinstance(decide(facts[0], policy), Planned)
    letter = letter_of(made, facts[0], policy)
    return SendReminder(message_id=made.id, mark=letter.mark, to=("zoe@example.com",), subject="x", body="x")


def expiring(world: World) -> ExpireReminder:
    made = message(world, released(world))
    world.now = made.closes_at + timedelta(seconds=1)
    return ExpireReminder(message_id=made.id)


def excluding(world: World) -> ExcludeReminder:
    made = message(world, planned(world))
    return ExcludeReminder(message_id=made.id, version=made.version, reason="Zoë called")


def editing(world: World) -> EditReminder:
    made = message(world, planned(world))
    return EditReminder(message_id=made.id, version=made.version, subject="Own: {{ total }}", body=BODY)


def postponing(world: World) -> PostponeReminders:
    run = planned(world)
    return PostponeReminders(run_id=run.id, version=run.version, until="15:30")


def paused(world: World) -> ResumeReminders:
    customer = debtor(world)[0]
    world.do(pause_reminders, PauseReminders(customer_id=customer.id, until=world.day(5)))
    return ResumeReminders(customer_id=customer.id)


def stopped(world: World) -> GoOnChasing:
    invoice = debtor(world)[1]
    world.do(stop_chasing, StopChasing(invoice_id=invoice.id, reason="Small"))
    return GoOnChasing(invoice_id=invoice.id)


def retiring(world: World) -> RetireTemplate:
    made = world.do(save_template, template("Spare")).template
    return RetireTemplate(template_id=made.id, name="Spare", language="en")


def retiring_schedule(world: World) -> RetireSchedule:
    scheduled(world)
    (kept,) = world.store.read(lambda books: books.reminder_schedules())
    return RetireSchedule(schedule_id=kept.id, name=kept.name)


def broken(world: World) -> TellBrokenPromise:
    """A promise whose day passed without money."""
    customer = debtor(world)[0]
    command = LogPromise(customer_id=customer.id, promised_on=world.day(1))
    made = world.do(log_promise, command, by=VIEWER).promise
    world.now += timedelta(days=2)
    return TellBrokenPromise(customer_id=customer.id, promise_id=made.id)


def writing(world: World) -> SaveTemplate:
    """A second version of a text."""
    made = world.do(save_template, template()).template
    return SaveTemplate(name="First", language="en", subject="Zoë: {{ total }}", body=BODY, over=made.id)


def scheduling(world: World) -> SaveSchedule:
    scheduled(world)
    return SaveSchedule(name="Strict", steps="1 day after: First", is_default=True)


def releasing(world: World) -> ReleaseReminders:
    run = planned(world)
    return ReleaseReminders(run_id=run.id, version=run.version)


def cancelling(world: World) -> CancelReminders:
    run = planned(world)
    return CancelReminders(run_id=run.id, version=run.version)


def beginning(world: World) -> BeginReminders:
    debtor(world)
    return BeginReminders(day=world.today)


def _terms(world: World) -> SetReminders:
    return SetReminders(customer_id=debtor(world)[0].id, version=0, schedule="usual", language="de", reason="Asked")


REMINDER_STAGES: dict[str, Callable[[World], Staged]] = {
    "save_template": lambda world: (save_template, writing(world), CLERK),
    "retire_template": lambda world: (retire_template, retiring(world), CLERK),
    "save_schedule": lambda world: (save_schedule, scheduling(world), CLERK),
    "retire_schedule": lambda world: (retire_schedule, retiring_schedule(world), CLERK),
    "set_reminders": lambda world: (set_reminders, _terms(world), CLERK),
    "pause_reminders": lambda world: (
        pause_reminders,
        PauseReminders(customer_id=debtor(world)[0].id, until=world.day(5), reason="Zoë is away"),
        CLERK,
    ),
    "resume_reminders": lambda world: (resume_reminders, paused(world), CLERK),
    "stop_chasing": lambda world: (
        stop_chasing,
        StopChasing(invoice_id=debtor(world)[1].id, reason="Zoë settles it"),
        CLERK,
    ),
    "go_on_chasing": lambda world: (go_on_chasing, stopped(world), CLERK),
    "begin_reminders": lambda world: (begin_reminders, beginning(world), SYSTEM),
    "plan_reminders": lambda world: (plan_reminders, PlanReminders(run_id=begun(world).id, after=0), SYSTEM),
    "show_reminders": lambda world: (show_reminders, ShowReminders(run_id=begun(world).id), SYSTEM),
    "release_reminders": lambda world: (release_reminders, releasing(world), CLERK),
    "release_due": lambda world: (release_due, due(world), SYSTEM),
    "postpone_reminders": lambda world: (postpone_reminders, postponing(world), CLERK),
    "cancel_reminders": lambda world: (cancel_reminders, cancelling(world), CLERK),
    "exclude_reminder": lambda world: (exclude_reminder, excluding(world), CLERK),
    "edit_reminder": lambda world: (edit_reminder, editing(world), CLERK),
    "send_reminder": lambda world: (send_reminder, sending(world), SYSTEM),
    "expire_reminder": lambda world: (expire_reminder, expiring(world), SYSTEM),
    "remind_now": lambda world: (remind_now, RemindNow(customer_id=debtor(world)[0].id), CLERK),
    "tell_reminders": lambda world: (tell_reminders, TellReminders(run_id=released(world).id, sent=1), SYSTEM),
    "tell_broken_promise": lambda world: (tell_broken_promise, broken(world), SYSTEM),
}
