"""Builds everything once and wires it; nothing else constructs anything."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.config import Config
from bot.desk import SYSTEM, Desk
from bot.documents.pool import BookAt, Renderer
from bot.domain.errors import OwnerExists
from bot.domain.operation import Actor, Request
from bot.domain.people import RightChanged, SetOwner, set_owner
from bot.handlers.bounces import BounceDoor
from bot.handlers.doors import Admission, HttpDoor, SocketDoor
from bot.handlers.members import profile_of
from bot.handlers.monitor import Monitor
from bot.handlers.register import register
from bot.jobs.delivery import DeliveryThread, Worker
from bot.jobs.files import FileWorker
from bot.jobs.mail import MailWorker
from bot.jobs.mailbox import MailboxReader, MailboxWatch
from bot.jobs.runner import JobsThread, Runner
from bot.jobs.smtp import Post
from bot.mail_servers import mailbox, sender, smtp_server
from bot.metrics import Metrics
from bot.observe import log, quieten
from bot.parts import EVERY, Part, Parts
from bot.storage.ids import new_id
from bot.storage.mailroom import Mailroom
from bot.storage.shelf import Library
from bot.storage.store import Store
from bot.vitals import Pulse, Readiness, gauges
from bot.wakes import Wakes

SLACK_SECONDS = 10
STOP_SECONDS = 15.0
COMMIT, JOB = "commit", "job"  # words that wake
DOES = {COMMIT: Part.DELIVERY, JOB: Part.JOBS}


class Lane(Protocol):
    """What runs in the background, for one book or for many."""

    def start(self) -> None: ...

    def hand_over(self) -> None:
        """Begin nothing more, and let others have at once what is not in hand."""

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Finish what is in hand and end, within so many seconds."""


class Beating(Protocol):
    """Shows now and then that this process serves, and which parts of the work it does."""

    def start(self, parts: Parts = EVERY) -> None: ...

    def beat(self) -> None:
        """Show it now."""

    def stop(self) -> None: ...


@dataclass(kw_only=True)
class Service:
    """What one process runs: Bolt behind its doors, delivery, files, mail and jobs; for one book or for many."""

    config: Config
    library: Library
    bolt: App
    delivery: Lane
    files: Lane
    jobs: Lane
    mails: Lane | None = None
    renderer: Renderer
    admission: Admission
    metrics: Metrics
    readiness: Readiness
    pulse: Beating
    wakes: Wakes
    is_stopped: bool = False

    def http_door(self) -> HttpDoor:
        secret = self.config.slack_signing_secret.get_secret_value()
        return HttpDoor(
            self.bolt,
            self.admission,
            self.metrics,
            why_not=self.readiness.why_not,
            signing_secret=secret,
            bounces=self.bounces(),
        )

    def bounces(self) -> BounceDoor | None:
        """Where a mail service reports bounces, if it knows a secret."""
        return None

    def socket_door(self) -> SocketDoor:
        return SocketDoor(
            self.bolt,
            self.admission,
            self.metrics,
            app_token=self.config.slack_app_token.get_secret_value(),
            base_url=self.config.slack_api_url,
        )

    def monitor(self) -> Monitor | None:
        """Health and metrics on a port of their own, if there is one."""
        if not self.config.duedesk_metrics_port:
            return None
        return Monitor(
            self.config.duedesk_metrics_host,
            self.config.duedesk_metrics_port,
            why_not=self.readiness.why_not,
            metrics=self.metrics.page,
            bounces=self.bounces(),
        )

    def is_ready(self) -> bool:
        """Whether requests may be sent here."""
        return not self.readiness.why_not()

    def start(self, parts: Parts = EVERY) -> None:
        """Begin what runs in the background of these parts, and show in the book that it does."""
        self.pulse.start(parts)
        elsewhere = frozenset(word for word, part in DOES.items() if part not in parts)
        self.wakes.start(tells=elsewhere, listens=len(elsewhere) < len(DOES))
        if Part.DELIVERY in parts:
            self.delivery.start()
            self.files.start()
            if self.mails is not None:
                self.mails.start()
        if Part.JOBS in parts:
            self.jobs.start()

    def stop(self, until: float | None = None) -> None:
        """End it by an instant of the monotonic clock; what is not finished then is left to other processes."""
        self.is_stopped = True
        limit = until if until is not None else time.monotonic() + STOP_SECONDS
        parts = (self.jobs, self.delivery, self.files, *((self.mails,) if self.mails is not None else ()))
        for each in parts:
            each.hand_over()
        for each in parts:
            each.stop(limit - time.monotonic())
        self.pulse.stop()
        self.wakes.stop()

    def close(self) -> None:
        if not self.is_stopped:
            self.stop()
        self.renderer.close()
        self.library.close()


