"""A mailbox on loopback, as much of IMAP as is asked of one."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.mail_servers import PLAIN, MailServer

USER, PASSWORD = "ann", "it's a \\secret"


@dataclass
class Mailbox:
    """Its messages by their numbers, and which of them were read."""

    messages: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    port: int = 0
    looked: int = 0

    @property
    def server(self) -> MailServer:
        return MailServer(
            host="127.0.0.1", port=self.port, security=PLAIN, user=USER, password=PASSWORD, folder="INBOX"
        )

    @contextmanager
    def running(self) -> Iterator["Mailbox"]:
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK ready\r\n")
                while line := self.rfile.readline().decode().strip():
                    tag, _, rest = line.partition(" ")
                    for each in box.answer(rest):
                        self.wfile.write(each)
                    self.wfile.write(f"{tag} {'NO' if box.refuses(rest) else 'OK'} done\r\n".encode())
                    if rest.upper() == "LOGOUT":
                        return

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()

    def refuses(self, line: str) -> bool:
        return line.startswith("LOGIN") and line != 'LOGIN ann "it\'s a \\\\secret"'

    def answer(self, line: str) -> Iterator[bytes]:
        verb = line.upper()
        if verb == "CAPABILITY":
            yield b"* CAPABILITY IMAP4rev1\r\n"
        elif verb.startswith("SELECT"):
            yield f"* {len(self.messages)} EXISTS\r\n".encode()
        elif found := re.fullmatch(r'UID SEARCH HEADER Message-ID "(.*)"', line):
            self.looked += 1
            yield self._listed(each for each, raw in self._all() if f"Message-ID: <{found[1]}@".encode() in raw)
        elif verb == "UID SEARCH UNSEEN":
            yield self._listed(each for each, _ in self._all() if each not in self.seen)
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY.PEEK\[(HEADER.FIELDS .*)?\](?:<0.(\d+)>)?\)", line):
            raw = self.messages[int(found[1]) - 1]
            raw = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n\n" if found[2] else raw[: int(found[3])]
            yield f"* {found[1]} FETCH (UID {found[1]} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"
        elif found := re.fullmatch(r"UID STORE (\d+) \+FLAGS \(\\Seen\)", line):
            self.seen.add(int(found[1]))

    def _all(self) -> Iterator[tuple[int, bytes]]:
        return enumerate(list(self.messages), 1)

    def _listed(self, numbers: Iterator[int]) -> bytes:
        return f"* SEARCH {' '.join(map(str, numbers))}".strip().encode() + b"\r\n"
