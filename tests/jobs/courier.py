"""A delivery worker in a process of its own: `python -m tests.jobs.courier BOOK API TOKEN`."""

import sys

from slack_sdk import WebClient

from bot.desk import Desk
from bot.jobs.delivery import Worker
from bot.storage.shelf import Library
from bot.storage.store import Store


def main() -> None:
    book, api, token = sys.argv[1:]
    worker = Worker(Desk(Store.open(Library(book))), WebClient(token=token, base_url=api, retry_handlers=[]))
    while worker.run_once():
        pass


if __name__ == "__main__":
    main()
