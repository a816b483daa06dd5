"""Slash command text to words and keyword clauses; quoted words are never keywords."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.handlers.parse.errors import WordsNotUnderstood

_REFERENCE = r"<([@#!][^>|]*|https?:[^>|]*|mailto:[^>|]*|tel:[^>|]*)(?:\|([^>]*))?>"
_LINK = re.compile(_REFERENCE)
_PIECE = re.compile(rf'"([^"]*)"|“([^”]*)”|{_REFERENCE}|(\S+)')


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its text, whether it was quoted, and what it refers to: a person, a channel or an address."""

    text: str
    quoted: bool = False
    user: str = ""
    channel: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words before any keyword, those after each, and how each keyword was spelled."""

    lead: tuple[Word, ...]
    clauses: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)
    spelled: Mapping[str, str] = field(default_factory=dict, compare=False)

    def text(self, name: str) -> str:
        """A clause as text, empty when it was not typed."""
        return join(self.clauses.get(name, ()))


def join(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def unescape(text: str) -> str:
    """Slack's three escapes, decoded once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def as_seen(text: str) -> str:
    """Text as the person saw it: links as their plain text, escapes decoded."""
    return unescape(_LINK.sub(lambda link: _shown(link[1], link[2]), text))


def whole(text: str) -> str:
    """A text that is one name: as seen, with single spaces, without quotes around all of it."""
    words = split(text)
    return words[0].text if len(words) == 1 else " ".join(as_seen(text).split())


def split(text: str) -> list[Word]:
    """Words of a command; references by id, links as their plain text."""
    return [_word(found) for found in _PIECE.finditer(text)]


def _word(found: "re.Match[str]") -> Word:
    straight, curly, reference, label, bare = found.groups()
    if straight is not None or curly is not None:
        inside = straight if straight is not None else curly
        return Word(as_seen(inside), quoted=True)
    if reference is None:
        return Word(unescape(bare))
    text, marker = unescape(_shown(reference, label)), reference[0]
    return Word(
        text,
        user=reference[1:] if marker == "@" else "",
        channel=reference[1:] if marker == "#" else "",
        url=unescape(reference) if reference.startswith("http") else "",
    )


def _shown(reference: str, label: str | None) -> str:
    """What the person saw; an e-mail address or telephone number without its scheme."""
    return label or re.sub(r"^(?:[@#]|mailto:|tel:)", "", reference)


def phrase(text: str, keywords: Mapping[str, str]) -> Phrase:
    """Split text at keywords, given as spelling to name. Refuses: WordsNotUnderstood, a keyword typed twice."""
    return clauses(split(text), keywords)


def clauses(words: Sequence[Word], keywords: Mapping[str, str]) -> Phrase:
    """Words before any keyword and after each; a spelling may be several words, the longest counts. Refuses:
    WordsNotUnderstood.
    """
    longest = max((spelling.count(" ") + 1 for spelling in keywords), default=1)
    lead: list[Word] = []
    made: dict[str, list[Word]] = {}
    spelled: dict[str, str] = {}
    current, place = lead, 0
    while place < len(words):
        name, length = _keyword(words[place : place + longest], keywords)
        typed = join(tuple(words[place : place + length]))
        if name is None:
            current.append(words[place])
        elif name in made:
            raise _repeated(spelled[name], typed)
        else:
            current, spelled[name] = made.setdefault(name, []), typed
        place += length
    return Phrase(tuple(lead), {name: tuple(after) for name, after in made.items()}, spelled)


def _keyword(words: Sequence[Word], keywords: Mapping[str, str]) -> tuple[str | None, int]:
    """The keyword that these words begin with and how many words it takes; none takes one."""
    for length in range(len(words), 0, -1):
        spelling = join(tuple(words[:length])).lower().rstrip(":")
        if spelling in keywords and not any(word.quoted or word.user or word.channel for word in words[:length]):
            return keywords[spelling], length
    return None, 1


def _repeated(first: str, second: str) -> WordsNotUnderstood:
    if first.lower().rstrip(":") == second.lower().rstrip(":"):
        return WordsNotUnderstood(f"{second[:30]} was typed twice; type it once, or in quotes if it is a name.")
    return WordsNotUnderstood(f"{first[:30]} and {second[:30]} say the same thing; type one of them.")
