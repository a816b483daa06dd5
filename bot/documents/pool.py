"""One process that makes files, so that drawing and compressing never hold up messages or answers."""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as StillBusy
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from bot.documents.render import Job, Made, make
from bot.domain.errors import Busy, Refused
from bot.storage.faults import is_below
from bot.storage.shelf import Library
from bot.storage.store import Store

BEAT_SECONDS = 15.0
LONGEST_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class BookAt:
    """Where the other process finds a book; the address has a password in it and is shown nowhere."""

    url: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The business says no, in a sentence for the person who asked."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Fault:
    """It went wrong over there; what is passing is worth another try."""

    name: str
    passing: bool
    trace: str


Answer = Made | Refusal | Fault


class RendererDied(Exception):  # noqa: N818  # an event, handled by its name
    """The process ended before it answered: killed, out of memory, or too slow."""


class Renderer:
    """The process is begun with the first file, kept for the next ones, and begun anew after it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def make(self, book: BookAt, job: Job, beat: Callable[[], object]) -> Answer:
        """Have a file made of a book; the beat is called every few seconds meanwhile. Raises RendererDied."""
        waited = 0.0
        try:
            future: Future[Answer] = self._running().submit(answer, book, job)
            while waited < LONGEST_SECONDS:
                with contextlib.suppress(StillBusy):
                    return future.result(timeout=BEAT_SECONDS)
                waited += BEAT_SECONDS
                beat()
        except (BrokenProcessPool, CancelledError) as fault:
            self._end()
            raise RendererDied from fault
        self._end()
        raise RendererDied

    def processes(self) -> list[int]:
        """The ids of the processes that run now."""
        with self._lock:
            return list(self._pool._processes or {}) if self._pool is not None else []  # noqa: SLF001  # no public way

    def close(self) -> None:
        """End with the app."""
        self._end()

    def _end(self) -> None:
        """End the process, whatever it does; the next file begins a new one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            running = list((pool._processes or {}).values())  # noqa: SLF001  # as above
            for process in running:
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)

    def _running(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_begin)
            return self._pool


class Renderers(Renderer):
    """Several, so that a long file of one book holds up none of another; each makes one file at a time."""

    def __init__(self, many: int) -> None:
        super().__init__()
        self._all = [Renderer() for _ in range(many)]
        self._idle: queue.SimpleQueue[Renderer] = queue.SimpleQueue()
        for each in self._all:
            self._idle.put(each)

    def make(self, book: BookAt, job: Job, beat: Callable[[], object]) -> Answer:
        renderer = self._idle.get()
        try:
            return renderer.make(book, job, beat)
        finally:
            self._idle.put(renderer)

    def processes(self) -> list[int]:
        return [process for each in self._all for process in each.processes()]

    def close(self) -> None:
        for each in self._all:
            each.close()


def answer(book: BookAt, job: Job) -> Answer:
    """Run in the other process: open the book, read it in one snapshot, write the file."""
    library = Library(book.url, limit=1)
    try:
        return Store.open(library, book.name).read(lambda books: make(books, job))
    except Busy:
        return Fault("Busy", passing=True, trace="")
    except Refused as refusal:
        return Refusal(refusal.sentence)
    except Exception as fault:  # noqa: BLE001  # whatever it is, it is logged by the process that has a log
        return Fault(type(fault).__name__, passing=is_below(fault), trace=traceback.format_exc())
    finally:
        library.close()


def _begin() -> None:
    """Interrupts are the parent's business; and without a parent there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
