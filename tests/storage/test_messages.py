from datetime import timedelta
from typing import Any

from sqlmodel import select

from storage import messages
from storage.database import Database
from storage.ids import new_id
from storage.messages import Handling
from storage.tables import Message
from tests.storage.rows import NOON, ago, keep, message, reply, ticket


def raw(**more: Any) -> dict[str, Any]:
    row = message(**more).model_dump()
    unset = (
        "handled_at",
        "outcome",
        "label",
        "urgency",
        "confidence",
        "place",
        "evidence",
        "ticket_id",
        "reference",
    )
    return {name: value for name, value in row.items() if name not in unset}


def handling(id: int, **more: Any) -> Handling:
    values = {
        "outcome": "none", "label": "none", "urgency": 0, "confidence": 1.0, "place": "", "evidence": [],
        "ticket_id": None,
    }  # fmt: skip
    return Handling(id=id, **(values | more))


def stored(database: Database) -> list[Message]:
    with database.reading() as session:
        return list(session.exec(select(Message).order_by(Message.id)))  # type: ignore[arg-type]


def test_what_is_there_already_is_left_as_it_is(database: Database) -> None:
    with database.transaction() as session:
        messages.store(session, [raw(external_id="1", text="first")])
    with database.transaction() as session:
        messages.store(session, [raw(external_id="1", text="again"), raw(external_id="2", text="second")])
    assert [row.text for row in stored(database)] == ["first", "second"]


def test_only_what_is_stored_and_unhandled_is_claimed(database: Database) -> None:
    new, done = message(), message(handled_at=NOON)
    keep(database, new, done)
    with database.transaction() as session:
        assert messages.claim(session, [new.id, done.id, new_id()]) == {new.id}


def test_one_process_claims_what_another_holds(postgres_url: str) -> None:
    first, second = Database(postgres_url), Database(postgres_url)
    one, two = message(), message()
    keep(first, one, two)
    with first.transaction() as holding:
        assert messages.claim(holding, [one.id]) == {one.id}
        with second.transaction() as session:
            assert messages.claim(session, [one.id, two.id]) == {two.id}
    first.close()
    second.close()


def test_what_became_of_them_is_noted_in_one_statement(database: Database) -> None:
    opened, given = ticket(), ticket()
    keep(database, opened, given)
    one, two, picture = message(), message(), message(ticket_id=given.id)
    keep(database, one, two, picture)
    with database.transaction() as session:
        messages.mark_handled(
            session,
            [
                handling(one.id, outcome="opened", label="flood", urgency=2, place="江岸大厦", evidence=["x"],
                         ticket_id=opened.id),
                handling(two.id, outcome="failed", reference="E123456"),
                handling(picture.id),
            ],
            NOON,
        )  # fmt: skip
    first, second, third = stored(database)
    assert (first.outcome, first.urgency, first.place, first.evidence) == ("opened", 2, "江岸大厦", ["x"])
    assert first.ticket_id == opened.id
    assert (second.reference, second.ticket_id, second.handled_at) == ("E123456", None, NOON)
    assert third.ticket_id == given.id  # given to a ticket by a later message of the batch


def test_left_over_in_the_order_they_came(database: Database) -> None:
    rows = [message(received_at=ago(minutes=5 - n)) for n in range(5)]
    rows[1].handled_at = NOON
    keep(database, *reversed(rows))
    with database.reading() as session:
        found = messages.unhandled(session, ago(minutes=2), 0, 10)
        assert [row.id for row in found] == [rows[0].id, rows[2].id, rows[3].id]
        assert [row.id for row in messages.unhandled(session, NOON, rows[2].id, 1)] == [rows[3].id]


def test_last_received(database: Database) -> None:
    with database.reading() as session:
        assert messages.last_received(session) is None
    keep(database, message(received_at=ago(hours=1)), message(), message(received_at=ago(hours=2)))
    with database.reading() as session:
        assert messages.last_received(session) == NOON


def test_own_messages_that_no_reply_is_known_to_be(database: Database) -> None:
    keep(
        database,
        message(sender="a", external_id="1", text="known"),
        message(sender="a", external_id="2", text="mine"),
        message(sender="a", external_id="3", text="elsewhere", room="stairs"),
        message(sender="a", external_id="4", text="before", received_at=ago(seconds=1)),
        message(sender="tang", external_id="5", text="somebody's"),
        reply(external_id="1"),
        reply(external_id="2", account="b"),
    )
    with database.reading() as session:
        assert messages.own_unclaimed(session, "a", "river", NOON) == [("2", "mine")]


def test_any_ticket(database: Database) -> None:
    keep(database, ticket())
    with database.reading() as session:
        assert messages.any_ticket(session, NOON)
        assert not messages.any_ticket(session, NOON - timedelta(seconds=1))
