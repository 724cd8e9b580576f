from datetime import timedelta

import pytest

from storage import replies
from storage.database import Database
from storage.tables import Reply
from tests.storage.rows import NOON, ago, keep, message, reply, ticket

LEASE = timedelta(minutes=2)


def row(database: Database, id: int) -> Reply:
    with database.reading() as session:
        found = session.get(Reply, id)
    assert found is not None
    return found


def test_due_ones_urgent_first_then_in_order(database: Database) -> None:
    usual, later, danger = reply(), reply(), reply(urgency=3, room="stairs")
    other = (
        reply(account="b"), reply(due_at=NOON + LEASE), reply(state="sent"), reply(state="failed"),
        reply(state="sending"), reply(state="dropped"),
    )  # fmt: skip
    keep(database, usual, later, danger, *other)
    with database.reading() as session:
        assert [found.id for found in replies.due(session, "a", NOON)] == [danger.id, usual.id, later.id]
        assert [found.id for found in replies.due(session, "a", NOON, limit=1)] == [danger.id]


def test_who_rests_hears_only_what_is_urgent(database: Database) -> None:
    river, urgent = reply(room="river"), reply(room="river", urgency=3)
    tang, peng = reply(room="", person="tang"), reply(room="", person="peng")
    keep(database, river, urgent, tang, peng)
    with database.reading() as session:
        found = replies.due(session, "a", NOON, resting=["river", "tang"])
        assert [one.id for one in found] == [urgent.id, peng.id]
        assert [one.id for one in replies.due(session, "a", NOON, urgent_only=True)] == [urgent.id]


def test_all_are_claimed_or_none(database: Database) -> None:
    one, two, said = reply(), reply(), reply(state="sent")
    keep(database, one, two, said)
    with database.transaction() as session:
        assert not replies.claim(session, [one.id, said.id], NOON, LEASE)
        assert replies.claim(session, [one.id, two.id], NOON, LEASE)
    with database.transaction() as session:
        assert not replies.claim(session, [two.id], NOON, LEASE)
    found = row(database, one.id)
    assert (found.state, found.attempts, found.sent_at, found.due_at) == ("sending", 1, NOON, NOON + LEASE)


def test_what_a_send_comes_to(database: Database) -> None:
    sent, back, given_up, doubtful = (reply(state="sending", sent_at=NOON, error="x") for _ in range(4))
    keep(database, sent, back, given_up, doubtful)
    with database.transaction() as session:
        replies.mark_sent(session, [sent.id], "bot-1", NOON)
        replies.put_back(session, [back.id], NOON + LEASE, "busy")
        replies.give_up(session, [given_up.id], "no such room")
        replies.leave_uncertain(session, [doubtful.id], NOON + LEASE, "deadline")
    found = [row(database, one.id) for one in (sent, back, given_up, doubtful)]
    assert [(one.state, one.error) for one in found] == [
        ("sent", None), ("waiting", "busy"), ("failed", "no such room"), ("sending", "deadline"),
    ]  # fmt: skip
    assert (found[0].external_id, found[1].due_at, found[3].due_at) == ("bot-1", NOON + LEASE, NOON + LEASE)


def test_the_uncertain_whose_time_has_come(database: Database) -> None:
    now, later = reply(state="sending"), reply(state="sending", due_at=NOON + LEASE)
    keep(database, now, later, reply(), reply(state="sending", account="b"))
    with database.transaction() as session:
        assert replies.any_sending(session, "a", NOON)
        assert not replies.any_sending(session, "a", ago(seconds=1))
        assert [one.id for one in replies.uncertain(session, "a", NOON)] == [now.id]


@pytest.mark.parametrize(
    ("state", "retried", "dropped"),
    [
        ("waiting", False, True),
        ("sending", False, False),
        ("sent", False, False),
        ("failed", True, True),
        ("dropped", False, False),
    ],
)
def test_what_a_person_may_decide(database: Database, state: str, retried: bool, dropped: bool) -> None:
    one, two = reply(state=state, attempts=8, error="x"), reply(state=state)
    keep(database, one, two)
    with database.transaction() as session:
        assert replies.retry(session, one.id, NOON + LEASE) == retried
        assert replies.drop(session, two.id) == dropped
        assert not replies.retry(session, 1, NOON)
        assert not replies.drop(session, 1)
    if retried:
        found = row(database, one.id)
        assert (found.state, found.attempts, found.error, found.due_at) == ("waiting", 0, None, NOON + LEASE)


def test_how_many_answers_somebody_drew(database: Database) -> None:
    own, other = message(), message(sender="peng")
    keep(database, own, other)
    keep(
        database, reply(message_id=own.id), reply(message_id=own.id, created_at=ago(hours=1)),
        reply(message_id=other.id), reply(),
    )  # fmt: skip
    with database.reading() as session:
        assert replies.count_to(session, "a", "river", "tang", ago(minutes=10)) == 1
        assert replies.count_to(session, "a", "river", "tang", ago(hours=2)) == 2
        assert replies.count_to(session, "b", "river", "tang", ago(hours=2)) == 0


def test_whether_it_was_said_lately(database: Database) -> None:
    matter = ticket()
    keep(database, matter, reply(ticket_id=matter.id, key="m1:joined:river"))
    with database.reading() as session:
        assert replies.said_lately(session, matter.id, "river", ":joined", NOON)
        assert not replies.said_lately(session, matter.id, "river", ":joined", NOON + LEASE)
        assert not replies.said_lately(session, matter.id, "stairs", ":joined", NOON)
        assert not replies.said_lately(session, matter.id, "river", "%", NOON)
