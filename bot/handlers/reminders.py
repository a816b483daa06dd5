"""/reminders: texts and schedules, the plan of today, what a customer gets and why, and what was sent."""

from datetime import date
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.operation import Role
from bot.domain.reminder_ports import ReminderRun
from bot.domain.reminder_settings import OFF, is_sending_day, send_at_of
from bot.domain.settings import Settings
from bot.handlers import find, reminder_review
from bot.handlers.blocks.reminder_review import MOST_ROWS, log_blocks
from bot.handlers.blocks.reminder_terms import contact_line, terms_lines
from bot.handlers.blocks.reminder_texts import letter_blocks
from bot.handlers.blocks.reminders import clock, plan_day, plan_title, plan_view
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.blocks.text import counted, escape, shorten
from bot.handlers.commands import Command, Reply, Sub, command, press
from bot.handlers.disputes import PROMISE, run_customer_promise
from bot.handlers.files import file_format, offer, send_file
from bot.handlers.flow import settings_of
from bot.handlers.forms import Block, Values, button, context
from bot.handlers.parse.words import whole
from bot.handlers.reminder_letters import an_example, of_customer, send_to_me
from bot.handlers.reminder_terms import pause, resume
from bot.handlers.reminder_texts import schedules, templates
from bot.handlers.request import Call
from bot.storage.jobs import Asked, JobRuns

JOB, BOOK = "reminders", "book"
LOG_FILE = "reminder_log"
ARE_OFF = "Reminders are off; an administrator turns them on with /duedesk settings reminders review."


def preview(call: Call, text: str) -> Reply | None:
    """What a customer gets today, when next, and the letter as it would read; without a customer what can be done."""
    name = whole(text)
    if not name:
        return menu(call)
    found = find.customers_named(call, name)
    asked = find.ask_which(found, name, "choose_preview", text)
    return asked if asked is not None else _previewed(call, text, find.customer_named(call, name))


def _previewed(call: Call, _text: str, customer: Customer) -> Reply:
    settings = settings_of(call)
    today = settings.today(call.request.now)
    standing, written = call.desk.ask(
        lambda books: (books.reminder_standing(customer, today), of_customer(books, call, customer)), call.request
    )
    title = f"Reminders of {shorten(customer.name, 80)} ({customer.code})"
    blocks: list[Block] = [rich((bold(typed(title)),), block_id="title")]
    if standing is None:
        blocks.append(rich(f"Only postpaid customers are reminded; {customer.code} pays in advance.", block_id="why"))
        return Reply(escape(title), blocks)
    lines = [contact_line(standing, settings), *terms_lines(standing, settings)]
    blocks.append(rich(*lines, block_id="standing"))
    if written.words is not None:
        blocks += letter_blocks("What it would be sent now", *written.words)
        elements = [button("Customer", "customer_show", str(customer.id))]
        blocks.append({"type": "actions", "block_id": "actions", "elements": elements})
    else:
        blocks.append(rich((typed(written.why_not),), block_id="why_not"))
    return Reply(escape(title), blocks)


def menu(call: Call) -> Reply:
    """Today's plan in a line, and what can be done."""
    settings = settings_of(call)
    today = settings.today(call.request.now)
    run = call.desk.ask(lambda books: books.reminder_run_of(today), call.request)
    line = _today(call, run, settings, today)
    elements = [
        button("Today's plan", "reminders_today", "today", style="primary" if run is not None else ""),
        button("Templates", "reminders_templates", "templates"),
        button("Schedules", "reminders_schedules", "schedules"),
        button("Log", "reminders_log", "log"),
        button("Log a promise", "reminders_promise", "promise"),
    ]
    how = (
        "A customer: `/reminders preview Acme`, `/reminders pause Acme until 5 dec`, `/reminders resume Acme`,"
        " `/reminders test Acme`"
    )
    return Reply(
        "Reminders",
        [
            rich((bold("Reminders"),), (typed(line),), block_id="title"),
            {"type": "actions", "block_id": "menu", "elements": elements},
            context(how, block_id="how"),
        ],
    )


def _today(call: Call, run: ReminderRun | None, settings: Settings, today: date) -> str:
    if run is not None:
        return plan_title(call.desk.ask(lambda books: plan_view(books, run.id), call.request), settings)
    return why_no_plan(settings, today, call)


def why_no_plan(settings: Settings, today: date, call: Call) -> str:
    """Why today has no plan, or when it gets one."""
    if settings.reminders == OFF:
        return ARE_OFF
    if not is_sending_day(settings, today):
        return f"Nobody is reminded on {plan_day(today, settings)}: it is no day of sending, or a public holiday."
    if send_at_of(settings, today, call.request.now) is None:
        return "It is too late today to send anything; the next plan decides anew."
    at = f"{settings.reminder_plan_at}, to be sent at {settings.reminder_send_at}"
    return f"Today's plan is made at {at}; /reminders run makes it now."


def run(call: Call, text: str) -> Reply:
    """Make the plan of today now; one that was made is shown. Refuses: Refused."""
    if text.strip():
        raise Refused("Type /reminders run alone: a plan is made for today.")
    settings = settings_of(call)
    today = settings.today(call.request.now)
    made = call.desk.ask(lambda books: books.reminder_run_of(today), call.request)
    if made is not None:
        return reminder_review.show_plan(call, made.id)
    if settings.reminders == OFF or not is_sending_day(settings, today) or _is_late(settings, today, call):
        return Reply(escape(why_no_plan(settings, today, call)))
    return Reply(escape(plan_now(call, today)))


