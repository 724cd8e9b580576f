"""Row ids made by the client, so that a batch of messages is one statement (`insert many`)."""

import secrets
import threading
import time

_EPOCH_MS = 1_704_067_200_000  # 2024-01-01, leaves 41 bits of milliseconds until 2093
_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """A 63-bit id: milliseconds since 2024 (41 bits), then 22 random bits.

    Ids of one process rise strictly, so that sorting by id is sorting by arrival; ids of two processes
    differ by their random part, and the primary key catches what chance does not.
    """
    global _last
    fresh = ((time.time_ns() // 1_000_000 - _EPOCH_MS) << 22) | secrets.randbits(22)
    with _lock:
        _last = fresh if fresh > _last else _last + 1
        return _last
