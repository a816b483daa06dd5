"""The one boundary: refusals explained where the person is, bugs given a number."""

import json
from typing import Any

from slack_bolt import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.domain.errors import Busy, OutcomeUnknown, Refused
from bot.handlers.blocks.text import escape
from bot.handlers.flow import update
from bot.handlers.forms import alert_block, message_view, section
from bot.observe import log, outcome, request_id

TRIGGER_GONE = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"})
ANSWER_SECONDS = 2


def explain(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """Answer any fault with a sentence; nothing that a person did stays without an answer."""
    return answer(sentence_of(error), body)


def sentence_of(error: Exception) -> str:
    """What to say: the refusal's own sentence, or a number to quote."""
    if isinstance(error, Refused):
        outcome.set(
            "busy" if isinstance(error, Busy) else "unknown" if isinstance(error, OutcomeUnknown) else "refused"
        )
        log.info("refused %s", error.code)
        return error.sentence
    if isinstance(error, SlackApiError) and error.response.get("error") in TRIGGER_GONE:
        outcome.set("late")
        log.info("trigger expired")
        return "Slack was slow and the form could not be opened in time. Nothing was done; try again."
    outcome.set("fault")
    log.error("incident %s", request_id.get(), exc_info=error)
    return (
        "Something went wrong on our side. Try again: nothing is done twice. If it happens again, tell the operator"
        f" incident {request_id.get()}."
    )


def answer(sentence: str, body: dict[str, Any]) -> BoltResponse:
    """Say it in the form, or only to the person who asked."""
    kind = body.get("type")
    if kind == "view_submission":
        return json_response(update(message_view("Not done", [alert_block(sentence), section(escape(sentence))])))
    if kind == "block_suggestion":
        return json_response({"options": []})
    if kind == "event_callback":
        return BoltResponse(status=503)  # nobody reads an answer, and Slack delivers it again
    if "command" in body:
        return json_response({"response_type": "ephemeral", "text": escape(sentence)})
    tell(body, sentence)
    return BoltResponse(status=200, body="")


def tell(body: dict[str, Any], sentence: str, blocks: list[dict[str, Any]] | None = None) -> None:
    """Answer a click for the person alone; a click in a form has no such address and is answered in the form."""
    url = body.get("response_url")
    if not url:
        return
    client = WebhookClient(str(url), timeout=ANSWER_SECONDS)
    client.send(text=escape(sentence), blocks=blocks, response_type="ephemeral", replace_original=False)


def json_response(content: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(content), headers={"Content-Type": "application/json"})
