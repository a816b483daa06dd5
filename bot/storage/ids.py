"""Ids that rise with time, made in the process."""

import os
import random
import threading
import time
from collections.abc import Collection
from datetime import datetime

IDS_PER_MILLISECOND = 1 << 10
PROCESSES = 1 << 12
_process = random.SystemRandom().randrange(PROCESSES)
_last_id = (0, 0)
_id_lock = threading.Lock()


def new_id() -> int:
    """A 63-bit id that always rises in this process: milliseconds, this process, a counter.

    A full counter, or a clock set back, borrows the next millisecond, so that no id comes twice.
    """
    global _last_id  # noqa: PLW0603  # one counter for the process is the point
    with _id_lock:
        last, counter = _last_id
        now = time.time_ns() // 1_000_000
        if now > last:
            last, counter = now, 0
        elif counter + 1 < IDS_PER_MILLISECOND:
            counter += 1
        else:
            last, counter = last + 1, 0
        _last_id = (last, counter)
        return last << 22 | _process << 10 | counter


def process_number() -> int:
    """What ids hold of the process that made them: drawn by chance, so that two of many may have the same."""
    return _process


def draw_number(taken: Collection[int] = ()) -> int:
    """Draw another number for this process, that of no other one where others are known."""
    global _process  # noqa: PLW0603  # as above
    free = sorted(set(range(PROCESSES)) - set(taken)) or range(PROCESSES)
    _process = random.SystemRandom().choice(free)
    return _process


os.register_at_fork(after_in_child=draw_number)


def first_id_of(moment: datetime) -> int:
    """The lowest id that a moment can give."""
    return max(0, int(moment.timestamp() * 1000)) << 22


def rise_above(other: int) -> None:
    """Later ids of this process rise above one that another process gave."""
    global _last_id  # noqa: PLW0603  # as above
    with _id_lock:
        _last_id = max(_last_id, (other >> 22, IDS_PER_MILLISECOND - 1))
