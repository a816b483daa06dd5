"""Who is who: see the pages api.test, auth.revoke, auth.test, bots.info, team.info, usergroups.users.list, users.info,
users.list, users.lookupByEmail and the user object.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.api.checks import Arguments, needed, page
from sandbox.deliver.payloads import DOMAIN
from sandbox.state import Person, Problem, Workspace


def user_payload(person: Person, workspace: Workspace) -> dict[str, Any]:
    """A user object; the e-mail address is part of it only with its own scope."""
    offset = datetime.fromtimestamp(workspace.clock(), ZoneInfo(person.tz)).utcoffset()
    made: dict[str, Any] = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "updated": int(workspace.clock()),
        "profile": {
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.name,
            "display_name_normalized": person.name,
            "title": person.title,
            "team": person.team_id,
            **({"email": person.email} if person.email and "users:read.email" in workspace.scopes else {}),
        },
    }
    if person.deleted:
        return made
    made |= {
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "is_admin": person.is_admin or person.is_owner,
        "is_owner": person.is_owner,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted or person.is_ultra_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_bot": person.is_bot,
        "is_app_user": False,
    }
    if person.is_stranger:
        made["is_stranger"] = True
    enterprise = person.enterprise_id or workspace.enterprise
    if enterprise:
        made["enterprise_user"] = {"id": person.id, "enterprise_id": enterprise, "teams": [person.team_id]}
    return made


def api_test(_workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("error"):
        raise Problem(str(arguments["error"]), args=dict(arguments))
    return {"args": dict(arguments)}


def auth_revoke(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The token that is sent ends, unless it is only a test."""
    if str(arguments.get("test")).lower() in {"1", "true"}:
        return {"revoked": False}
    workspace.bot_token = ""
    return {"revoked": True}


def auth_test(workspace: Workspace, _arguments: Arguments) -> dict[str, Any]:
    made = {
        "url": f"{workspace.address}/",
        "team": "Sandbox",
        "user": workspace.bot.name,
        "team_id": workspace.enterprise if workspace.is_org_install else workspace.team,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": workspace.is_org_install,
    }
    return {**made, "enterprise_id": workspace.enterprise} if workspace.enterprise else made


def bots_info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("bot") not in {None, workspace.bot_id}:
        raise Problem("bot_not_found")
    bot = {
        "id": workspace.bot_id,
        "deleted": False,
        "name": workspace.bot.real_name,
        "updated": int(workspace.clock()),
        "app_id": workspace.app_id,
        "user_id": workspace.bot.id,
        "icons": {},
    }
    return {"bot": bot}


def team_info(workspace: Workspace, _arguments: Arguments) -> dict[str, Any]:
    team = {"id": workspace.team, "name": "Sandbox", "domain": DOMAIN, "email_domain": "", "icon": {}}
    if workspace.enterprise:
        team |= {"enterprise_id": workspace.enterprise, "enterprise_name": DOMAIN}
    return {"team": team}


def usergroup_users(_workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "usergroup")
    raise Problem("no_such_subteam")


def users_info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "user")
    return {"user": user_payload(workspace.person(str(arguments["user"])), workspace)}


def users_list(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    members, cursor = page(list(workspace.people.values()), arguments, usual=1000)
    return {
        "members": [user_payload(each, workspace) for each in members],
        "cache_ts": int(workspace.clock()),
        "response_metadata": {"next_cursor": cursor},
    }


def lookup_by_email(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "email")
    wanted = str(arguments["email"]).casefold()
    for each in workspace.people.values():
        if each.email.casefold() == wanted and not each.deleted:
            return {"user": user_payload(each, workspace)}
    raise Problem("users_not_found")


METHODS = {
    "api.test": api_test,
    "auth.revoke": auth_revoke,
    "auth.test": auth_test,
    "bots.info": bots_info,
    "team.info": team_info,
    "usergroups.users.list": usergroup_users,
    "users.info": users_info,
    "users.list": users_list,
    "users.lookupByEmail": lookup_by_email,
}
