"""The Slack app's manifest, made from what is registered, so that there is one list."""

from typing import Any

from bot.handlers.commands import COMMANDS
from bot.handlers.request import HOME_OPENED, MESSAGE
from bot.handlers.shortcuts import SHORTCUTS

SCOPES = (
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:read",
    "im:write",
    "users:read",
)
EVENTS = ("user_change", HOME_OPENED, MESSAGE)
LEFT, REVOKED = "app_uninstalled", "tokens_revoked"
OF_INSTALLATIONS = (LEFT, REVOKED)  # heard where several workspaces install
EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH = "/slack/events", "/slack/install", "/slack/oauth_redirect"
IN_PRIVATE_CHANNELS = "message.groups"  # what is said where money is; it comes with the optional scope
OPTIONAL_SCOPES = ("groups:history",)
# Every Web API method the code calls and the scopes it needs; a test compares both with the code and the manifest.
METHODS: dict[str, tuple[str, ...]] = {
    "apps.connections.open": (),
    "auth.revoke": (),
    "auth.test": (),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("groups:history",),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("groups:history",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "files.list": ("files:read",),
    "oauth.v2.access": (),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}


def manifest(*, prefix: str = "", request_url: str = "", serves_many: bool = False) -> dict[str, Any]:
    """The manifest for Socket Mode, or with a request URL for HTTP; command names carry the prefix.

    Where several workspaces install, their way back stands beside the request URL, and their leaving is told.
    """
    assert request_url or not serves_many
    commands = [
        {
            "command": f"/{prefix}{each.name}",
            "description": each.description,
            "usage_hint": each.usage,
            "should_escape": True,
            **({"url": request_url} if request_url else {}),
        }
        for _, each in sorted(COMMANDS.items())
    ]
    events: dict[str, Any] = {"bot_events": [IN_PRIVATE_CHANNELS if each == MESSAGE else each for each in EVENTS]}
    oauth: dict[str, Any] = {}
    if serves_many:
        events["bot_events"] += OF_INSTALLATIONS
        oauth = {"redirect_urls": [request_url.removesuffix(EVENTS_PATH) + REDIRECT_PATH]}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if request_url:
        events |= {"request_url": request_url}
        interactivity |= {"request_url": request_url, "message_menu_options_url": request_url}
    return {
        "display_information": {
            "name": "Duedesk",
            "description": "Accounts receivable and customer credit for finance teams",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "duedesk", "always_online": True},
            "shortcuts": [
                {"name": each.name, "type": each.on, "callback_id": each.callback_id, "description": each.description}
                for each in SHORTCUTS.values()
            ],
            "slash_commands": commands,
        },
        # The optional ones stand among all: that they are named again lets whoever installs leave them out.
        "oauth_config": {
            **oauth,
            "scopes": {"bot": sorted((*SCOPES, *OPTIONAL_SCOPES)), "bot_optional": list(OPTIONAL_SCOPES)},
        },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": serves_many,
            "socket_mode_enabled": not request_url,
            "token_rotation_enabled": False,
        },
    }
