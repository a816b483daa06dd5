"""A process that sends mail and is killed: `python -m tests.jobs.dying_mail BOOK PORT IMAP_PORT WHEN`."""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace

from bot.jobs.smtp import Envelope, Post, Result
from bot.mail_servers import PLAIN, MailServer
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.imap import Mailbox
from tests.jobs.letterbox import worker


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingPost(Post):
    """Ends its process before the content is sent, or after the server took it and before that is noted."""

    when = ""

    def send(self, envelope: Envelope, intend: Callable[[bool], bool]) -> Result:
        def intended(copied: bool) -> bool:
            found = intend(copied)
            if self.when == "before":
                die()
            return found

        result = super().send(envelope, intended)
        die()
        return result


if __name__ == "__main__":
    url, port, imap_port, when = sys.argv[1:]
    at = MailServer(host="127.0.0.1", port=int(port), security=PLAIN)
    made = worker(Store.open(Library(url)), url, at, replace(Mailbox().server, port=int(imap_port)))
    made.post = DyingPost(at)
    made.post.when = when
    made.run_once()
