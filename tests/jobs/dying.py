"""A delivery process that is killed right after Slack took its message, before it could note so."""

import os
import signal
import sys
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.desk import Desk
from bot.jobs.delivery import Worker
from bot.storage.shelf import Library
from bot.storage.store import Store


class Dying(WebClient):
    """A real client in a process that ends with its first message."""

    def chat_postMessage(self, **given: Any) -> SlackResponse:  # noqa: N802  # Slack's name
        super().chat_postMessage(**given)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


if __name__ == "__main__":
    url, api, token = sys.argv[1:]
    Worker(Desk(Store.open(Library(url))), Dying(token=token, base_url=api)).run_once()
