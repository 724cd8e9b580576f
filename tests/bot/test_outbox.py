"""What was committed is said: in turn, in peace, once, and given up aloud; the same on both databases."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import count

import pytest
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot.gateways.base import Connection, Mention, SendFailed, SendUncertain
from bot.outbox import Outbox
from bot.settings import OutboxSettings
from handlers.vault import Unreadable
from storage import messages, replies
from storage.database import Database
from storage.ids import new_id
from storage.tables import Reply, ReplyState
from tests.support.databases import PostgresServer
from tests.support.gateway import MemoryGateway
from tests.support.street import MovingClock
from tests.support.waiting import cancelled, until

ALONE = OutboxSettings(longest_text=100)  # a text of 60 characters does not go together with another


class Post:
    """An outbox with its network and a clock moved by hand."""

    def __init__(self, database: Database, settings: OutboxSettings | None = None) -> None:
        self.database = database
        self.settings = settings or OutboxSettings()
        self.clock = MovingClock()
        self.gateway = MemoryGateway()
        self.keys = count(1)
        self.restart()

    def restart(self) -> None:
        """Another process in this one's place."""
        self.told: list[Sequence[Reply]] = []
        self.outbox = Outbox(
            self.database, self.gateway, self.clock, self.settings, self._tell, self._unsealed
        )

    def _unsealed(self, sealed: bytes) -> str:
        if not sealed.startswith(b"sealed "):
            raise Unreadable
        return sealed.decode().removeprefix("sealed ")

    async def _tell(self, bundle: Sequence[Reply]) -> None:
        self.told.append(bundle)

    def put(self, text: str, room: str = "river", **more: object) -> int:
        now = self.clock()
        values = {"account": "local", "created_at": now, "due_at": now, "key": f"k{next(self.keys)}"}
        reply = Reply(text=text, room=room, **(values | more))
        with self.database.transaction() as session:
            session.add(reply)
        return reply.id

    def own(self, text: str, room: str = "river", id: str = "own-1") -> None:
        """The network shows a message of the account's own."""
        row = {
            "id": new_id(), "account": "local", "external_id": id, "room": room, "room_topic": "",
            "sender": "local", "sender_name": "", "kind": "text", "text": text, "mentions": [],
            "quoted_id": None, "quoted_text": None, "sent_at": self.clock(), "received_at": self.clock(),
        }  # fmt: skip
        with self.database.transaction() as session:
            messages.store(session, [row])

    async def work(self) -> list[str]:
        """Says all that may be said now; the texts."""
        before = len(self.gateway.said)
        while await self.outbox.step():
            pass
        return self.gateway.texts[before:]

    def rows(self) -> list[Reply]:
        with self.database.reading() as session:
            return list(session.exec(select(Reply).order_by(col(Reply.id))))

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)


@pytest.fixture
def alone(database: Database) -> Post:
    return Post(database, ALONE)


def long(name: str) -> str:
    return name + "。" * 60


async def test_a_reply_is_said_and_noted(post: Post) -> None:
    post.put("CTM0713-001 已上报", mentions=[{"id": "zhou", "name": "周网格长"}])
    assert await post.work() == ["CTM0713-001 已上报"]
    [outgoing] = post.gateway.said
    assert (outgoing.room, outgoing.person) == ("river", "")
    assert outgoing.mentions == (Mention("zhou", "周网格长"),)
    [row] = post.rows()
    assert (row.state, row.external_id, row.sent_at) == ("sent", "sent-1", post.clock())
    assert (row.attempts, row.error) == (1, None)
    assert [[reply.id for reply in bundle] for bundle in post.told] == [[row.id]]
    assert await post.work() == []


async def test_a_network_without_ids(post: Post) -> None:
    post.gateway.answers = [None]
    post.put("x")
    await post.work()
    assert (post.rows()[0].state, post.rows()[0].external_id) == ("sent", None)


