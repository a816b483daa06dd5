"""/duedesk delegate: who decides approvals in one's place while one is away."""

from bot.domain.delegations import Delegate, EndDelegation, delegate, end_delegation
from bot.domain.errors import Refused
from bot.handlers.blocks.text import date_text
from bot.handlers.commands import Reply
from bot.handlers.flow import settings_of
from bot.handlers.members import profile_of
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import phrase
from bot.handlers.request import Call

USAGE = "Type /duedesk delegate @name until 5 dec, or /duedesk delegate off."


def stand_in(call: Call, text: str) -> Reply:
    """`@name until DATE`, `off`, or nothing to see who stands in."""
    settings = settings_of(call)
    spoken = phrase(text, {"until": "until"})
    if not text.strip():
        return _shown(call)
    if text.strip().lower() == "off":
        outcome = call.desk.carry_out(end_delegation, EndDelegation(), call.request)
        return Reply(f"<@{outcome.delegation.stand_in}> decides no more in your place.")
    users = [word.user for word in spoken.lead]
    if len(users) != 1 or not users[0] or not spoken.text("until"):
        raise Refused(USAGE)
    last_day = parse_date(spoken.text("until"), today=settings.today(call.request.now), future=True)
    actor = call.request.actor
    profile = profile_of(call.client, users[0], actor.team, actor.enterprise)
    outcome = call.desk.carry_out(delegate, Delegate(profile=profile, last_day=last_day), call.request)
    last = date_text(outcome.delegation.last_day, settings.locale)
    return Reply(
        f"<@{outcome.delegation.stand_in}> decides approvals in your place up to and with {last}, and nothing else; "
        "never what you or they asked for. Both of you count as one. `/duedesk delegate off` ends it."
    )


def _shown(call: Call) -> Reply:
    found = call.desk.ask(lambda books: books.delegation(call.request.actor), call.request)
    if found is None or call.request.now >= found.until:
        return Reply(f"Nobody stands in for you. {USAGE}")
    last = date_text(found.last_day, settings_of(call).locale)
    return Reply(f"<@{found.stand_in}> decides approvals in your place up to and with {last}.")
