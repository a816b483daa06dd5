"""Decide which channel gets the ageing digest, at what time, on which days, in which currencies."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.digest_plans import ALL, DigestPlan, as_text, plans_of, written
from bot.domain.errors import SettingRefused
from bot.domain.operation import Context, Role, operation
from bot.domain.schedules import read_time
from bot.domain.settings import SettingChanged, Settings

if TYPE_CHECKING:
    from bot.domain.ports import Books

MOST_PLANS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDigest:
    """Give a channel a digest, change its digest, or switch it off. What is left out stays as it is; days are such as
    `mon-fri`, `weekly mon` or `monthly 1`.
    """

    channel: str
    at: str = ""
    days: str = ""
    currencies: str = ""
    is_on: bool = True


@operation(by=Role.ADMINISTRATOR, alone=True)
def plan_digest(command: PlanDigest, books: "Books", context: Context) -> SettingChanged:
    """Decide on one channel's digest from now on. Refuses: SettingRefused, UnknownCurrency."""
    settings = books.settings.current()
    planned = {each.channel: each for each in plans_of(settings, with_off=True)}
    before = planned.get(command.channel, DigestPlan(channel=command.channel))
    planned_days = before.on(command.days) if command.days else before
    after = replace(
        planned_days,
        schedule=replace(planned_days.schedule, at=read_time(command.at)) if command.at else planned_days.schedule,
        currencies=_currencies(command.currencies, settings) if command.currencies else before.currencies,
        is_on=command.is_on,
    )
    kept = [each for each in written(settings.digests) if each.channel != command.channel]
    is_default = command.channel == settings.digest_channel
    if not after.is_on and not is_default and command.channel not in planned:
        raise SettingRefused("This channel gets no digest, so there is none to switch off.", field="value")
    # The digest channel has a digest without being planned; off has to be written down for it alone.
    if after.is_on or is_default:
        kept.append(after)
    if len(kept) > MOST_PLANS:
        raise SettingRefused(f"At most {MOST_PLANS} channels get a digest; switch one off first.", field="value")
    value = "; ".join(as_text(each) for each in kept)
    books.settings.change("digests", value)
    return SettingChanged(name="digests", before=settings.digests, after=value, operation_id=context.operation_id)


def _currencies(text: str, settings: Settings) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(text.upper().replace(",", " ").split()))
    if codes == (ALL.upper(),):
        return ()
    unknown = [code for code in codes if code not in settings.currency_codes()]
    if unknown:
        raise SettingRefused(
            f"This book keeps {', '.join(settings.currency_codes())}; {unknown[0][:10]} is not among them.",
            field="value",
        )
    return codes
