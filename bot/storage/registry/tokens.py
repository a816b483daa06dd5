"""Tokens as they are kept: encrypted, bound to the workspace they are for, readable with any of the operator's keys."""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Keys:
    """The operator's keys, newest first: the first encrypts, each decrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(each) for each in keys])

    def close(self, token: str, place: str) -> str:
        """A token that can be read for this place alone: moved to another row it is no token any more."""
        return self._fernet.encrypt(json.dumps([place, token]).encode()).decode()

    def open(self, kept: str, place: str) -> str | None:
        """The token; nothing when no key opens it, or when it was another place's."""
        try:
            of, token = json.loads(self._fernet.decrypt(kept.encode()))
        except InvalidToken:
            return None
        return str(token) if of == place else None


def new_key() -> str:
    """A fresh random key."""
    return Fernet.generate_key().decode()