async def test_in_private(post: Post) -> None:
    post.put("x", room="", person="peng")
    await post.work()
    assert (post.gateway.said[0].room, post.gateway.said[0].person) == ("", "peng")


async def test_urgent_goes_first_and_does_not_wait(alone: Post) -> None:
    alone.put(long("first"))
    assert await alone.work() == [long("first")]
    alone.put(long("usual"))
    alone.put(long("urgent 2"), urgency=2)
    alone.put(long("danger"), urgency=3)
    alone.put(long("danger elsewhere"), room="stairs", urgency=3)
    assert await alone.work() == [long("danger"), long("danger elsewhere")]
    alone.clock.move(seconds=3)
    assert await alone.work() == [long("urgent 2")]
    alone.clock.move(seconds=3)
    assert await alone.work() == [long("usual")]


async def test_each_group_is_left_in_peace_for_a_while(alone: Post) -> None:
    alone.put(long("1"))
    alone.put(long("2"))
    assert await alone.work() == [long("1")]
    alone.clock.move(seconds=2.9)
    assert await alone.work() == []
    alone.clock.move(seconds=0.1)
    assert await alone.work() == [long("2")]


async def test_the_account_does_not_rush(post: Post) -> None:
    for room in ("river", "stairs", "homestay"):
        post.put(room, room=room)
    post.put("peng", room="", person="peng")
    said = []
    for _ in range(4):
        said += await post.work()
        assert await post.work() == []
        post.clock.move(seconds=1)
    assert said == ["river", "stairs", "homestay", "peng"]


async def test_a_group_with_much_to_hear_does_not_hold_up_others(alone: Post) -> None:
    for number in range(250):
        alone.put(long(str(number)))
    alone.put("elsewhere", room="stairs")
    assert await alone.work() == [long("0")]
    alone.clock.move(seconds=1)
    assert await alone.work() == ["elsewhere"]


async def test_several_to_one_group_go_as_one_message(post: Post) -> None:
    post.put("one", mentions=[{"id": "zhou", "name": "周"}])
    post.put("elsewhere", room="stairs")
    post.put("two", mentions=[{"id": "deng", "name": "邓"}, {"id": "zhou", "name": "周"}])
    assert await post.work() == ["one\ntwo"]
    assert post.gateway.said[0].mentions == (Mention("zhou", "周"), Mention("deng", "邓"))
    first, _, second = post.rows()
    assert (first.state, second.state) == ("sent", "sent")
    assert first.external_id == second.external_id == "sent-1"


async def test_a_message_does_not_grow_beyond_its_limit(post: Post) -> None:
    for number in range(5):
        post.put(f"{number}" * 600)
    assert await post.work() == ["0" * 600 + "\n" + "1" * 600]


async def test_the_urgent_takes_only_the_urgent_along(post: Post) -> None:
    post.put("usual")
    post.put("danger 1", urgency=3)
    post.put("danger 2", urgency=3)
    assert await post.work() == ["danger 1\ndanger 2"]


async def test_a_failed_reply_is_tried_again_later_and_later(post: Post) -> None:
    post.gateway.answers = [SendFailed("busy")] * 4
    post.put("x")
    waits = []
    for _ in range(4):
        assert await post.work() == []
        [row] = post.rows()
        assert (row.state, row.error) == ("waiting", "busy")
        waits.append((row.due_at - post.clock()).total_seconds())
        post.clock.move(seconds=waits[-1] - 0.1)
        assert await post.work() == []
        post.clock.move(seconds=0.1)
    assert waits == [5, 10, 20, 40]
    assert await post.work() == ["x"]
    [row] = post.rows()
    assert (row.state, row.attempts, row.error) == ("sent", 5, None)


