"""What cannot be understood, or is ambiguous and asked back."""

from bot.domain.errors import Refused


class AmountNotUnderstood(Refused):
    """No amount can be read."""


class AmountAmbiguous(Refused):
    """The amount can be read in two ways."""


class AmountTooLarge(Refused):
    """The amount is beyond any this desk handles."""


class TooPrecise(Refused):
    """The amount has more decimals than its currency."""


class CurrencyNotKnown(Refused):
    """The currency is missing or not known."""


class CurrencyAmbiguous(Refused):
    """The symbol stands for several currencies."""


class DateNotUnderstood(Refused):
    """No date can be read."""


class DateAmbiguous(Refused):
    """The date can be read in two ways."""


class WordsNotUnderstood(Refused):
    """The command's words cannot be read."""
