"""E-mail addresses: checked when they are kept, so that nothing typed can become a header or a second recipient."""

import re

from bot.domain.errors import Refused

LONGEST_ADDRESS = 200
LONGEST_LOCAL = 64
LONGEST_HOST = 253
# A dot-atom of RFC 5322: no quoting, no comment, nothing that ends a header or separates two addresses.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


def clean_address(text: str) -> str:
    """An address as it is kept, its host in small letters. Refuses: Refused."""
    address = text.strip()
    local, _, host = address.rpartition("@")
    if not is_address(address):
        raise Refused("This is not an e-mail address; type one such as accounts@example.com.", field="email")
    return f"{local}@{host.lower()}"


def is_address(text: str) -> bool:
    """Whether a text is one address that mail can be sent to; hosts may have letters of any script."""
    local, at, host = text.rpartition("@")
    if not at or len(text) > LONGEST_ADDRESS or len(local) > LONGEST_LOCAL or _LOCAL.fullmatch(local) is None:
        return False
    spelled = ascii_host(host)
    labels = spelled.split(".")
    return len(spelled) <= LONGEST_HOST and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))


def ascii_host(host: str) -> str:
    """A host as servers spell it; nothing where it cannot be spelled so."""
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


def wire_address(address: str) -> str:
    """A kept address as servers are told it."""
    local, _, host = address.rpartition("@")
    return f"{local}@{ascii_host(host)}"


def same_address(address: str) -> str:
    """What two spellings of one mailbox have in common: hosts have no case, and mailboxes none that matters."""
    return wire_address(address).lower()
