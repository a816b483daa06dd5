"""One process for many books: each workspace that installed the app has its own, found anew with each request."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError

from bot.app import COMMIT, JOB, Book, Service, bolt_app, build, name_owner, open_book
from bot.config import Config
from bot.desk import REQUEST_SECONDS, Desk
from bot.documents.pool import Renderer, Renderers
from bot.domain.errors import Busy, NotFound, OwnerExists, Refused
from bot.handlers.doors import Admission, HttpDoor
from bot.handlers.errors import answer, sentence_of
from bot.handlers.installing import PATHS, Installer
from bot.handlers.manifest import INSTALL_PATH, OF_INSTALLATIONS, REVOKED
from bot.handlers.places import place_of
from bot.handlers.register import register
from bot.jobs.delivery import one_round
from bot.jobs.rounds import Rounds, Turn
from bot.jobs.runner import TICK_SECONDS
from bot.metrics import Metrics
from bot.observe import log, served_book
from bot.served import Books, Pulses, Served, is_current, together
from bot.storage.registry.registry import Granted, Installation, Registry
from bot.storage.shelf import Library
from bot.storage.store import Store
from bot.vitals import AWAY, Readiness
from bot.wakes import BookWakes

DELIVERY_THREADS, FILE_THREADS, JOB_THREADS = 8, 2, 4
LEAST_REST, LONGEST_REST = 2.0, 30.0
MOST_IN_A_TURN = 3  # messages: a turn has an end, however slowly Slack answers for a workspace
ALL = "all"  # in place of a book's name, where one is named for the process
LOOK = "."  # the turn that looks which books there are


@dataclass(kw_only=True)
class Workspaces(Service):
    """One running bot for every workspace that installed it."""

    registry: Registry
    books: Books
    installer: Installer
    delivery: Rounds
    files: Rounds
    jobs: Rounds
    looks: dict[str, Turn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, lane in self.lanes.items():
            self.looks[name] = Turn(partial(self.look, name))
            lane.seat({LOOK: self.looks[name]})

    def http_door(self) -> HttpDoor:
        return HttpDoor(
            self.bolt,
            self.admission,
            self.metrics,
            why_not=self.readiness.why_not,
            signing_secret=self.config.slack_signing_secret.get_secret_value(),
            pages=dict.fromkeys(PATHS, self.installer),
        )

    def look(self, lane: str) -> bool:
        """See which books there are, and let each that is at this program's schema take its turns in a lane.

        Each lane looks by itself, since a process need not run them all.
        """
        seated: dict[str, Turn] = {LOOK: self.looks[lane]}
        for served in self.books.every():
            name = served.installation.book
            try:
                if is_current(served):
                    seated[name] = served.turns[lane]
                else:
                    log.error("the book %s is not at this program's schema and is not served", name)
            except AWAY as fault:
                log.error("the book %s cannot be opened: %s", name, type(fault).__name__)
        self.lanes[lane].seat(seated)
        return False

    def look_soon(self) -> None:
        """An installation was made or ended just now: here and in other processes."""
        for word in (COMMIT, JOB):
            self.wakes.ring(f"{word}:{LOOK}")

    @property
    def lanes(self) -> Mapping[str, Rounds]:
        return {"delivery": self.delivery, "files": self.files, "jobs": self.jobs}

    def heard(self, body: Mapping[str, Any]) -> None:
        """A workspace left, or took the token back: it is erased, and the book is kept for the day it returns."""
        event = body.get("event") or {}
        if event.get("type") == REVOKED and not (event.get("tokens") or {}).get("bot"):
            return
        place = place_of(body)
        # In whole seconds: what was told late, after the workspace installed again, ends nothing.
        told_at = datetime.fromtimestamp(float(body.get("event_time") or 0) + 1, UTC)
        if self.registry.leave(place, str(event.get("type")), before=told_at):
            log.info("a workspace left", extra={"fields": {"book": place}})
        self.books.forget(place)
        self.look_soon()

    def welcome(self, granted: Granted) -> str:
        """Open the book of an installation, with the installer as its owner if it has none; says who owns it."""
        known = self.registry.find(granted.place)
        store = Store.open(self.library, known.book if known is not None else granted.place)
        if not store.schema():
            store.upgrade()
        installation = self.registry.install(granted)
        self.books.forget(granted.place)
        served = self.books.at(installation.place)
        assert served is not None, "it was installed just now"
        said = _owned(served.book, granted)
        self.look_soon()
        return said


def build_many(
    config: Config,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    renderer: Renderer | None = None,
) -> Workspaces:
    """A bot for every workspace that installs it, ready to be given its HTTP door."""
    library = Library(config.database_url, limit=config.desk_limit)
    registry = Registry(library, config.token_keys)
    admission = Admission(config.desk_waiting)
    renderer = renderer or Renderers(FILE_THREADS)
    metrics = Metrics(ALL, lambda: admission.in_hand, config.desk_waiting, lambda: together(books))
    delivery = Rounds("delivery", threads=DELIVERY_THREADS, least=LEAST_REST, longest=LONGEST_REST)
    files = Rounds("files", threads=FILE_THREADS, least=LEAST_REST, longest=LONGEST_REST)
    jobs = Rounds("jobs", threads=JOB_THREADS, least=TICK_SECONDS, longest=TICK_SECONDS)

    def opened(found: Installation) -> Served:
        store = Store.open(library, found.book)
        assert found.token is not None
        book = open_book(config, store, found.token, clock=clock, renderer=renderer, metrics=metrics)
        book.worker.most = MOST_IN_A_TURN
        book.desk.on_commit = partial(wakes.ring, f"{COMMIT}:{found.book}")
        book.desk.on_job = partial(wakes.ring, f"{JOB}:{found.book}")
        served = Served(found, book)
        served.turns = {
            "delivery": Turn(partial(_in_turn, found, partial(one_round, book.worker)), book.worker.hand_over),
            "files": Turn(partial(_in_turn, found, book.files.run_once), book.files.hand_over),
            "jobs": Turn(partial(_in_turn, found, book.runner.run_once), book.runner.stopping.set, book.runner.release),
        }
        return served

    def found_first(body: dict[str, Any], context: dict[str, Any], next_: Callable[[], BoltResponse]) -> BoltResponse:
        return _found(made, body, context, next_)

    def welcome(granted: Granted) -> str:
        return made.welcome(granted)

    wakes = BookWakes(registry, {COMMIT: (delivery.wake, files.wake), JOB: (jobs.wake,)})
    books = Books(registry, f"{config.duedesk_public_url}{INSTALL_PATH}", opened)
    bolt = bolt_app(config, _authorize, before_authorize=found_first)
    made = Workspaces(
        config=config,
        library=library,
        bolt=bolt,
        delivery=delivery,
        files=files,
        jobs=jobs,
        renderer=renderer,
        admission=admission,
        metrics=metrics,
        readiness=Readiness(registry, lambda: any(each.has_died for each in (delivery, files, jobs))),
        pulse=Pulses(books),
        wakes=wakes,
        registry=registry,
        books=books,
        installer=Installer(config, registry, welcome),
    )

    def desk_of(body: dict[str, Any]) -> Desk:
        return books.of(body).book.desk

    register(bolt, desk_of, prefix=config.duedesk_prefix)
    return made


@contextlib.contextmanager
def one_book(config: Config, name: str) -> Iterator[Book]:
    """A book for the command line, with the token of its workspace. Refuses: NotFound."""
    if not config.serves_many:
        with contextlib.closing(build(config, book=name)) as duedesk:
            yield duedesk.book
        return
    with contextlib.closing(build_many(config)) as made:
        found = made.registry.of_book(name)
        if found.token is None:
            raise NotFound(f"The workspace of the book {name} is not installed, so there is no token for it.")
        yield made.books.opened(found).book


def _found(
    made: Workspaces, body: dict[str, Any], context: dict[str, Any], go_on: Callable[[], BoltResponse]
) -> BoltResponse:
    """Find the book before anything else is done; who has none learns nothing but where to install."""
    if (body.get("event") or {}).get("type") in OF_INSTALLATIONS:
        made.heard(body)
        return BoltResponse(status=200, body="")
    received = float(context.get("received") or time.monotonic())
    try:
        served = made.books.of(body, received + REQUEST_SECONDS)
    except NotFound as refusal:
        sentence = sentence_of(refusal)
        # Slack would deliver the event of a workspace that left again and again.
        return BoltResponse(status=200, body="") if body.get("type") == "event_callback" else answer(sentence, body)
    except Busy as refusal:
        return answer(sentence_of(refusal), body)
    served_book.set(served.installation.book)
    served.request_at = time.monotonic()
    context["served"] = served
    return go_on()


def _authorize(context: dict[str, Any]) -> AuthorizeResult:
    """What was kept of the installation; Slack is not asked."""
    found: Installation = context["served"].installation
    return AuthorizeResult(
        enterprise_id=found.enterprise or None,
        team_id=found.team or None,
        bot_user_id=found.bot_user,
        bot_id=found.bot,
        bot_token=found.token,
    )


def _in_turn(found: Installation, work: Callable[[], object]) -> bool:
    """One turn of a book in a lane, with its name in the log."""
    served_book.set(found.book)
    return bool(work())


def _owned(book: Book, granted: Granted) -> str:
    """Make the installer the owner of a book that has none, and say so."""
    if book.desk.store.read(lambda books: books.has_owner()):
        return "Its books are as they were, and so are their owner and everybody's rights."
    try:
        name_owner(book.desk, book.client, granted.installer)
    except OwnerExists:
        return "Its books have their owner."
    except (Refused, SlackApiError, OSError) as fault:
        why = fault.sentence if isinstance(fault, Refused) else "Slack could not be asked who you are."
        return f"Its books are open, but you could not be made their owner: {why} Install once more to try again."
    return "You own its books now: type /duedesk there."