def _is_late(settings: Settings, today: date, call: Call) -> bool:
    return send_at_of(settings, today, call.request.now) is None


def plan_now(call: Call, today: date) -> str:
    """Have the plan of today made by the job; what is said about it."""
    settings = settings_of(call)
    asked = JobRuns(call.desk.store).ask(JOB, BOOK, today, call.request.now, by=call.request.actor.user, again="")
    call.desk.on_job()
    call.desk.on_commit()
    if asked is Asked.AT_WORK:
        return "The plan of today is being made already; nothing was started twice."
    if asked is Asked.DONE:
        return "The plan of today was tried already; /duedesk jobs says what came of it."
    send_at = send_at_of(settings, today, call.request.now)
    when = f"it is sent at {clock(send_at, settings)}" if send_at is not None else "it is too late to send it today"
    return f"On its way: the plan of {plan_day(today, settings)}. Its card comes in the finance channel; {when}."


def log(call: Call, text: str) -> Reply:
    """What was sent, of one customer or of all; last word csv or xlsx for all of it. Refuses: NotFound."""
    rest, form = file_format(text)
    name = whole(rest)
    customer = find.customer_named(call, name) if name else None
    customer_id = customer.id if customer is not None else None
    question = {"customer": str(customer_id) if customer_id is not None else None}
    if form:
        return send_file(call, LOG_FILE, question, form)
    lines = call.desk.ask(lambda books: books.reminder_log(customer_id, MOST_ROWS + 1), call.request)
    if not lines:
        return Reply("No reminder was sent yet.")
    said = f"The last {counted(min(len(lines), MOST_ROWS), 'reminder')}"
    return Reply(said, log_blocks(lines, settings_of(call), more=offer(LOG_FILE, question)))


def test(call: Call, text: str) -> Reply | None:
    """Send a letter to the asker: what a customer would get, or the first text with an example. Refuses:
    ReminderRefused.
    """
    name = whole(text)
    if not name:
        written = call.desk.ask(lambda books: an_example(books, call), call.request)
        return Reply(escape(send_to_me(call, written)))
    found = find.customers_named(call, name)
    asked = find.ask_which(found, name, "choose_test", text)
    return asked if asked is not None else _tested(call, text, find.customer_named(call, name))


def _tested(call: Call, _text: str, customer: Customer) -> Reply:
    written = call.desk.ask(lambda books: of_customer(books, call, customer), call.request)
    return Reply(escape(send_to_me(call, written)))


def promise(call: Call, text: str) -> Reply | None:
    """The form of a promise, filled with what was typed as for a customer."""
    if not text.strip():
        PROMISE.open(call, Values())
        return None
    return run_customer_promise(call, text)


@press("reminders_today", by=Role.VIEWER)
def press_today(call: Call, _action: dict[str, Any]) -> Reply:
    """The card of today's plan, with its buttons."""
    settings = settings_of(call)
    today = settings.today(call.request.now)
    made = call.desk.ask(lambda books: books.reminder_run_of(today), call.request)
    if made is None:
        return Reply(escape(why_no_plan(settings, today, call)))
    return reminder_review.show_plan(call, made.id)


@press("reminders_templates", by=Role.VIEWER)
def press_templates(call: Call, _action: dict[str, Any]) -> Reply:
    return templates(call, "")


@press("reminders_schedules", by=Role.VIEWER)
def press_schedules(call: Call, _action: dict[str, Any]) -> Reply:
    return schedules(call, "")


@press("reminders_log", by=Role.VIEWER)
def press_log(call: Call, _action: dict[str, Any]) -> Reply:
    return log(call, "")


@press("reminders_promise", by=Role.VIEWER)
def press_promise(call: Call, _action: dict[str, Any]) -> None:
    PROMISE.open(call, Values())


REMINDERS = command(
    Command(
        "reminders",
        "Reminders of unpaid invoices",
        "preview Acme",
        main="preview",
        name_in=whole,
        subs=(
            Sub("preview", Role.VIEWER, "/reminders preview Acme", "what it gets, when, and why not", preview),
            Sub("templates", Role.VIEWER, "/reminders templates", "the texts: new, edit, preview, retire", templates),
            Sub("schedules", Role.VIEWER, "/reminders schedules", "when each text is sent", schedules),
            Sub("run", Role.CLERK, "/reminders run", "makes the plan of today now, or shows it", run),
            Sub("log", Role.VIEWER, "/reminders log Acme", "what was sent, and how it fared", log),
            Sub("pause", Role.CLERK, "/reminders pause Acme until 5 dec", "leaves it alone until a day", pause),
            Sub("resume", Role.CLERK, "/reminders resume Acme", "reminds it again", resume),
            Sub("promise", Role.VIEWER, "/reminders promise Acme 200 by 28 nov", "logs a promise to pay", promise),
            Sub("test", Role.CLERK, "/reminders test Acme", "sends the letter to you alone", test),
        ),
    )
)
find.on_choice("choose_preview", _previewed, by=Role.VIEWER)
find.on_choice("choose_test", _tested, by=Role.CLERK)
