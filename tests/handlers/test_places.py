"""Whose installation a payload is for, in the shapes of Slack's reference, shared channels and organisations too."""

from typing import Any

import pytest

from bot.handlers.places import places_of

HERE, THERE, ORG = "T0HERE", "T0THERE", "E0ORG"
AUTHORIZED = {"enterprise_id": None, "team_id": HERE, "user_id": "U0BOT", "is_bot": True}
STRANGER = {"id": "U0X", "team_id": THERE}


def event(inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": THERE, "event": inner, "authorizations": [AUTHORIZED], **more}


CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a command": ({"command": "/aging", "team_id": HERE, "is_enterprise_install": "false"}, (HERE,)),
    "a command of an organisation": (
        {"command": "/aging", "team_id": HERE, "enterprise_id": ORG, "is_enterprise_install": "true"},
        (ORG,),
    ),
    "a click": ({"type": "block_actions", "team": {"id": HERE}, "user": {"id": "U0A", "team_id": HERE}}, (HERE,)),
    "a click by a stranger": ({"type": "block_actions", "team": {"id": HERE}, "user": STRANGER}, (HERE,)),
    "a click in an organisation": (
        {"type": "block_actions", "team": None, "enterprise": {"id": ORG}, "is_enterprise_install": True},
        (ORG,),
    ),
    "a form that was opened in a shared channel": (
        {
            "type": "view_submission",
            "team": {"id": THERE},
            "user": STRANGER,
            "view": {"team_id": THERE, "app_installed_team_id": HERE},
        },
        (HERE,),
    ),
    "what was said in a shared channel": (
        event(
            {"type": "message", "user": "U0X", "user_team": THERE}, context_team_id=THERE, is_ext_shared_channel=True
        ),
        (HERE,),
    ),
    "an event in an organisation": (
        event(
            {"type": "app_home_opened"},
            authorizations=[{**AUTHORIZED, "team_id": None, "enterprise_id": ORG, "is_enterprise_install": True}],
        ),
        (ORG,),
    ),
    "a person of another workspace changed": (event({"type": "user_change", "user": STRANGER}), (THERE, HERE)),
    "a person of an organisation changed": (
        event({"type": "user_change", "user": {**STRANGER, "enterprise_user": {"enterprise_id": ORG}}}),
        (THERE, ORG, HERE),
    ),
    "nothing that names a place": ({"type": "block_actions"}, ("",)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_installation_is_found_and_not_the_workspace_of_who_acts(case: str) -> None:
    body, places = CASES[case]
    assert tuple(places_of(body)) == places