async def test_given_up_aloud_after_so_many_tries_and_tried_again_when_asked(database: Database) -> None:
    post = Post(database, OutboxSettings(attempts=3))
    post.gateway.answers = [SendFailed("busy")] * 3
    post.put("x")
    with capture_logs() as logs:
        for _ in range(5):
            await post.work()
            post.clock.move(hours=1)
    [row] = post.rows()
    assert (row.state, row.attempts, row.error) == ("failed", 3, "busy")
    assert [line["event"] for line in logs] == ["send_failed", "send_failed", "reply_given_up"]
    with database.transaction() as session:
        assert replies.retry(session, row.id, post.clock())
    assert await post.work() == ["x"]


async def test_the_wait_is_at_most_an_hour(database: Database) -> None:
    post = Post(database, OutboxSettings(attempts=100, backoff_seconds=3600))
    post.gateway.answers = [SendFailed("busy")] * 40
    post.put("x")
    for _ in range(40):
        await post.work()
        assert post.rows()[0].due_at - post.clock() == timedelta(hours=1)
        post.clock.move(hours=1)


async def test_what_cannot_be_said_at_all_is_given_up_at_once(post: Post) -> None:
    post.gateway.answers = [SendFailed("no such room", final=True)]
    post.put("x")
    post.put("y", room="stairs")
    await post.work()
    post.clock.move(seconds=1)
    assert await post.work() == ["y"]
    assert [(row.state, row.error) for row in post.rows()] == [("failed", "no such room"), ("sent", None)]


async def test_a_failure_does_not_hold_up_others(post: Post) -> None:
    post.gateway.answers = [SendFailed("busy")]
    post.put("x")
    post.put("y", room="stairs")
    await post.work()
    post.clock.move(seconds=1)
    assert await post.work() == ["y"]


async def test_in_doubt_and_seen_among_the_own_messages_it_is_not_repeated(post: Post) -> None:
    post.gateway.answers = [SendUncertain("deadline")]
    post.put("@周网格长 请看")
    post.put("第二条")
    await post.work()
    assert post.states() == ["sending", "sending"]
    post.clock.move(seconds=2)
    post.own("@周网格长\u2005请看\n第二条")
    assert await post.work() == []
    post.clock.move(seconds=3)
    assert await post.work() == []
    assert [(row.state, row.external_id) for row in post.rows()] == [("sent", "own-1")] * 2
    assert len(post.gateway.said) == 1


async def test_in_doubt_and_not_seen_it_is_said_again(post: Post) -> None:
    post.gateway.answers = [SendUncertain("deadline")]
    post.put("x")
    assert await post.work() == ["x"]
    post.clock.move(seconds=4.9)
    assert await post.work() == []
    post.clock.move(seconds=0.1)
    with capture_logs() as logs:
        assert await post.work() == ["x"]
    assert [line["event"] for line in logs] == ["reply_said_again"]
    assert post.states() == ["sent"]


async def test_always_in_doubt_it_is_given_up(database: Database) -> None:
    post = Post(database, OutboxSettings(attempts=3))
    post.gateway.answers = [SendUncertain("deadline")] * 10
    post.put("x")
    with capture_logs():
        for _ in range(100):
            await post.work()
            post.clock.move(seconds=5)
    assert post.gateway.texts == ["x"] * 3
    [row] = post.rows()
    assert (row.state, row.error) == ("failed", "deadline")


async def test_what_another_reply_was_said_as_is_no_proof(post: Post) -> None:
    """The same words were said a moment before, and come back late."""
    post.put("收到")
    assert await post.work() == ["收到"]
    post.clock.move(seconds=3)
    post.gateway.answers = [SendUncertain("deadline")]
    post.put("收到")
    await post.work()
    post.own("收到", id="sent-1")
    post.clock.move(seconds=5)
    with capture_logs():
        assert await post.work() == ["收到"]


