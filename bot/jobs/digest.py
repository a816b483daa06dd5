"""The ageing digest: computed from the books in one snapshot, posted with its chart, its files in the thread."""

import json
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from bot.desk import Desk
from bot.domain.digest import Digest, Earlier, compose, sums_of
from bot.domain.digest_plans import plans_of
from bot.domain.held import held_back
from bot.domain.receivables import AgeingQuestion
from bot.handlers.blocks.digest import difference_text, summary
from bot.storage.digest import accounts
from bot.storage.jobs import Finished, JobRun, last_posted
from bot.storage.reports import SqlReadBooks

JOB = "digest"
_DIGEST = TypeAdapter(Digest)


def run_digest(desk: Desk, run: JobRun) -> Finished:
    """One channel's digest of one day; a copy shows what the first one showed."""
    if run.is_copy:
        given = json.loads(run.payload)
        copied = as_copy(run.payload)
        return Finished(result=f"copy: {given['summary']}", payload=copied)
    return desk.store.read(lambda books: _computed(books, run))


def as_copy(payload: str) -> str:
    return json.dumps({**json.loads(payload), "copy": True})


def digest_of(payload: str) -> Digest:
    """The frozen digest of a run, as it was computed."""
    found: Digest = _DIGEST.validate_python(json.loads(payload)["digest"])
    return found


def _computed(books: SqlReadBooks, run: JobRun) -> Finished:
    digest, baseline = figures(books, run.target, run.day)
    settings = books.settings()
    shown = next((plan.currencies for plan in plans_of(settings) if plan.channel == run.target), ())
    payload = {
        "digest": _DIGEST.dump_python(digest, mode="json"),
        "currencies": list(shown),
        "summary": summary(digest, settings, shown),
        "copy": False,
    }
    return Finished(
        result=str(payload["summary"]),
        payload=json.dumps(payload),
        baseline=baseline,
        error="; ".join(difference_text(each, settings) for each in digest.differences),
    )


def figures(books: SqlReadBooks, channel: str, as_of: date) -> tuple[Digest, str]:
    """The digest of a day beside the one that it follows, and what the next one will compare with."""
    earlier = _earlier(books, channel, as_of)
    report = books.ageing(AgeingQuestion(as_of=as_of))
    ledger = accounts(books.connection, as_of, earlier.as_of if earlier is not None else None)
    held = held_back(books.disputed_sums(), books.promises_waited_for(), as_of)
    digest = compose(report, ledger, earlier, held)
    return digest, json.dumps({str(key): value for key, value in sums_of(ledger).items()})


def _earlier(books: SqlReadBooks, channel: str, as_of: date) -> Earlier | None:
    run = last_posted(books.connection, JOB, channel, as_of)
    if run is None:
        return None
    lines = digest_of(run.payload).lines
    sums: dict[str, dict[str, Any]] = json.loads(run.baseline)
    return Earlier(
        as_of=run.day,
        buckets_micros={line.currency.code: tuple(each.micros for each in line.buckets) for line in lines},
        totals_micros={line.currency.code: line.total.micros for line in lines},
        sums={int(customer_id): amounts for customer_id, amounts in sums.items()},
    )
