"""Logs with request ids and nothing confidential: no message text, no amounts, no tokens."""

import json
import logging
import sys
import time
from contextvars import ContextVar

# How the work in hand ends: done, refused, busy, fault; for a message also later or failed.
outcome: ContextVar[str] = ContextVar("outcome", default="done")
request_id: ContextVar[str] = ContextVar("request_id", default="-")
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
        if record.exc_info:
            line["fault"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Quiet(logging.Filter):
    """Bolt logs rejected bodies and unhandled payloads; customer data must not reach a log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR


def set_up(level: str = "INFO") -> None:
    """Log to standard error, our own lines at a level, the libraries' errors only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    log.handlers = [handler]
    log.setLevel(level.upper())
    log.propagate = False
    quieten()


def quieten() -> None:
    for name in ("slack_bolt", "slack_sdk", "slack_bolt.App"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        if not any(isinstance(each, Quiet) for each in logger.filters):
            logger.addFilter(Quiet())
