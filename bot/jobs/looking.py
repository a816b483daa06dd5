"""Looks whether something was sent already, though the answer of Slack to it was lost."""

from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.storage.outbox import Claimed

MOST_PAGES = 5
PAGE, FILE_PAGE = 200, 100
CLOCKS_DIFFER = timedelta(minutes=5)
MISSING_SCOPE = "missing_scope"
EVENT_TYPE = "duedesk_card"


def posted_before(
    client: WebClient, row: Claimed, channel: str, event_type: str, thread: str | None = None
) -> dict[str, Any] | None:
    """The message that a row was sent as, by its metadata, among the last 1,000 said since the row was written.

    Nothing without the optional scopes for history: then nobody can look. Any other refusal is raised, and the row is
    tried again later: to send without having looked would be to send twice.
    """
    asked: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": PAGE, "oldest": _since(row)}
    for _ in range(MOST_PAGES):
        try:
            answer = (
                client.conversations_replies(ts=thread, **asked)
                if thread is not None
                else client.conversations_history(**asked)
            )
        except SlackApiError as fault:
            if fault.response.get("error") == MISSING_SCOPE:
                return None
            raise
        for message in answer["messages"]:
            carried = message.get("metadata") or {}
            payload = carried.get("event_payload") or {}
            if carried.get("event_type") == event_type and payload.get("outbox") == str(row.id):
                found: dict[str, Any] = message
                return found
        asked["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
        if not asked["cursor"]:
            return None
    return None


def file_before(client: WebClient, row: Claimed, channel: str) -> bool:
    """Whether a file of a row is in a channel, by the reference in its name, among the last 500 since.

    Slack gives a shared file no metadata. Without the scope files:read nobody can look; other refusals are raised.
    """
    since = str(int(float(_since(row))))
    for page in range(1, MOST_PAGES + 1):
        try:
            answer = client.files_list(channel=channel, ts_from=since, count=FILE_PAGE, page=page)
        except SlackApiError as fault:
            if fault.response.get("error") == MISSING_SCOPE:
                return False
            raise
        if any(f"-{reference_of(row)}." in str(file.get("name")) for file in answer["files"]):
            return True
        if page >= int((answer.get("paging") or {}).get("pages") or 1):
            return False
    return False


def _since(row: Claimed) -> str:
    return f"{(row.recorded_at - CLOCKS_DIFFER).timestamp():.6f}"


def post_once(client: WebClient, row: Claimed, channel: str, text: str, thread: str | None = None) -> None:
    """Say something about a row, unless an earlier attempt did. Raises what Slack refuses."""
    if row.attempts > 1 and posted_before(client, row, channel, EVENT_TYPE, thread) is not None:
        return
    client.chat_postMessage(channel=channel, thread_ts=thread, text=text, metadata=metadata_of(row))


def metadata_of(row: Claimed, event_type: str = EVENT_TYPE, **more: Any) -> dict[str, Any]:
    """What a message carries so that it is known again."""
    payload = {"outbox": str(row.id), "document": str(row.document_id), **more}
    return {"event_type": event_type, "event_payload": payload}


def reference_of(row: Claimed) -> str:
    """What makes a file's name its own: the last digits of the row that asked for it."""
    return f"{row.id:x}"[-8:]
