"""The heartbeat in words: a line where all is right; every finding, and who is called, where it is not."""

from collections import Counter

from bot.domain.heartbeat import HeartbeatTold
from bot.domain.settings import Settings
from bot.handlers.blocks.digest import day_text
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import counted, escape
from bot.handlers.forms import Block, context

MOST_LINES = 40  # of findings in a message; of the rest each check is named with how many there are
MOST_CHECKS = 30
LINES_IN_A_BLOCK = 15
LONGEST_LINE = 140
MOST_FAILED = 10
WHAT_TO_DO = (
    "Stop writing to the books, keep a copy of the database, and find out what wrote past Duedesk; `duedesk verify` "
    "lists all. Amounts are in millionths. This is said again with each heartbeat until the books are right."
)


def heartbeat_summary(told: HeartbeatTold) -> str:
    """How it went, for the list of jobs."""
    state = f"RED: {counted(told.found, 'finding')}" if told.is_red else "the books are right"
    return "; ".join([state, *_beside(told)])


def heartbeat_title(told: HeartbeatTold, settings: Settings) -> str:
    """The title line."""
    state = (
        f"RED: the books are not right, {counted(told.found, 'finding')}" if told.is_red else "the books are right ✓"
    )
    return f"Heartbeat · {day_text(told.day, settings.locale)} · {state}"


def heartbeat_text(told: HeartbeatTold, settings: Settings) -> str:
    """The message in a sentence, escaped; where it is red it mentions who is called, so that they are notified."""
    called = "".join(f"<@{each}> " for each in told.called) if told.is_red else ""
    return f"{called}{escape('; '.join([heartbeat_title(told, settings), *_beside(told)]))}"


def heartbeat_blocks(told: HeartbeatTold, settings: Settings) -> list[Block]:
    """The whole message."""
    head = bold(heartbeat_title(told, settings))
    if told.is_red:
        called: tuple[Part, ...] = tuple(part for each in told.called for part in (person(each), " "))
        blocks = [rich((*called, head), block_id="title"), *_findings(told)]
        blocks.append(context(WHAT_TO_DO, block_id="what_to_do"))
        return [*blocks, rich(*_lines(told), block_id="proof")]
    return [rich((head,), *_lines(told), block_id="title")]


def _findings(told: HeartbeatTold) -> list[Block]:
    """Each finding in words under its check; of very many the first, and then each check with how many more."""
    shown, rest = told.findings[:MOST_LINES], Counter(each.check for each in told.findings[MOST_LINES:])
    lines: list[tuple[Part, ...] | Part] = []
    for place, each in enumerate(shown):
        if place == 0 or each.check != shown[place - 1].check:
            lines.append((bold(each.check),))
        found = f"{each.where}: kept {each.kept}, recomputed {each.recomputed}"
        lines.append(f"• {typed(found, LONGEST_LINE)}")
    named = rest.most_common(MOST_CHECKS)
    lines += [f"• and {number:,} more of: {check}" for check, number in named]
    left = told.found - len(shown) - sum(number for _, number in named)
    lines += [f"• and {left:,} more"] if left > 0 else []
    return [
        rich(*lines[begin : begin + LINES_IN_A_BLOCK], block_id=f"findings_{begin}")
        for begin in range(0, len(lines), LINES_IN_A_BLOCK)
    ]


def _lines(told: HeartbeatTold) -> list[tuple[Part, ...] | Part]:
    """What was proved, the head of the chain, and what is to be seen to beside the books."""
    of = told.counts
    proof = (
        f"{counted(of.customers, 'customer')}, {of.entries:,} {'entry' if of.entries == 1 else 'entries'},"
        f" {counted(of.open_items, 'open item')}{'' if told.is_red else ' tie'}"
    )
    lines: list[tuple[Part, ...] | Part] = [
        (f"{proof} · proved ", moment(told.at)),
        f"Audit chain: {counted(of.chain_length, 'link')}, head {of.chain_head or 'none'}",
    ]
    unsent = told.unsent
    beside = _beside(told)
    if not beside:
        return [*lines, "Everything was delivered; no job failed."]
    if unsent.failed or unsent.parked:
        why = f" ({typed(', '.join(unsent.reasons), 200)})" if unsent.reasons else ""
        held = f", {unsent.parked:,} held back by a restore" if unsent.parked else ""
        lines.append((bold("Not delivered: "), f"{unsent.failed:,}{held}{why}; duedesk outbox list names each"))
    if unsent.waiting_since is not None:
        lines.append(
            (
                bold("Waiting: "),
                f"{counted(unsent.waiting, 'message')}, the oldest since ",
                moment(unsent.waiting_since),
            )
        )
    if told.failed:
        lines.append((bold("Failed: "), "/duedesk jobs says more"))
        lines += [f"{each.name}, {typed(each.of, 80)}: {typed(each.why, 120)}" for each in told.failed[:MOST_FAILED]]
    return lines


def _beside(told: HeartbeatTold) -> list[str]:
    """What is not right beside the books, in a few words each."""
    unsent, said = told.unsent, []
    if unsent.failed or unsent.parked:
        said.append(f"{counted(unsent.failed + unsent.parked, 'message')} not delivered")
    if unsent.waiting_since is not None:
        said.append(f"{counted(unsent.waiting, 'message')} waiting")
    if told.failed:
        said.append(f"{counted(len(told.failed), 'job')} failed")
    return said
