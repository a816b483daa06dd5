"""Mails in trouble: what happened, as the server said it, and what a person can do about it."""

from bot.domain.customers import Customer
from bot.domain.mail import KeptMail, MailState
from bot.domain.mailing import MailQueued
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold, moment, rich, typed
from bot.handlers.blocks.text import counted
from bot.handlers.forms import Block, button, context

STATES = {
    MailState.WAITING: "waits to be sent",
    MailState.SENT: "was sent",
    MailState.FAILED: "was not sent",
    MailState.BOUNCED: "came back",
    MailState.UNKNOWN: "may have been sent",
    MailState.WITHDRAWN: "was taken back before it left",
}
ADVICE = {
    MailState.FAILED: "Correct the customer's contacts if an address is at fault, and send it again.",
    MailState.BOUNCED: (
        "Nothing more is sent to that address. Correct the customer's contacts, or send it again once it works."
    ),
    MailState.UNKNOWN: (
        "The connection broke when all of it was sent, so nobody knows whether the server has it. Ask the customer; "
        "sent again, it may arrive twice."
    ),
}


def mail_title(kept: KeptMail, customer: Customer) -> str:
    """The first line, which notifications and searches show."""
    return f"E-mail to {customer.name} {STATES[kept.state]}: {kept.mail.subject}"


def mail_card(kept: KeptMail, customer: Customer) -> list[Block]:
    """What became of a mail, and buttons while somebody has to look after it."""
    lines: list[tuple[Part, ...]] = []
    if kept.answer:
        lines.append(("Said: ", typed(kept.answer)))
    if kept.refused:
        lines.append(("Not taken for: ", typed(", ".join(kept.refused))))
    lines.append((f"{counted(kept.attempts, 'attempt')} · written ", moment(kept.recorded_at)))
    if kept.needs_somebody:
        lines.append((ADVICE[kept.state],))
    elif kept.handled_at is not None:
        lines.append(("Left as it is.",))
    blocks = [
        rich((bold(typed(mail_title(kept, customer))),), block_id="title"),
        rich(*lines, block_id="facts"),
    ]
    # The version makes the key of each press its own.
    value = f"{kept.mail.id}:{kept.version}"
    elements = [button("Customer", "customer_show", str(customer.id))]
    if kept.needs_somebody:
        arrived = [button("It arrived", "mail_arrived", value)] if kept.state is MailState.UNKNOWN else []
        elements = [
            *arrived,
            button("Send again", "mail_again", value),
            button("Leave it", "mail_left", value),
            *elements,
        ]
    return [*blocks, {"type": "actions", "block_id": "actions", "elements": elements}]


def mail_effect(outcome: MailQueued, _settings: Settings) -> list[Block]:
    """Who gets a mail, before it is sent."""
    lines: list[tuple[Part, ...]] = [(bold("Who gets it"),), *((f"• {each}",) for each in outcome.to)]
    if outcome.left_out > 0:
        left = counted(outcome.left_out, "contact")
        lines.append((f"Not to {left}: mail came back from there, or the address cannot be written to.",))
    return [rich(*lines, block_id="effect")]


def mail_done(outcome: MailQueued, _settings: Settings) -> list[Block]:
    """What is said once it waits to be sent."""
    line = (bold(typed(outcome.label)), f" goes to {', '.join(outcome.to)}")
    return [rich(line, block_id="done"), context("The finance channel is told if it does not arrive.")]
