"""Orders: the database decides who was first."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import offers
from storage.database import Database
from storage.tables import Offer
from tests.storage.rows import NOON, keep, ticket


def _offer(ticket_id: int) -> Offer:
    return Offer(
        ticket_id=ticket_id,
        account="a",
        room="red",
        topic="小红伞群",
        made_by="zhou",
        made_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
    )


def test_of_many_in_the_same_second_exactly_one_wins(database_url: str) -> None:
    matter = ticket(state="accepted")
    order = _offer(matter.id)
    first = Database(database_url)
    keep(first, matter, order)
    first.close()
    start, won = threading.Barrier(4), []

    def claim(name: str) -> None:
        database = Database(database_url)  # as another process would
        start.wait()
        with database.transaction() as session:
            if offers.take(session, order.id, name, name, NOON):
                won.append(name)
        database.close()

    threads = [threading.Thread(target=claim, args=(name,)) for name in "甲乙丙丁"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    database = Database(database_url)
    with database.reading() as session:
        last = offers.last_of(session, matter.id)
        assert last is not None
        assert (last.state, last.taken_by) == ("taken", won[0])
    database.close()


def test_a_ticket_has_one_open_order(database: Database) -> None:
    matter = ticket(state="accepted")
    keep(database, matter, _offer(matter.id))
    with pytest.raises(IntegrityError):
        keep(database, _offer(matter.id))
    with database.transaction() as session:
        assert offers.end(session, matter.id, "withdrawn")
        assert not offers.end(session, matter.id, "expired")
    keep(database, _offer(matter.id))


def test_what_is_over_is_not_taken(database: Database) -> None:
    matter = ticket(state="accepted")
    order = _offer(matter.id)
    keep(database, matter, order)
    with database.transaction() as session:
        offers.end(session, matter.id, "expired")
        assert not offers.take(session, order.id, "he", "何志愿", NOON)
        assert not offers.give_back(session, order.id)


def test_due_ones_only(database: Database) -> None:
    early, late, taken = ticket(state="accepted"), ticket(state="accepted"), ticket(state="dispatched")
    order = _offer(taken.id)
    later = _offer(late.id)
    later.expires_at = NOON + timedelta(hours=2)
    keep(database, early, late, taken, _offer(early.id), later, order)
    with database.transaction() as session:
        offers.take(session, order.id, "he", "何志愿", NOON)
        found = offers.due(session, NOON + timedelta(hours=1), 10)
        assert [one.id for one in found] == [early.id]