@pytest.mark.parametrize(
    ("room", "text"), [("stairs", "x"), ("river", "y")], ids=["another room", "another text"]
)
async def test_other_own_messages_are_no_proof(post: Post, room: str, text: str) -> None:
    post.gateway.answers = [SendUncertain("deadline")]
    post.put("x")
    await post.work()
    post.own(text, room)
    post.clock.move(seconds=5)
    with capture_logs():
        assert await post.work() == ["x"]


async def test_own_messages_from_before_are_no_proof(post: Post) -> None:
    post.own("x")
    post.clock.move(minutes=1)
    post.gateway.answers = [SendUncertain("deadline")]
    post.put("x")
    await post.work()
    post.clock.move(seconds=5)
    with capture_logs():
        assert await post.work() == ["x"]


async def test_after_a_crash_what_was_under_way_is_said_at_once(post: Post) -> None:
    post.put("one")
    post.put("two")
    post.put("three", room="stairs")
    assert len(post.outbox._next(post.clock())) == 2  # and then the process was killed
    assert post.states() == ["sending", "sending", "waiting"]
    post.restart()
    with capture_logs():
        assert await post.work() == ["one\ntwo"]
    post.clock.move(seconds=1)
    assert await post.work() == ["three"]


async def test_after_a_crash_what_is_seen_to_have_been_said_is_not_repeated(post: Post) -> None:
    post.put("one")
    post.outbox._next(post.clock())
    post.own("one")
    post.restart()
    assert await post.work() == []
    assert post.states() == ["sent"]


async def test_what_another_process_claimed_is_left_to_it(post: Post) -> None:
    await post.work()
    other = Outbox(post.database, post.gateway, post.clock, post.settings)
    post.put("x")
    assert len(other._next(post.clock())) == 1
    assert await post.work() == []
    post.clock.move(minutes=2)  # it has not noted for so long what became of it
    with capture_logs():
        assert await post.work() == ["x"]


async def test_two_at_once_say_each_reply_once(database_url: str) -> None:
    posts = [Post(Database(database_url), OutboxSettings(group_seconds=0, account_seconds=0)) for _ in "ab"]
    for post in posts:
        await post.work()
    for number in range(60):
        posts[0].put(str(number), room=f"room {number}")
    while "waiting" in posts[0].states():
        await asyncio.gather(*(post.work() for post in posts))
    said = [text for post in posts for text in post.gateway.texts]
    assert sorted(said, key=int) == [str(number) for number in range(60)]
    for post in posts:
        post.database.close()


async def test_other_accounts_replies_are_left_alone(post: Post) -> None:
    post.put("x", account="other")
    assert await post.work() == []


async def test_what_is_not_due_yet_waits(post: Post) -> None:
    post.put("later", due_at=post.clock() + timedelta(minutes=1))
    assert await post.work() == []
    post.clock.move(minutes=1)
    assert await post.work() == ["later"]


async def test_nothing_is_said_while_not_logged_in(post: Post) -> None:
    post.gateway.status.connection = Connection.LOST
    post.put("x")
    working = asyncio.create_task(post.outbox.run())
    post.outbox.wake()
    await asyncio.sleep(0.1)
    assert post.gateway.said == []
    post.gateway.status.connection = Connection.LOGGED_IN
    post.outbox.wake()
    await until(lambda: post.states() == ["sent"])
    post.gateway.status.connection = Connection.LOST
    post.put("y")
    post.outbox.wake()
    await asyncio.sleep(0.1)
    await cancelled(working)
    assert post.gateway.texts == ["x"]


async def test_a_wake_up_is_followed_at_once(post: Post) -> None:
    working = asyncio.create_task(post.outbox.run())
    await asyncio.sleep(0.2)
    waits = []
    for number in range(5):
        post.put(str(number), urgency=3)
        began = time.perf_counter()
        post.outbox.wake()
        await until(lambda: len(post.gateway.said) == number + 1)  # noqa: B023
        waits.append(time.perf_counter() - began)
    await cancelled(working)
    assert min(waits) < 0.1


