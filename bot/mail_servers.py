"""Addresses of mail servers as an operator writes them: read and checked, shown nowhere with their passwords."""

import ipaddress
import re
from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465, "imap": 143, "imaps": 993}
TLS, STARTTLS, PLAIN = "tls", "starttls", "none"
_OWN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server, who we are there, and how what is said is kept secret: tls, starttls, or none on this machine only."""

    host: str
    port: int
    security: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mail is from: a name, which may be empty, and an address."""

    name: str
    address: str

    @property
    def host(self) -> str:
        return self.address.rpartition("@")[2].lower()


def smtp_server(url: str) -> MailServer:
    """`smtp://user:password@host:587`, which must offer STARTTLS, or `smtps://host:465`. Raises ValueError."""
    return _server(url, {"smtp": STARTTLS, "smtps": TLS})


def mailbox(url: str) -> MailServer:
    """`imaps://user:password@host/INBOX`, or `imap://` with STARTTLS. Raises ValueError."""
    found = _server(url, {"imap": STARTTLS, "imaps": TLS})
    if not found.user:
        raise ValueError("names no user; write imaps://user:password@host/INBOX")
    return found


def sender(text: str) -> Sender:
    """`Name <address>`, or an address alone. Raises ValueError."""
    name, address = parseaddr(text)
    if _OWN.fullmatch(address) is None or any(not letter.isprintable() for letter in text):
        raise ValueError("is no address; write it as Acme Billing <billing@example.com>")
    return Sender(name, address)


def _server(url: str, schemes: dict[str, str]) -> MailServer:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ValueError("cannot be read; in a password write @ as %40, / as %2F, # as %23, : as %3A") from None
    if parts.scheme not in schemes or not host:
        raise ValueError(f"must begin with {' or '.join(f'{each}://' for each in schemes)}, and name a host")
    if any(not letter.isprintable() for letter in unquote(url)):
        raise ValueError("has a character that cannot be in an address")
    return MailServer(
        host=host,
        port=port,
        security=_security(parts, host, schemes[parts.scheme]),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def _security(parts: SplitResult, host: str, usual: str) -> str:
    asked = parse_qs(parts.query)
    if not asked:
        return usual
    if asked != {"tls": ["none"]}:
        raise ValueError("has a setting that is not known; ?tls=none is the only one")
    if not _is_here(host):
        raise ValueError("has tls=none, which is for a server on this machine only")
    return PLAIN


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
