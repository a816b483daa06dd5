"""When months end by themselves, and what that job is called."""

from bot.domain.schedules import Schedule, read_monthly
from bot.domain.settings import Settings

MONTH_END = "month-end"
BOOK = "book"


def month_end_of(settings: Settings) -> Schedule | None:
    """Never where no invoices are sent, or where it is switched off."""
    return None if settings.invoicing == "none" else read_monthly(settings.month_end)