@dataclass(frozen=True, kw_only=True)
class Book:
    """One book at work: its desk, and those who send its messages, make its files and run its jobs."""

    desk: Desk
    client: WebClient
    worker: Worker
    files: FileWorker
    runner: Runner


@dataclass(kw_only=True)
class Duedesk(Service):
    """One running bot for one book."""

    book: Book
    delivery: DeliveryThread[Worker]
    files: DeliveryThread[FileWorker]
    jobs: JobsThread
    mails: DeliveryThread[MailWorker] | None = None

    @property
    def desk(self) -> Desk:
        return self.book.desk

    @property
    def client(self) -> WebClient:
        return self.book.client

    def bounces(self) -> BounceDoor | None:
        secret = self.config.duedesk_mail_secret.get_secret_value()
        return BounceDoor(secret, Mailroom(self.desk.store).bounced) if secret else None

    def close(self) -> None:
        super().close()
        if self.mails is not None:
            self.mails.worker.renderer.close()


def build(
    config: Config,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    book: str = "main",
    renderer: Renderer | None = None,
) -> Duedesk:
    """A bot for one book, ready to be given a door."""
    library = Library(config.database_url, limit=config.desk_limit)
    store = Store.open(library, book)
    token = config.slack_bot_token.get_secret_value()
    woken, files_woken, mails_woken = threading.Event(), threading.Event(), threading.Event()
    admission = Admission(config.desk_waiting)
    metrics = Metrics(book, lambda: made.admission.in_hand, config.desk_waiting, lambda: gauges(store))
    making = renderer or Renderer()
    at_work = open_book(config, store, token, clock=clock, renderer=making, metrics=metrics)
    desk = at_work.desk
    delivery = DeliveryThread(at_work.worker, woken)
    files = DeliveryThread(at_work.files, files_woken)
    mails = mail_thread(config, desk, BookAt(config.database_url, book), mails_woken, metrics, renderer)
    desk.mails = mails is not None
    jobs = JobsThread(at_work.runner)
    wakes = Wakes(store, {COMMIT: (woken.set, files_woken.set, mails_woken.set), JOB: (jobs.wake,)})
    desk.on_commit, desk.on_job = partial(wakes.ring, COMMIT), partial(wakes.ring, JOB)
    bolt = bolt_app(config, _authorizer(at_work.client, token))
    register(bolt, lambda _body: desk, prefix=config.duedesk_prefix)
    made = Duedesk(
        config=config,
        library=library,
        book=at_work,
        bolt=bolt,
        delivery=delivery,
        files=files,
        jobs=jobs,
        mails=mails,
        renderer=making,
        admission=admission,
        metrics=metrics,
        readiness=Readiness(
            store, lambda: delivery.has_died or files.has_died or (mails is not None and mails.has_died)
        ),
        pulse=Pulse(store, at_work.worker.name, metrics),
        wakes=wakes,
    )
    return made


