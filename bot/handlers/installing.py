"""The pages of an installation: to Slack and back, with a word that is good once and in one browser.

Slack describes the way at https://docs.slack.dev/authentication/installing-with-oauth: a redirect to its page with a
`state`, back with a `code` and the same `state`, and the code exchanged by `oauth.v2.access`.
"""

import contextlib
import html
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urljoin

from slack_bolt import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth import AuthorizeUrlGenerator, OAuthStateUtils

from bot.config import Config
from bot.domain.errors import Busy, Refused
from bot.handlers.manifest import INSTALL_PATH, OPTIONAL_SCOPES, REDIRECT_PATH, SCOPES
from bot.observe import log
from bot.storage.registry.registry import Granted, Registry

PATHS = frozenset({INSTALL_PATH, REDIRECT_PATH})
SLACK_SECONDS = 10
STALE = "This installation was not begun in this browser, or more than ten minutes ago."
TITLE = "Duedesk"
HEADERS = {
    "content-type": ["text/html; charset=utf-8"],
    "cache-control": ["no-store"],
    "content-security-policy": ["default-src 'none'; frame-ancestors 'none'"],
    "referrer-policy": ["no-referrer"],  # the address of the way back has a code in it
    "x-content-type-options": ["nosniff"],
}


class Installer:
    """Lets a workspace install the app, if it may, and opens its book."""

    def __init__(self, config: Config, registry: Registry, welcome: Callable[[Granted], str]) -> None:
        """`welcome` opens the book of what was granted and says in a sentence who owns it."""
        self._config = config
        self._registry = registry
        self._welcome = welcome
        self._cookie = OAuthStateUtils()
        self._address = AuthorizeUrlGenerator(
            client_id=config.slack_client_id,
            redirect_uri=f"{config.duedesk_public_url}{REDIRECT_PATH}",
            scopes=sorted({*SCOPES, *OPTIONAL_SCOPES}),
            authorization_url=urljoin(config.slack_api_url, "../oauth/v2/authorize"),
        )

    def __call__(self, path: str, query: str, headers: Mapping[str, str]) -> BoltResponse:
        """Answer a browser; whatever goes wrong is said on a page, without a word that came with the address."""
        try:
            return self._begin() if path == INSTALL_PATH else self._end(dict(parse_qsl(query)), headers)
        except Refused as refusal:
            return self._page(503 if isinstance(refusal, Busy) else 403, refusal.sentence)
        except SlackApiError as fault:
            log.warning("installation: Slack refuses: %s", _word(fault.response.get("error")))
            return self._page(502, f"Slack refuses: {_word(fault.response.get('error'))}.")
        except Exception as fault:  # noqa: BLE001  # a browser gets a page too; the log has the rest
            log.error("an installation broke off", exc_info=fault)
            return self._page(500, "Something went wrong on our side. Nothing is lost by beginning again.")

    def _begin(self) -> BoltResponse:
        state = self._registry.begin()
        cookie = f"{self._cookie.build_set_cookie_for_new_state(state)}; SameSite=Lax"
        to = {"location": [self._address.generate(state)], "set-cookie": [cookie]}
        return BoltResponse(status=302, body="", headers={**HEADERS, **to})

    def _end(self, asked: dict[str, str], headers: Mapping[str, str]) -> BoltResponse:
        state = asked.get("state", "")
        if not self._cookie.is_valid_browser(state, dict(headers)) or not self._registry.end(state):
            return self._page(400, STALE)
        if "error" in asked or not asked.get("code"):
            return self._page(400, f"Nothing was installed. Slack says: {_word(asked.get('error'))}.")
        client = WebClient(base_url=self._config.slack_api_url, timeout=SLACK_SECONDS)
        answer = client.oauth_v2_access(
            client_id=self._config.slack_client_id,
            client_secret=self._config.slack_client_secret.get_secret_value(),
            code=asked["code"],
            redirect_uri=self._address.redirect_uri,
        )
        own = WebClient(token=str(answer["access_token"]), base_url=self._config.slack_api_url, timeout=SLACK_SECONDS)
        granted = granted_of(answer, own.auth_test())
        if not self._config.may_install(granted.place, granted.enterprise):
            self._give_back(own, granted)
            raise Refused(f"{granted.place} may not install Duedesk here. Ask whoever looks after it to let it in.")
        said = self._welcome(granted)
        return self._page(200, f"Duedesk is installed in {granted.name}. {said}", begin_again=False)

    def _give_back(self, own: WebClient, granted: Granted) -> None:
        """A token that is not kept is revoked; but Slack gives an installation that is there the token it has."""
        known = self._registry.find(granted.place)
        if known is None or not known.is_installed:
            with contextlib.suppress(SlackApiError, OSError):
                own.auth_revoke()

    def _page(self, status: int, sentence: str, *, begin_again: bool = True) -> BoltResponse:
        again = f'<p><a href="{INSTALL_PATH}">Begin again</a></p>' if begin_again else ""
        body = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{TITLE}</title>'
            f"<h1>{TITLE}</h1><p>{html.escape(sentence)}</p>{again}"
        )
        gone = {"set-cookie": [self._cookie.build_set_cookie_for_deletion()]}
        return BoltResponse(status=status, body=body, headers={**HEADERS, **gone})


def granted_of(answer: Any, identity: Any) -> Granted:
    """What `oauth.v2.access` gave and `auth.test` says of the token. Refuses: Refused."""
    team, enterprise = answer.get("team") or {}, answer.get("enterprise") or {}
    is_org = bool(answer.get("is_enterprise_install"))
    place = str((enterprise if is_org else team).get("id") or "")
    if not re.fullmatch(r"[TE][A-Z0-9]{2,19}", place):
        raise Refused("Slack named no workspace.")
    if answer.get("token_type") != "bot" or (not is_org and identity.get("team_id") != place):
        raise Refused("Slack gave a token that is not a bot's of this workspace.")
    if answer.get("refresh_token"):
        raise Refused("Token rotation is on at the app's page; Duedesk keeps tokens that last. Print a new manifest.")
    return Granted(
        place=place,
        name=str((enterprise if is_org else team).get("name") or place),
        team=str(team.get("id") or ""),
        enterprise=str(enterprise.get("id") or ""),
        is_org=is_org,
        token=str(answer["access_token"]),
        bot_user=str(answer.get("bot_user_id") or ""),
        bot=str(identity.get("bot_id") or ""),
        app=str(answer.get("app_id") or ""),
        installer=str((answer.get("authed_user") or {}).get("id") or ""),
    )


def _word(found: object) -> str:
    """Slack's name of a fault; nothing that somebody wrote into an address."""
    return str(found) if re.fullmatch(r"[a-z_]{1,60}", str(found or "")) else "nothing that can be read"
