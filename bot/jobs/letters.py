"""From a queued mail to the bytes of a message: headers that cannot be broken, plain text, one file at most."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bot.domain.addresses import wire_address
from bot.domain.mail import KeptMail
from bot.mail_servers import Sender

_POLICY = SMTP.clone(cte_type="7bit")  # passes servers that know nothing but ASCII


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a mail."""

    name: str
    content: bytes


def compose(kept: KeptMail, host: str, sender: Sender, reply_to: str, file: Attached | None) -> bytes:
    """The message of a mail, the same in every try but for its file. The host makes its Message-ID."""
    mail = kept.mail
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    message["To"] = tuple(Address(addr_spec=wire_address(each)) for each in mail.to)
    if mail.cc:
        message["Cc"] = tuple(Address(addr_spec=wire_address(each)) for each in mail.cc)
    answers = mail.reply_to or reply_to
    if answers:
        message["Reply-To"] = Address(addr_spec=wire_address(answers))
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(kept.recorded_at)
    message["Message-ID"] = f"<{kept.mark}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    if file is not None:
        message.add_attachment(file.content, maintype="application", subtype="pdf", filename=file.name)
    return message.as_bytes()
