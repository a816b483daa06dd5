"""The ageing digest: computed from the books in one snapshot, posted with its chart, its files in the thread."""

import json
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from bot.desk import Desk
from bot.domain.digest import Beside, Digest, Earlier, compose, sums_of
from bot.domain.digest_figures import at_risk_of, broken_of
from bot.domain.digest_plans import Form, plan_of
from bot.domain.held import held_back
from bot.domain.month_end import month_before
from bot.domain.receivables import Ageing, AgeingQuestion
from bot.handlers.blocks.digest import difference_text, summary
from bot.storage.digest import accounts, doubtful, month, sold
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
    shown = plan_of(settings, run.target).currencies
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
    form = plan_of(books.settings(), channel).form
    digest = compose(report, ledger, earlier, _beside(books, report, as_of, form))
    return digest, json.dumps({str(key): value for key, value in sums_of(ledger).items()})


def _beside(books: SqlReadBooks, report: Ageing, as_of: date, form: Form) -> Beside:
    """What stands beside the buckets. Disputes and promises are as they stand when it is made, whatever its day."""
    promises, days = books.promises_waited_for(), books.settings().risk_days
    broken = broken_of(promises, as_of)
    of_customers = doubtful(books.connection, as_of, days=days, promised=broken.invoices)
    told = month_before(as_of) if form is Form.MONTHLY else None
    return Beside(
        held=held_back(books.disputed_sums(), promises, as_of),
        sold_micros=sold(books.connection, as_of),
        at_risk_micros=at_risk_of(report.rows, of_customers, broken.customers),
        risk_days=days,
        form=form,
        month=told,
        months=month(books.connection, told) if told is not None else {},
    )


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
        days_outstanding={
            line.currency.code: line.days_outstanding for line in lines if line.days_outstanding is not None
        },
    )
