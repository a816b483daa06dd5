"""Wakes who has work: in this process at once, in other processes over the database; polling is the fallback."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.errors import Refused
from bot.observe import log
from bot.storage.database import Database

TOGETHER_SECONDS = 0.05  # what happens within is told at once, so that a burst of commits costs one telling
HEARING_SECONDS = 0.5
AWAY_SECONDS = 5.0
AWAY = (SQLAlchemyError, OSError, Refused)


class Carrier(Protocol):
    """A book, or the registry of many: its database carries the words."""

    @property
    def database(self) -> Database: ...


@dataclass
class Wakes:
    """Who is to be woken by which word, here; a word for others goes out beside the commits, never in one.

    A word that is lost costs a wait until others ask by themselves: two seconds for delivery, ten for jobs.
    """

    store: Carrier
    sleepers: Mapping[str, Sequence[Callable[..., None]]]
    tells: frozenset[str] = frozenset()  # words that somebody else may have to act upon
    _mark: str = field(default_factory=lambda: secrets.token_hex(4))
    _waiting: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _told: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def ring(self, word: str) -> None:
        """There is something to do for who listens to this word."""
        self._wake(word)
        if self._is_for_others(word):
            with self._lock:
                self._waiting.add(word)
            self._told.set()

    def _wake(self, word: str) -> None:
        for wake in self.sleepers.get(word, ()):
            wake()

    def _is_for_others(self, word: str) -> bool:
        return word in self.tells

    def start(self, *, tells: frozenset[str], listens: bool) -> None:
        """Tell other processes of these words, and listen to theirs, where the database carries words."""
        if not self.store.database.carries_words:
            return
        self.tells = tells
        for work, wanted in ((self._tell, bool(tells)), (self._listen, listens)):
            if wanted:
                threading.Thread(target=work, name="wakes", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        self._told.set()

    def _tell(self) -> None:
        while self._told.wait() and not self._stop.is_set():
            self._told.clear()
            with self._lock:
                words, self._waiting = self._waiting, set()
            try:
                self.store.database.say(f"{word} {self._mark}" for word in sorted(words))
            except AWAY as fault:
                log.warning("other processes were not woken: %s", type(fault).__name__)
            self._stop.wait(TOGETHER_SECONDS)

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen_until_stopped()
            except AWAY as fault:
                log.warning("other processes are not heard: %s", type(fault).__name__)
                self._stop.wait(AWAY_SECONDS)

    def _listen_until_stopped(self) -> None:
        with self.store.database.hearing() as heard:
            while not self._stop.is_set():
                for said in heard(HEARING_SECONDS):
                    word, _, mark = said.partition(" ")
                    if mark != self._mark:
                        self._wake(word)


class BookWakes(Wakes):
    """The same for many books: behind a word stands whose it is, as in `commit:T0123ABCD`."""

    def _wake(self, word: str) -> None:
        kind, _, book = word.partition(":")
        for wake in self.sleepers.get(kind, ()):
            wake(book)

    def _is_for_others(self, word: str) -> bool:
        return word.partition(":")[0] in self.tells
