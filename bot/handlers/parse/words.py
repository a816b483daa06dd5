"""Slash command text to words and keyword clauses; quoted words are never keywords."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.handlers.parse.errors import WordsNotUnderstood

_PIECE = re.compile(r'"([^"]*)"|“([^”]*)”|<([@#!][^>|]*|https?:[^>|]*|mailto:[^>|]*|tel:[^>|]*)(?:\|([^>]*))?>|(\S+)')


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its text, whether it was quoted, and the id when it refers to a person or channel."""

    text: str
    quoted: bool = False
    user: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words before any keyword, and those after each."""

    lead: tuple[Word, ...]
    clauses: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A clause as text, empty when it was not typed."""
        return join(self.clauses.get(name, ()))


def join(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def unescape(text: str) -> str:
    """Slack's three escapes, decoded once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def split(text: str) -> list[Word]:
    """Words of a command; references by id, links as their plain text."""
    return [_word(found) for found in _PIECE.finditer(text)]


def _word(found: "re.Match[str]") -> Word:
    straight, curly, reference, label, bare = found.groups()
    if straight is not None or curly is not None:
        return Word(unescape(straight if straight is not None else curly), quoted=True)
    if reference is None:
        return Word(unescape(bare))
    if reference.startswith("@"):
        return Word(label or reference[1:], user=reference[1:])
    if reference.startswith("#"):
        return Word(label or reference[1:], channel=reference[1:])
    return Word(unescape(label or re.sub(r"^(mailto|tel):", "", reference)))


def phrase(text: str, keywords: Mapping[str, str]) -> Phrase:
    """Split text at keywords, given as spelling to name. Refuses a keyword typed twice."""
    lead: list[Word] = []
    clauses: dict[str, list[Word]] = {}
    current = lead
    for word in split(text):
        name = keywords.get(word.text.lower().rstrip(":")) if not word.quoted else None
        if name is None:
            current.append(word)
            continue
        if name in clauses:
            raise WordsNotUnderstood(f"{word.text} was typed twice; type it once.")
        current = clauses.setdefault(name, [])
    return Phrase(tuple(lead), {name: tuple(words) for name, words in clauses.items()})
