"""Who holds leases under which name; and the lease of one run, renewed while it is in hand."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import TracebackType

from bot.observe import log
from bot.storage import jobs
from bot.storage.jobs import JobRun

BEATS = 4  # in the length of a lease
LONGEST = timedelta(hours=2)  # a run that hangs is taken over in the end
LONGEST_NAME = 80


def new_name() -> str:
    """A name that no other worker has: containers may share both host name and process number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[-LONGEST_NAME:]


class Overtaken(Exception):  # noqa: N818  # an event, handled by its name
    """Another process has the run by now; what is left of it is done there."""


class HandedOver(Exception):  # noqa: N818  # as above
    """The process is to end; another one goes on with what is left."""


class Kept:
    """Keeps a run from being taken over while it is in hand, for two hours at most."""

    def __init__(self, run: JobRun, renew: Callable[[JobRun], bool], stopping: threading.Event) -> None:
        self.run = replace(run, go_on=self._go_on)
        self._renew = renew
        self._stopping = stopping
        self._over, self._lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease of job-{run.id}", daemon=True)

    def __enter__(self) -> JobRun:
        self._thread.start()
        return self.run

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        """Asked by a job between two steps. Raises Overtaken or HandedOver."""
        if self._lost.is_set():
            raise Overtaken
        if self._stopping.is_set():
            raise HandedOver

    def _beat(self) -> None:
        until = time.monotonic() + LONGEST.total_seconds()
        while not self._over.wait(jobs.LEASE.total_seconds() / BEATS):
            if time.monotonic() > until:
                log.error(
                    "job %s for %s takes longer than %s; it may be taken over", self.run.job, self.run.period, LONGEST
                )
                return
            try:
                if not self._renew(self.run):
                    self._lost.set()
                    return
            except Exception as fault:  # noqa: BLE001  # the database is away; it is tried again until the lease ends
                log.error("the lease of job %s for %s was not renewed", self.run.job, self.run.period, exc_info=fault)
