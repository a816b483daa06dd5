"""Reads what mail servers report of mails that did not arrive. Nothing in it is believed beyond the mail it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser

from bot.observe import log
from bot.storage.mailroom import Bounce, BounceKind

MOST_PARTS = 30
MOST_DEEP = 20
MOST_RECIPIENTS = 50
OURS = "duedesk."
ACTIONS = {"failed": BounceKind.HARD, "delayed": BounceKind.SOFT}


@dataclass(frozen=True, slots=True)
class Found:
    """What a message reports, and the Message-IDs of ours that it answers."""

    bounces: tuple[Bounce, ...] = ()
    answers: tuple[str, ...] = ()


def is_worth_reading(head: "Message[str, str]") -> bool:
    """Whether a message may be a report, or an answer to a mail of ours."""
    return _is_report(head) or bool(_answered(head))


def found_in(raw: bytes) -> Found:
    """What a message says of mails of ours; nothing where it cannot be read, however it is broken."""
    try:
        message = message_from_bytes(raw)
        if _is_report(message):
            return Found(bounces=tuple(_reported(message)))
        return Found(answers=_answered(message))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
        log.info("a message in the mailbox cannot be read: %s", type(fault).__name__)
        return Found()


def _is_report(message: "Message[str, str]") -> bool:
    return message.get_content_type() == "multipart/report"


def _answered(message: "Message[str, str]") -> tuple[str, ...]:
    named = f"{message.get('In-Reply-To', '')} {message.get('References', '')}".replace("<", " <").split()
    return tuple(each for each in named[-MOST_PARTS:] if each.startswith(f"<{OURS}"))


def _reported(message: "Message[str, str]") -> Iterator[Bounce]:
    parts = list(_parts(message, 0))[:MOST_PARTS]
    message_id = next(filter(None, map(_original_id, parts)), "")
    if not message_id.strip().startswith(f"<{OURS}"):
        return
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            for block in _blocks(part)[:MOST_RECIPIENTS]:
                yield from _of_recipient(block, message_id)
        if part.get_content_type() == "message/feedback-report":
            for block in _blocks(part)[:1]:
                recipient = _address(block.get("Original-Rcpt-To", ""))
                if recipient:
                    yield Bounce(
                        message_id=message_id, recipient=recipient, kind=BounceKind.COMPLAINT, diagnostic="a complaint"
                    )


def _parts(message: "Message[str, str]", depth: int) -> Iterator["Message[str, str]"]:
    """The parts of a report, without what is inside a message that it gives back."""
    held = message.get_payload()
    if depth > MOST_DEEP or not isinstance(held, list):
        return
    for each in held[:MOST_PARTS]:
        if isinstance(each, Message):
            yield each
            if each.get_content_maintype() == "multipart":
                yield from _parts(each, depth + 1)


def _blocks(part: "Message[str, str]") -> list["Message[str, str]"]:
    held = part.get_payload()
    if isinstance(held, list):
        return [each for each in held if isinstance(each, Message)]
    return [HeaderParser().parsestr(str(held))]


def _original_id(part: "Message[str, str]") -> str:
    held = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(held, list) and held:
        return str(held[0].get("Message-ID", "")) if isinstance(held[0], Message) else ""
    if part.get_content_type() == "text/rfc822-headers":
        return str(HeaderParser().parsestr(str(held)).get("Message-ID", ""))
    return ""


def _of_recipient(block: "Message[str, str]", message_id: str) -> Iterator[Bounce]:
    kind = ACTIONS.get(str(block.get("Action", "")).strip().lower())
    diagnostic = " ".join(f"{block.get('Status', '')} {block.get('Diagnostic-Code', '')}".split())
    recipients = {_address(str(block.get(name, ""))) for name in ("Original-Recipient", "Final-Recipient")}
    for each in sorted(recipients - {""}):
        if kind is not None:
            yield Bounce(message_id=message_id, recipient=each, kind=kind, diagnostic=diagnostic)


def _address(field: str) -> str:
    """`rfc822; ann@acme.example`, or the address alone."""
    return field.rpartition(";")[2].strip().strip("<>")
