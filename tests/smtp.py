"""A mail server on loopback that takes mail, or fails in each of the ways in which servers do."""

import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from bot.mail_servers import PLAIN, MailServer

# What goes wrong with one mail; whether the server has it then.
FAULTS = {
    "closing": False,
    "sender refused for now": False,
    "recipient refused for now": False,
    "content refused for now": False,
    "content not wanted for now": False,
    "dropped at the recipient": False,
    "dropped inside the content": False,
    "dropped after the end, kept": True,
    "dropped after the end, lost": False,
    "silent after the end, kept": True,
    "silent after the end, lost": False,
}


@dataclass
class Taken:
    """A mail that the server has."""

    recipients: list[str]
    content: bytes

    @property
    def message(self) -> "Message[str, str]":
        return message_from_bytes(self.content)

    @property
    def message_id(self) -> str:
        return self.message["Message-ID"]


@dataclass
class MailHost:
    """The server's memory, and what it does with the next mail: a fault by its name, or nothing."""

    next_fault: Callable[[], str] = lambda: ""
    on_taken: Callable[[Taken], None] = lambda _taken: None
    refuses: dict[str, str] = field(default_factory=dict)  # recipients and what is said of them
    silence: float = 0.6
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def server(self) -> MailServer:
        return MailServer(host="127.0.0.1", port=self.port, security=PLAIN)

    def counted(self) -> Counter[str]:
        """How often it has each mail."""
        return Counter(each.message_id for each in self.taken)

    @contextmanager
    def running(self) -> Iterator["MailHost"]:
        host = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                host.connections += 1
                with suppress(OSError):
                    _Talk(host, self).go()

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()


class _Ended(Exception):  # noqa: N818  # nothing went wrong
    """The connection is over."""


class _Talk:
    """One connection."""

    def __init__(self, host: MailHost, handler: socketserver.StreamRequestHandler) -> None:
        self.host, self.handler = host, handler
        self.fault = ""
        self.recipients: list[str] = []

    def say(self, line: str) -> None:
        self.handler.wfile.write(f"{line}\r\n".encode())

    def drop(self) -> None:
        self.handler.connection.shutdown(socket.SHUT_RDWR)
        raise _Ended

    def go(self) -> None:
        self.say("220 loopback")
        try:
            while line := self.handler.rfile.readline():
                self.answer(line.decode().strip())
        except _Ended:
            return

    def answer(self, line: str) -> None:
        verb = line.partition(":")[0].upper()
        if verb.startswith(("EHLO", "HELO")):
            self.say("250-loopback")
            self.say("250 SIZE 50000000")
        elif verb == "MAIL FROM":
            self.recipients, self.fault = [], self.host.next_fault()
            self.say(
                {"closing": "421 4.3.2 closing", "sender refused for now": "451 4.3.0 later"}.get(self.fault, "250 ok")
            )
            if self.fault == "closing":
                self.drop()
        elif verb == "RCPT TO":
            self.recipient(line.partition("<")[2].partition(">")[0])
        elif verb == "DATA":
            self.content()
        elif verb == "QUIT":
            self.say("221 bye")
            raise _Ended
        else:
            self.say("250 ok")

    def recipient(self, address: str) -> None:
        if self.fault == "dropped at the recipient":
            self.drop()
        if self.fault == "recipient refused for now":
            self.say("450 4.2.0 greylisted")
        elif address in self.host.refuses:
            self.say(self.host.refuses[address])
        else:
            self.recipients.append(address)
            self.say("250 ok")

    def content(self) -> None:
        if self.fault == "content not wanted for now":
            self.say("452 4.3.1 full")
            return
        self.say("354 go ahead")
        if self.fault == "dropped inside the content":
            self.handler.rfile.readline()
            self.drop()
        lines = []
        while (line := self.handler.rfile.readline()) != b".\r\n":
            if not line:
                raise _Ended
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self.fault == "content refused for now":
            self.say("451 4.7.1 scanner away")
            return
        if FAULTS.get(self.fault, True):
            made = Taken(self.recipients, b"".join(lines))
            self.host.taken.append(made)
            self.host.on_taken(made)
        if self.fault.startswith("dropped"):
            self.drop()
        if self.fault.startswith("silent"):
            time.sleep(self.host.silence)
            self.drop()
        self.say("250 2.0.0 queued")
