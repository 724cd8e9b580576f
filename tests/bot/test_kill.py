"""A real bot under load is killed again and again, at any moment; in the end everything is counted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
from sqlmodel import Session, col, func, select

from storage.database import Database
from storage.tables import Message, Reply, ReplyState, Ticket, TicketEvent, TicketReport
from tests.support.killable import kind
from tests.support.street import ROOT

KILLS = {"sqlite": 55, "postgresql": 12}
MOST_SENDS = 10  # of a run before it is killed


class Killable:
    """The process that forks bots."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.said, self.errors = url, folder / "said.jsonl", folder / "errors.txt"
        self.said.touch()
        self.runs = 0

    def __enter__(self) -> "Killable":
        self._errors = self.errors.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killable"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._expect("imported")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _expect(self, word: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        assert line.startswith(word), f"{line!r} instead of {word}: {self.errors.read_text()[-3000:]}"
        return line.removeprefix(word).strip()

    def start(self, *, until: int | None = None, busy: int = 0) -> int:
        """Starts a bot; its process id."""
        self.runs += 1
        order = {"url": self.url, "said": str(self.said), "run": self.runs, "until": until, "busy": busy}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._expect("pid"))

    def kill(self, chance: random.Random) -> None:
        """Starts a bot and kills it: now and then while it starts, mostly at work."""
        if chance.random() < 0.2:
            pid = self.start()
            time.sleep(chance.random() * 0.3)
        else:
            pid = self.start(busy=chance.randint(1, MOST_SENDS))
            self._expect("busy")
            time.sleep(chance.random() * 0.02)
        os.kill(pid, signal.SIGKILL)
        assert self._expect("ended") == str(-signal.SIGKILL)

    def finish(self, until: int) -> None:
        """A last bot says all there is to say, and ends by itself."""
        self.start(until=until)
        assert self._expect("ended") == "0", self.errors.read_text()[-3000:]

    def lines(self) -> list[tuple[int, list[int]]]:
        """What was said: run, and the ids of the replies that went together."""
        found = [json.loads(line) for line in self.said.read_text().splitlines()]
        return [(line["run"], line["ids"]) for line in found]


@pytest.fixture
def killable(database_url: str, tmp_path: Path) -> Iterator[Killable]:
    with Killable(database_url, tmp_path) as killable:
        yield killable


@pytest.mark.timeout(300)
def test_killed_at_any_moment_everything_happens_once(killable: Killable, database_url: str) -> None:
    kills = KILLS[database_url.partition("+")[0].partition(":")[0]]
    seed = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**6))
    print(f"to kill at the same moments again: TEST_SEED={seed}")  # noqa: T201  shown where it fails
    chance = random.Random(seed)
    for _ in range(kills):
        killable.kill(chance)
    database = Database(database_url)
    with database.reading() as session:
        until = session.exec(select(func.count()).select_from(Message)).one() + 50
    killable.finish(until)
    assert until > 10 * kills  # there was something to do at all
    with database.reading() as session:
        _check_messages(session, until)
        _check_tickets(session)
        _check_replies(session, killable)
    database.close()


def _check_messages(session: Session, until: int) -> None:
    """Each is stored once and handled as it should be."""
    rows = session.exec(select(Message)).all()
    assert sorted(int(row.external_id[1:]) for row in rows) == list(range(until))
    assert all(row.handled_at is not None for row in rows)
    wanted = {
        "report": {"opened", "joined"},
        "explicit": {"command"},
        "command": {"command"},
        "chatter": {"none"},
    }
    for row in rows:
        assert row.outcome in wanted[kind(int(row.external_id[1:]))], row.external_id


def _check_tickets(session: Session) -> None:
    """Each report is at one ticket, once; each ticket was opened once, and no number is missing."""
    numbers: dict[str, list[int]] = {}
    for ticket in session.exec(select(Ticket)):
        numbers.setdefault(str(ticket.day), []).append(ticket.running)
    for found in numbers.values():
        assert sorted(found) == list(range(1, len(found) + 1))
    opened = session.exec(select(TicketEvent.ticket_id).where(TicketEvent.action == "open")).all()
    assert sorted(opened) == sorted(session.exec(select(Ticket.id)))
    told = Counter(session.exec(select(TicketReport.message_id)))
    reports = {
        row.id
        for row in session.exec(select(Message))
        if kind(int(row.external_id[1:])) in {"report", "explicit"}
    }
    assert set(told) == reports
    assert set(told.values()) == {1}


def _check_replies(session: Session, killable: Killable) -> None:
    """Each is said, and twice only where the kill fell between saying and noting it."""
    rows = session.exec(select(Reply)).all()
    assert {row.state for row in rows} == {ReplyState.SENT}
    answered = Counter(row.message_id for row in rows)
    for row in session.exec(select(Message).where(col(Message.text) == "#帮助")):
        assert answered[row.id] == 1
    for row in session.exec(select(Message).where(col(Message.outcome) == "opened")):
        assert answered[row.id] >= 1, row.text
    said = killable.lines()
    assert {id for _, ids in said for id in ids} == {row.id for row in rows}
    last_of_run = {run: ids for run, ids in said}
    before: dict[int, int] = {}
    repeated: Counter[int] = Counter()
    for run, ids in said:
        for id in ids:
            if (earlier := before.get(id)) is not None:
                assert id in last_of_run[earlier], "only what was under way may be said again"
                assert earlier < run
                repeated[earlier] += 1
            before[id] = run
    for run, count in repeated.items():
        assert count <= len(last_of_run[run])  # one message of each killed run at most
    assert len(repeated) < killable.runs
