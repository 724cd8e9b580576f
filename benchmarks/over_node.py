"""The whole bot and a bare echo bot, one after the other over the same real Node gateway.

python -m benchmarks.over_node
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks.load import is_report, room, texts
from tests.gateways.node_gateway import BOT, NodeGateway

OUTSTANDING = 64
STEADY = 10_000  # messages of the run with 64 outstanding
BURST = 5000  # messages at once
PACED, PER_SECOND = 600, 100.0
GIVE_UP = 300.0  # seconds


@dataclass(frozen=True)
class Figures:
    """Of one bot. Rates in messages/s, CPU in ms a message, latencies in ms, memory in MiB."""

    rate: float
    cpu: float
    p50: float
    p99: float
    burst_rate: float
    burst_cpu: float
    memory: float


class Child:
    """A bot as a process; `done()` says how many messages it has dealt with."""

    def __init__(self, gateway: NodeGateway, command: list[str], *, echoes: bool) -> None:
        self.gateway = gateway
        self.echoes = echoes
        self._handled = 0
        self._process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.process = psutil.Process(self._process.pid)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, number = line.partition(" ")
            if word == "handled":
                self._handled = int(number)

    def done(self) -> int:
        return len(self.gateway._said) if self.echoes else self._handled

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def _bot(gateway: NodeGateway, kind: str) -> Iterator[Child]:
    with tempfile.TemporaryDirectory(prefix="gridbot-bench-") as folder:
        if kind == "echo":
            command = ["-m", "benchmarks.echo_bot", gateway.endpoint, gateway.token]
        else:
            command = ["-m", "benchmarks.grid_bot", gateway.endpoint, gateway.token, folder]
        child = Child(gateway, command, echoes=kind == "echo")
        try:
            _warm_up(child)
            yield child
        finally:
            child.end()


def _warm_up(child: Child) -> None:
    """Until the bot has answered or handled one message it was sent."""
    end = time.monotonic() + 60
    while child.done() < 1:
        if time.monotonic() > end:
            raise RuntimeError("the bot did not come up")
        child.gateway.say(room(0), "zhang", "在不在")
        time.sleep(0.5)
    _settle(child)


def _settle(child: Child) -> None:
    """Until nothing more is dealt with."""
    before = -1
    while child.done() != before:
        before = child.done()
        time.sleep(1.0)


def _messages(count: int) -> list[dict[str, object]]:
    return [
        {"room": room(number), "sender": f"p{number % 500}", "text": text}
        for number, text in enumerate(texts(count))
    ]


def _run(child: Child, count: int, outstanding: int) -> tuple[float, float]:
    """(messages a second, ms of CPU a message) for `count` messages, so many under way at once."""
    messages, start = _messages(count), child.done()
    cpu, begun, sent = child.cpu(), time.monotonic(), 0
    while (done := child.done() - start) < count:
        free = min(outstanding - (sent - done), count - sent)
        if free > 0:
            child.gateway.say_many(messages[sent : sent + free])
            sent += free
        if time.monotonic() - begun > GIVE_UP:
            break
        time.sleep(0.0005)
    took = time.monotonic() - begun
    done = child.done() - start
    return done / took, (child.cpu() - cpu) * 1000 / max(done, 1)


def _latency(child: Child) -> tuple[float, float]:
    """(p50, p99) in ms from saying a message to the bot handing its answer to the gateway, at 100/s.

    The echo bot answers everything, the grid bot the reports; each report has a room of its own.
    """
    said_at: dict[str, float] = {}
    heard_at: dict[str, float] = {}
    known = len(child.gateway._said)
    stop = threading.Event()

    def listen() -> None:
        position = known
        while not stop.is_set():
            while position < len(child.gateway._said):
                heard_at.setdefault(child.gateway._said[position].room, time.monotonic())
                position += 1
            time.sleep(0.0005)

    listener = threading.Thread(target=listen)
    listener.start()
    begun = time.monotonic()
    for number, text in enumerate(texts(PACED)):
        time.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
        place = f"L{child.process.pid}-{number}@chatroom"
        if child.echoes or is_report(number):
            said_at[place] = time.monotonic()
        child.gateway.say(place, f"p{number % 500}", text)
    time.sleep(3)
    stop.set()
    listener.join()
    waits = sorted((heard_at[place] - at) * 1000 for place, at in said_at.items() if place in heard_at)
    return statistics.median(waits), waits[min(len(waits) - 1, int(len(waits) * 0.99))]


def measure(gateway: NodeGateway, kind: str) -> Figures:
    with _bot(gateway, kind) as child:
        rate, cpu = _run(child, STEADY, OUTSTANDING)
        _settle(child)
        p50, p99 = _latency(child)
        _settle(child)
        burst_rate, burst_cpu = _run(child, BURST, BURST)
        memory = child.process.memory_info().rss / 2**20
    return Figures(rate, cpu, p50, p99, burst_rate, burst_cpu, memory)


def main(tell: Callable[[str], None] = print) -> None:
    with NodeGateway("insecure_bench", tls=False) as gateway:
        gateway.person(BOT, "小格")
        found = {kind: measure(gateway, kind) for kind in ("echo", "grid")}
    echo, grid = found["echo"], found["grid"]
    tell(f"| over the Node gateway, {OUTSTANDING} outstanding | bare echo | gridbot | ratio | target |")
    tell("| --- | --- | --- | --- | --- |")
    rows = (
        ("messages/s", echo.rate, grid.rate, ">= 1.5"),
        ("CPU ms a message", echo.cpu, grid.cpu, "<= 0.7"),
        (f"burst of {BURST}: messages/s", echo.burst_rate, grid.burst_rate, ">= 4"),
        (f"burst of {BURST}: CPU ms a message", echo.burst_cpu, grid.burst_cpu, ""),
        ("p50 ms to the reply at 100/s", echo.p50, grid.p50, ""),
        ("p99 ms to the reply at 100/s", echo.p99, grid.p99, ""),
        ("memory MiB at the end", echo.memory, grid.memory, ""),
    )
    for name, one, other, target in rows:
        tell(f"| {name} | {one:.1f} | {other:.1f} | {other / one:.2f} | {target} |")


if __name__ == "__main__":
    main()