async def test_without_a_wake_up_it_looks_by_itself(post: Post) -> None:
    working = asyncio.create_task(post.outbox.run())
    await asyncio.sleep(0.05)
    post.put("x")
    await until(lambda: post.gateway.said)
    await cancelled(working)


async def test_at_the_end_what_is_being_said_is_noted(post: Post) -> None:
    post.gateway.gate = asyncio.Event()
    post.put("x")
    working = asyncio.create_task(post.outbox.run())
    await until(lambda: post.states() == ["sending"])
    working.cancel()
    await asyncio.sleep(0.05)
    post.gateway.gate.set()
    await asyncio.wait({working})
    assert post.states() == ["sent"]


async def test_a_wake_up_at_the_very_end_does_not_keep_it_going(post: Post) -> None:
    working = asyncio.create_task(post.outbox.run())
    await asyncio.sleep(0.1)
    post.outbox.wake()
    working.cancel()
    await asyncio.wait({working}, timeout=5)
    assert working.cancelled()


async def test_a_locked_database_is_waited_for(sqlite_url: str) -> None:
    post = Post(Database(sqlite_url, busy_seconds=0.01))
    post.gateway.gate = asyncio.Event()
    post.put("x")
    working = asyncio.create_task(post.outbox.run())
    await until(lambda: post.states() == ["sending"])
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with capture_logs():
        post.gateway.gate.set()
        await until(lambda: post.outbox.trouble == "database is locked")
        other.execute("ROLLBACK")
        await until(lambda: post.states() == ["sent"])
    await until(lambda: post.outbox.trouble == "")
    await cancelled(working)
    assert post.gateway.texts == ["x"]
    other.close()
    post.database.close()


async def test_postgresql_restarting_is_waited_for(postgres: PostgresServer, postgres_url: str) -> None:
    post = Post(Database(postgres_url), OutboxSettings(group_seconds=0, account_seconds=0, longest_text=100))
    working = asyncio.create_task(post.outbox.run())
    with capture_logs():
        for number in range(40):
            post.put(long(str(number)))
        for _ in range(10):
            await asyncio.to_thread(postgres.break_connections, postgres_url)
            post.outbox.wake()
            await asyncio.sleep(0.05)
        await until(lambda: len(post.gateway.said) >= 40)
        await cancelled(working)
    assert post.gateway.texts == [long(str(number)) for number in range(40)]
    assert set(post.states()) == {ReplyState.SENT}
    post.database.close()


async def test_what_is_sealed_is_said_alone_and_stays_sealed(database: Database) -> None:
    post = Post(database)
    private = {"room": "", "person": "zhou"}
    post.put("plain", **private)
    post.put("-", sealed="sealed 甲乙".encode(), **private)
    post.put("another", **private)
    post.clock.move(seconds=10)
    assert sorted(await post.work()) == ["plain\nanother"]
    post.clock.move(seconds=10)
    assert await post.work() == ["甲乙"]
    assert [row.text for row in post.rows()] == ["plain", "-", "another"]


async def test_what_cannot_be_unsealed_is_given_up_aloud(database: Database) -> None:
    post = Post(database)
    post.put("-", room="", person="zhou", sealed=b"of another key")
    with capture_logs() as logs:
        assert await post.work() == []
    assert post.states() == [ReplyState.FAILED]
    assert "GRIDBOT_CARE__KEY" in (post.rows()[0].error or "")
    assert [line["event"] for line in logs] == ["reply_given_up"]


async def test_a_sealed_message_is_found_among_the_own_ones(database: Database) -> None:
    post = Post(database)
    post.put("-", room="", person="zhou", sealed="sealed 甲乙".encode())
    post.gateway.answers = [SendUncertain("deadline")]
    with capture_logs():
        await post.work()
        post.own("甲乙", room="")
        post.clock.move(seconds=10)
        assert await post.work() == []
    assert post.states() == [ReplyState.SENT]
