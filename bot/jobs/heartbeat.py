"""The heartbeat: proves the whole book each day and says so, or calls a person; silence is an alarm of its own."""

import time
from collections.abc import Mapping
from datetime import timedelta

from pydantic import TypeAdapter

from bot.desk import Desk
from bot.domain.heartbeat import MOST_FINDINGS, FailedRun, HeartbeatTold, Unsent
from bot.domain.job_plans import HEARTBEAT
from bot.handlers.blocks.heartbeat import heartbeat_summary
from bot.observe import log
from bot.storage.heartbeat import counts, failed_runs, last_done, to_call
from bot.storage.jobs import Finished, JobRun
from bot.storage.pulse import Look, Signs, heart_beat, looks, proved, signs
from bot.storage.reports import SqlReadBooks
from bot.storage.store import PROOF_SECONDS

LATE = timedelta(minutes=15)  # a message that waits so long is worth a word
DAY = timedelta(hours=26)
_TOLD = TypeAdapter(HeartbeatTold)


def told_of(payload: str) -> HeartbeatTold:
    """What a run has to tell, as it was found."""
    return _TOLD.validate_json(payload)


def run_heartbeat(desk: Desk, run: JobRun) -> Finished:
    """Prove the books as they are now. What is found is told; that it was proved, and when it was right, is kept."""
    desk.store.seal()
    seen, watches = signs(desk.store), looks(desk.store)
    until = time.monotonic() + PROOF_SECONDS
    told = desk.store.read(lambda books: _told(books, run, seen, watches), until)
    proved(desk.store, told.found)
    if told.is_red:
        log.error("heartbeat: the books are not right, %s findings", told.found)
    else:
        heart_beat(desk.store)
    return Finished(
        result=heartbeat_summary(told),
        payload=_TOLD.dump_json(told).decode(),
        error=f"{told.found} findings" if told.is_red else "",
        kind=HEARTBEAT,
    )


def _told(books: SqlReadBooks, run: JobRun, seen: Signs, watches: Mapping[str, Look]) -> HeartbeatTold:
    findings = list(books.verify())
    since = min(last_done(books.connection, HEARTBEAT) or seen.now, seen.now - DAY)
    broken = [FailedRun(name=name, of="last look", why=each.fault) for name, each in watches.items() if each.fault]
    is_late = seen.waiting_since is not None and seen.now - seen.waiting_since > LATE
    return HeartbeatTold(
        day=run.day,
        at=seen.now,
        counts=counts(books.connection),
        findings=tuple(findings[:MOST_FINDINGS]),
        found=len(findings),
        unsent=Unsent(
            failed=seen.outbox.get("failed", 0),
            parked=seen.outbox.get("parked", 0),
            reasons=seen.failures,
            waiting=seen.outbox.get("waiting", 0) if is_late else 0,
            waiting_since=seen.waiting_since if is_late else None,
        ),
        failed=(*failed_runs(books.connection, since), *broken),
        called=to_call(books.connection),
    )
