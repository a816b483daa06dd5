"""Letters for whoever wants to read them first: of a planned message, or of what a customer would get now."""

import json
from dataclasses import dataclass

from bot.domain.customers import Customer
from bot.domain.errors import ReminderRefused
from bot.domain.reminder_plan import CustomerFacts, LeftOut, Planned, decide
from bot.domain.reminder_ports import Message
from bot.domain.reminder_sending import Letter, letter_of, pressed, why_not_now
from bot.domain.reminder_settings import policy_of
from bot.handlers.blocks.reminder_letters import paper_of, template_for, words_of, write
from bot.handlers.blocks.reminder_texts import sample_customer, tried
from bot.handlers.blocks.text import shorten
from bot.handlers.files import send_file
from bot.handlers.request import Call
from bot.storage.outbox import LETTER, Outbox
from bot.storage.reports import SqlReadBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A letter in words and whose it is; without words where nothing is to be sent, with the reason."""

    customer: CustomerFacts | None
    words: tuple[str, str] | None
    why_not: str = ""


def of_message(books: SqlReadBooks, message: Message) -> Written:
    """What a planned message says as things stand now. Refuses: TemplateRefused."""
    settings, templates = books.settings(), books.reminder_templates()
    names = frozenset(each.name.casefold() for each in templates)
    found = books.reminder_facts([message.customer_id], message.day, messages=(message.id,))
    customer = found[0] if found else None
    letter: Letter = letter_of(message, customer, policy_of(settings, message.day, names, send_at=message.opens_at))
    if customer is None or not letter.lines:
        return Written(customer=customer, words=None, why_not=letter.why_not)
    return Written(customer=customer, words=words_of(message, letter, customer, templates, settings))


def of_customer(books: SqlReadBooks, call: Call, customer: Customer) -> Written:
    """What a customer would be sent today by its schedule, or by hand; or why nothing. Refuses: TemplateRefused."""
    settings, templates = books.settings(), books.reminder_templates()
    today = settings.today(call.request.now)
    names = frozenset(each.name.casefold() for each in templates)
    policy = policy_of(settings, today, names, send_at=call.request.now)
    found = books.reminder_facts([customer.id], today)
    facts = found[0] if found else None
    decided = decide(facts, policy) if facts is not None else None
    if facts is not None and not isinstance(decided, Planned):
        by_hand = decide(pressed(facts, policy), policy)
        decided = by_hand if isinstance(by_hand, Planned) else decided or by_hand
    if facts is None or not isinstance(decided, Planned):
        why = decided if isinstance(decided, LeftOut) else None
        return Written(customer=facts, words=None, why_not=why_not_now(customer.name, facts, why, today))
    template = template_for(templates, decided.step.template, facts.language, settings)
    assert template is not None, "the decision leaves out who has no text"
    return Written(customer=facts, words=write(facts, decided.lines, today, settings, template))


def an_example(books: SqlReadBooks, call: Call) -> Written:
    """The first text, for a customer with something overdue or for one that there is not. Refuses: ReminderRefused."""
    settings, templates = books.settings(), books.reminder_templates()
    if not templates:
        raise ReminderRefused("There is no template yet; write one under /reminders templates.")
    today = settings.today(call.request.now)
    customer = books.reminder_example(today) or sample_customer(settings, today)
    steps = [step.template for step in customer.steps if step.level]
    wanted = template_for(templates, steps[0], customer.language, settings) if steps else None
    return Written(customer=customer, words=tried(wanted or templates[0], customer, today, settings))


def send_to_me(call: Call, written: Written) -> str:
    """Put a letter into the direct messages of who asked, with the statement that would go with it; what is said about
    it. Nothing goes to the customer. Refuses: ReminderRefused.
    """
    if written.customer is None or written.words is None:
        raise ReminderRefused(f"There is no letter to test: {written.why_not}".rstrip(".") + ".")
    customer, (subject, body) = written.customer, written.words
    title = f"Test of a reminder to {shorten(customer.name, 100)}; nothing was sent to the customer"
    payload = json.dumps({"title": title, "subject": subject, "body": body})
    destination = json.dumps({"user": call.request.actor.user, "team": call.request.actor.team})
    store = call.desk.store
    store.write(
        lambda connection: Outbox(store).add_report(connection, payload=payload, destination=destination, kind=LETTER),
        call.request.deadline,
    )
    if customer.id:
        today = call.desk.store.read(lambda books: books.settings(), call.request.deadline).today(call.request.now)
        paper = json.loads(paper_of(customer, today))
        send_file(call, paper["file"], paper["question"], paper["format"])
    call.desk.on_commit()
    return f"A test of the reminder to {customer.name} is on its way to your direct messages."
