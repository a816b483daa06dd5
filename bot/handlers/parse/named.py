"""A customer's name and an amount typed in one line, in either order."""

from bot.domain.errors import Refused
from bot.handlers.parse.amounts import parse_amount
from bot.handlers.parse.words import Phrase, join

UNDERSTOOD_AS_AMOUNT = frozenset({"AmountAmbiguous", "CurrencyAmbiguous", "AmountTooLarge"})


def name_and_amount(spoken: Phrase, *clauses: str) -> tuple[str, str]:
    """The first word or two that read as an amount, and the rest as the name; words after these keywords count too."""
    words = [*spoken.lead, *(word for name in clauses for word in spoken.clauses.get(name, ()))]
    for start in range(len(words)):
        for length in (2, 1):
            piece = tuple(words[start : start + length])
            if len(piece) == length and not any(word.quoted for word in piece) and is_amount(join(piece)):
                return join((*words[:start], *words[start + length :])), join(piece)
    return join(tuple(words)), ""


def is_amount(text: str) -> bool:
    """Whether somebody means an amount by a text, though it may have to be asked back."""
    if not any(letter.isdigit() for letter in text):
        return False
    try:
        parse_amount(text)
    except Refused as refusal:
        return refusal.code in UNDERSTOOD_AS_AMOUNT
    return True