def open_book(
    config: Config,
    store: Store,
    token: str,
    *,
    clock: Callable[[], datetime],
    renderer: Renderer,
    metrics: Metrics,
) -> Book:
    """A book with its workers, which nobody runs yet; each speaks to Slack with the token of the book's workspace."""
    desk = Desk(store, clock=clock)
    # The client's own second try after a lost connection could send something twice; the workers look for it first.
    sending = WebClient(token=token, base_url=config.slack_api_url, timeout=SLACK_SECONDS, retry_handlers=[])
    return Book(
        desk=desk,
        client=WebClient(token=token, base_url=config.slack_api_url, timeout=SLACK_SECONDS),
        worker=Worker(desk, sending, metrics=metrics),
        files=FileWorker(desk, sending, renderer, BookAt(config.database_url, store.book)),
        runner=Runner(desk, metrics=metrics),
    )


def bolt_app(config: Config, authorize: Callable[..., AuthorizeResult], **more: Any) -> App:
    """Bolt as both doors use it: the answer is the acknowledgement."""
    quieten()
    return App(
        # Unless it has a name, Bolt looks through the source of every caller for one: a tenth of a second. It sets the
        # level of the logger of that name, so it is not that of ours.
        name="slack_bolt.duedesk",
        client=WebClient(base_url=config.slack_api_url, timeout=SLACK_SECONDS),  # each request has its own
        token=None,
        authorize=authorize,
        signing_secret=config.slack_signing_secret.get_secret_value() or "unused-in-socket-mode",
        process_before_response=True,
        raise_error_for_unhandled_request=False,
        url_verification_enabled=True,
        ignoring_self_events_enabled=True,
        **more,
    )


def mail_thread(
    config: Config, desk: Desk, book: BookAt, woken: threading.Event, metrics: Metrics, renderer: Renderer | None = None
) -> DeliveryThread[MailWorker] | None:
    """What sends mail and looks for bounces; nothing where no server is named. It has a renderer of its own, so that
    no long report holds mail up.
    """
    url, mailbox_url = config.duedesk_smtp_url.get_secret_value(), config.duedesk_mailbox_url.get_secret_value()
    if not url or not config.duedesk_mail_from:
        return None
    reader = MailboxReader(mailbox(mailbox_url)) if mailbox_url else None
    copy_to = sender(config.duedesk_mail_copy).address if config.duedesk_mail_copy and reader is not None else ""
    worker = MailWorker(
        desk=desk,
        post=Post(smtp_server(url)),
        renderer=renderer or Renderer(),
        book=book,
        sender=sender(config.duedesk_mail_from),
        reply_to=sender(config.duedesk_mail_reply_to).address if config.duedesk_mail_reply_to else "",
        copy_to=copy_to,
        copies=reader if copy_to else None,
        metrics=metrics,
    )
    watch = MailboxWatch(desk.store, reader) if reader is not None else (lambda: None)
    return DeliveryThread(worker, woken, watch)


def _authorizer(client: WebClient, token: str) -> Callable[..., AuthorizeResult]:
    """The bot's own identity, asked of Slack once and not with every request."""
    known: dict[str, Any] = {}
    lock = threading.Lock()

    def authorize(**_: Any) -> AuthorizeResult:
        with lock:
            if not known:
                known.update(client.auth_test().data)  # type: ignore[arg-type]  # JSON in every answer of this method
        return AuthorizeResult(
            enterprise_id=known.get("enterprise_id"),
            team_id=known.get("team_id"),
            bot_user_id=known.get("user_id"),
            bot_id=known.get("bot_id"),
            bot_token=token,
        )

    return authorize


def name_owner(desk: Desk, client: WebClient, user: str) -> RightChanged | None:
    """Make a workspace member the first owner; nothing when there is one already. Rule 120."""
    home = client.auth_test()
    profile = profile_of(client, user, str(home["team_id"]), home.get("enterprise_id"))
    request = Request(
        actor=Actor(team=profile.team, user=SYSTEM),
        now=desk.clock(),
        key=f"owner:{new_id()}",  # each time is an act of its own, and there is one owner at most
        request_id="owner",
        command="owner set",
    )
    try:
        return desk.carry_out(set_owner, SetOwner(profile=profile), request)
    except OwnerExists:
        log.info("the book has its owner")
        return None
