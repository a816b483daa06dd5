"""Whose installation a payload is for: the workspace that the app was installed in, not that of who acts."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.handlers.request import Body

USER_CHANGE = "user_change"


def places_of(body: Body) -> Sequence[str]:
    """The installation a payload is for, by team id, or by enterprise id where an organisation installed as one.

    What Slack says of a person is for the book of their own workspace: in a shared channel it says it once only, with
    whichever installation it likes, so the person's own comes first here.
    """
    own = place_of(body)
    event = body.get("event") or {}
    if body.get("type") != "event_callback" or event.get("type") != USER_CHANGE:
        return (own,)
    user = event.get("user") or {}
    enterprise = (user.get("enterprise_user") or {}).get("enterprise_id")
    homes = [str(each) for each in (user.get("team_id"), enterprise) if each]
    return (*homes, own)


def place_of(body: Body) -> str:
    """The place of one installation; empty where the payload names none.

    Of an event Slack says by `authorizations` for which installation it is, of a form by `app_installed_team_id` where
    it was opened: in a channel shared with another company, `team_id` and the person's team may be that company's.
    """
    of: Mapping[str, Any] = body
    if body.get("type") == "event_callback":
        of = next(iter(body.get("authorizations") or ()), body)
    if str(of.get("is_enterprise_install")).lower() == "true":
        return str(of.get("enterprise_id") or _id(of.get("enterprise")))
    installed_in = (of.get("view") or {}).get("app_installed_team_id")
    return str(installed_in or _id(of.get("team")) or of.get("team_id") or _id(of.get("user"), "team_id"))


def _id(found: object, name: str = "id") -> str:
    return str(found.get(name) or "") if isinstance(found, Mapping) else ""
