"""Row ids rise, whatever the clock does, and two processes do not meet."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from storage import ids


def test_they_rise_and_fit() -> None:
    found = [ids.new_id() for _ in range(20_000)]
    assert found == sorted(set(found))
    assert 0 < found[0] < found[-1] < 2**63


def test_threads_do_not_meet() -> None:
    found: list[list[int]] = []

    def make() -> None:
        found.append([ids.new_id() for _ in range(5000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(made == sorted(made) for made in found)
    assert len({id for made in found for id in made}) == 20_000


def test_they_rise_while_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [2_000_000_000_000_000_000]
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr(ids.time, "time_ns", lambda: now[0])
    before = ids.new_id()
    now[0] -= 3_600 * 10**9
    assert ids.new_id() == before + 1


def test_they_last_until_2093(monkeypatch: pytest.MonkeyPatch) -> None:
    last_day = datetime(2093, 1, 1, tzinfo=UTC) + timedelta(hours=1)
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr(ids.time, "time_ns", lambda: int(last_day.timestamp()) * 10**9)
    assert ids.new_id() < 2**63
