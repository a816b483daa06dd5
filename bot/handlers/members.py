"""What Slack says of people: asked when a right is granted, heard when somebody leaves."""

from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from bot.domain.errors import NotFound
from bot.domain.operation import Actor
from bot.domain.people import Leave, Profile, is_same_house, leave, why_not_member
from bot.handlers.request import Call
from bot.observe import log


def profile_of(client: WebClient, user: str, home_team: str, home_enterprise: str | None) -> Profile:
    """What Slack says of a user now; strangers and guests are told apart before anything is granted."""
    return read_profile(client.users_info(user=user)["user"], home_team, home_enterprise)


def read_profile(found: Mapping[str, Any], home_team: str, home_enterprise: str | None) -> Profile:
    """A user object of Slack, seen from the workspace of this book."""
    user, team = str(found["id"]), str(found.get("team_id") or "")
    enterprise = (found.get("enterprise_user") or {}).get("enterprise_id")
    is_home = is_same_house(Actor(team=team, user=user, enterprise=enterprise), home_team, home_enterprise)
    return Profile(
        team=team,
        user=user,
        enterprise=enterprise,
        name=str(found.get("real_name") or found.get("name") or "")[:200],
        guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
        robot=bool(found.get("is_bot")) or user == "USLACKBOT",
        stranger=not is_home or bool(found.get("is_stranger")),
        deleted=bool(found.get("deleted")),
    )


def on_user_change(call: Call) -> None:
    """Somebody was deactivated, or became a guest: a right they had is void from now on. Rules 118, 119."""
    home, enterprise = call.home or str(call.body["team_id"]), call.home_enterprise or call.request.actor.enterprise
    profile = read_profile(call.body["event"]["user"], home, enterprise)
    if not why_not_member(profile):
        return
    try:
        call.desk.carry_out(leave, Leave(profile=profile), call.request)
    except NotFound:
        log.info("somebody without a right left")
