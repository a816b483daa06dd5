"""Logs with request ids and nothing confidential: no message text, no amounts, no tokens."""

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

# How the work in hand ends: done, refused, busy, fault; for a message also later or failed.
outcome: ContextVar[str] = ContextVar("outcome", default="done")
request_id: ContextVar[str] = ContextVar("request_id", default="-")
served_book: ContextVar[str] = ContextVar("served_book", default="")  # where one process serves several
log = logging.getLogger("duedesk")


class Lines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "request": request_id.get(),
            "says": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["fault"] = told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def told(fault: BaseException) -> str:
    """Where a fault came from and of which kinds it is; its words may quote what somebody typed and are left out."""
    parts: list[str] = []
    seen: set[int] = set()
    now: BaseException | None = fault
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        kind = f"{type(now).__module__}.{type(now).__qualname__}{_code(now)}"
        frames = traceback.extract_tb(now.__traceback__)
        places = [f"  {_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
        parts.append("\n".join([kind, *places]))
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return "\nafter\n".join(parts)


def _code(fault: BaseException) -> str:
    """What a database or Slack calls the fault."""
    state = getattr(fault, "sqlstate", None) or getattr(fault, "sqlite_errorname", None)
    response = getattr(fault, "response", None)
    if response is not None and hasattr(response, "get"):
        state = state or response.get("error")
    return f" ({state})" if re.fullmatch(r"\w{1,60}", str(state or "")) else ""


def _place(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])


class Quiet(logging.Filter):
    """Bolt logs rejected bodies and unhandled payloads; customer data must not reach a log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR


class Wordless(logging.Filter):
    """Of a library's error only where it comes from is said: its words may quote a payload."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = f"{record.name}: an error at {Path(record.pathname).name}:{record.lineno}", ()
        return True


class ToStandardError(logging.StreamHandler[TextIO]):
    """Standard error as it is at the time of writing."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(Lines())

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """It is looked up each time."""


def set_up(level: str = "INFO") -> None:
    """Log to standard error, our own lines at a level, the libraries' errors only."""
    log.handlers = [ToStandardError()]
    log.setLevel(level.upper())
    log.propagate = False
    of_libraries = ToStandardError()
    of_libraries.setLevel(logging.ERROR)
    of_libraries.addFilter(Wordless())
    root = logging.getLogger()
    root.handlers = [*(each for each in root.handlers if not isinstance(each, ToStandardError)), of_libraries]
    quieten()


@contextmanager
def unexpected() -> Iterator[None]:
    """Faults that end a thread are a line in the log like any other, without their words."""
    before = threading.excepthook

    def ended(arguments: threading.ExceptHookArgs) -> None:
        log.error("a thread ended", exc_info=arguments.exc_value)

    threading.excepthook = ended
    try:
        yield
    finally:
        threading.excepthook = before


def quieten() -> None:
    for name in ("slack_bolt", "slack_sdk", "slack_bolt.App"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        if not any(isinstance(each, Quiet) for each in logger.filters):
            logger.addFilter(Quiet())
