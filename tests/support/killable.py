"""A whole bot in a process of its own, to be killed at any moment: `python -m tests.support.killable`.

Importing takes longer than starting, so this process imports once and forks a fresh bot for each line of JSON
on its standard input. It answers with lines of its own: "pid N" when the bot was forked, "busy" when it
begins to say its reply number `busy`, "ended CODE" when it is gone.

The chat is the same in every run: message n is `message(n)`. A run goes on where the database ends, and says
some of the last messages once more, as networks do. What the bot says is appended to a file at the moment it
counts as said.
"""

import asyncio
import json
import os
import random
import sys
from datetime import datetime
from pathlib import Path

from sqlmodel import col, func, select

from bot import logs
from bot.app import App, running
from bot.clock import utc_now
from bot.gateways.base import Capabilities, Connection, GatewayStatus, Listening, Outgoing, Sink
from bot.settings import IntakeSettings, LogSettings, OutboxSettings, Settings, StorageSettings, WebSettings
from handlers.incoming import Incoming
from storage.tables import Message, Reply, ReplyState
from tests.support.classifier import WordClassifier
from tests.support.street import ACCOUNT, ROOT

ROOMS = ("river", "couriers", "stairs", "homestay", "elsewhere")
REPORTS = (
    "石梯坎{n}号路灯不亮了",
    "江岸大厦负二楼车库进水了",
    "望江楼有人打起来了",
    "二码头水管爆了 {n}",
    "石梯坎5号电线掉下来了",
)
_AGAIN = 25  # messages said once more after a restart


def kind(number: int) -> str:
    """chatter, report, explicit or command: what message n is."""
    return {0: "report", 4: "command", 7: "explicit"}.get(number % 10, "chatter")


def message(number: int, at: datetime) -> Incoming:
    choose = random.Random(number)
    report = choose.choice(REPORTS).format(n=number)
    texts = {
        "report": report,
        "command": "#帮助",
        "explicit": f"#报 {report}",
        "chatter": f"吃了没 {number}",
    }
    return Incoming(
        account=ACCOUNT,
        id=f"m{number}",
        room=choose.choice(ROOMS),
        sender=f"p{number}",
        sent_at=at,
        text=texts[kind(number)],
    )


class KillableGateway:
    """Says messages in bursts; notes what the bot says, taking a while before and after."""

    name = "killable"
    capabilities = Capabilities()

    def __init__(self, said: Path, run: int, start: int, until: int | None, busy: int) -> None:
        self.status = GatewayStatus(Connection.STARTING, ACCOUNT)
        self.fed = asyncio.Event()
        self._run, self._start, self._until, self._busy = run, start, until, busy
        self._sends = 0
        self._said = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._random = random.Random(run)

    async def run(self, sink: Sink) -> None:
        await sink(Listening(utc_now()))
        self.status.connection = Connection.LOGGED_IN
        number = self._start
        while self._until is None or number < self._until:
            await sink(message(number, utc_now()))
            number += 1
            if self._random.random() < 0.1:
                await asyncio.sleep(self._random.random() / 100)
        self.fed.set()
        await asyncio.Event().wait()

    async def send(self, outgoing: Outgoing) -> str | None:
        self._sends += 1
        if self._sends == self._busy:
            _tell("busy")
        await asyncio.sleep(self._random.random() / 500)
        ids = [int(part) for part in outgoing.key.split("-")]
        line = json.dumps({"run": self._run, "ids": ids, "room": outgoing.room})
        os.write(self._said, line.encode() + b"\n")
        await asyncio.sleep(self._random.random() / 500)
        return None

    async def fetch_picture(self, account: str, message_id: str) -> bytes | None:
        return None


async def _work(url: str, said: str, run: int, until: int | None, busy: int) -> None:
    settings = Settings(
        organisation=ROOT / "organisation.yaml",
        storage=StorageSettings(url=url),
        web=WebSettings(port=0),
        intake=IntakeSettings(batch=20),
        outbox=OutboxSettings(group_seconds=0, account_seconds=0, longest_text=200),
    )
    logs.configure(LogSettings(level="error"))
    start = max(0, _stored(url) - _AGAIN)
    gateway = KillableGateway(Path(said), run, start, until, busy)
    async with running(settings, gateway=gateway, classifier=WordClassifier()) as app:
        assert app.working is not None
        done = asyncio.create_task(_all_said(app, gateway))
        await asyncio.wait({done, app.working}, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            await app.working  # raises what ended it


async def _all_said(app: App, gateway: KillableGateway) -> None:
    await gateway.fed.wait()
    await app.intake.idle()
    app.outbox.wake()
    waiting = select(Reply.id).where(col(Reply.state).in_((ReplyState.WAITING, ReplyState.SENDING)))
    while True:
        with app.database.reading() as session:
            if session.exec(waiting.limit(1)).first() is None:
                return
        await asyncio.sleep(0.02)


def _stored(url: str) -> int:
    from storage.database import Database

    database = Database(url)
    with database.reading() as session:
        found = session.exec(select(func.count()).select_from(Message)).one()
    database.close()
    return found


def _tell(word: str) -> None:
    os.write(1, word.encode() + b"\n")


def main() -> None:
    _tell("imported")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                asyncio.run(_work(**json.loads(line)))
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        _tell(f"pid {pid}")
        _, status = os.waitpid(pid, 0)
        _tell(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
