"""Rooms, gaps, digests, pictures and sign-ins: the small modules, one after another."""

from datetime import date, timedelta

from sqlmodel import select

from storage import attachments, digests, gaps, rooms
from storage.database import Database
from storage.tables import Attachment, Digest, GatewayGap, Room
from tests.storage.rows import NOON, ago, keep, message, ticket

DAY = date(2026, 7, 12)
HOUR = timedelta(hours=1)


def room(database: Database, id: str = "river") -> Room:
    with database.reading() as session:
        found = session.get(Room, ("a", id))
    assert found is not None
    return found


def test_rooms_are_seen(database: Database) -> None:
    with database.transaction() as session:
        rooms.seen(session, [("a", "river", "滨江路网格群", NOON), ("a", "stairs", "", NOON)])
        rooms.seen(session, [("a", "river", "", NOON + HOUR)])
        rooms.seen(session, [])
    found = room(database)
    assert (found.topic, found.first_seen_at, found.last_message_at) == ("滨江路网格群", NOON, NOON + HOUR)
    with database.transaction() as session:
        rooms.changed(session, "a", "river", NOON, present=False)
    assert not room(database).present
    with database.transaction() as session:
        rooms.seen(session, [("a", "river", "新名", NOON)])  # who speaks there is heard: the bot is in it
    assert (room(database).present, room(database).topic) == (True, "新名")


def test_rooms_change(database: Database) -> None:
    with database.transaction() as session:
        rooms.changed(session, "a", "river", NOON, topic="滨江路网格群")
        rooms.seen(session, [("a", "river", "", NOON)])
        rooms.changed(session, "a", "river", NOON + HOUR, present=False)
    found = room(database)
    assert (found.topic, found.present, found.left_at) == ("滨江路网格群", False, NOON + HOUR)
    assert (found.first_seen_at, found.last_message_at) == (NOON, NOON)
    with database.transaction() as session:
        rooms.changed(session, "a", "river", NOON, topic="改名")
    found = room(database)
    assert (found.topic, found.present, found.left_at) == ("改名", True, None)


def test_a_room_by_its_topic(database: Database) -> None:
    with database.transaction() as session:
        rooms.changed(session, "a", "old", NOON, topic="群")
        rooms.changed(session, "a", "new", NOON + HOUR, topic="群")
        rooms.changed(session, "a", "newest", NOON + 2 * HOUR, topic="群")
        rooms.changed(session, "a", "newest", NOON + 2 * HOUR, present=False)
        assert rooms.by_topic(session, "a", "群") == "new"
        assert rooms.by_topic(session, "b", "群") is None
        assert rooms.by_topic(session, "a", "别的") is None


def test_gaps_open_once_and_end(database: Database) -> None:
    with database.transaction() as session:
        gaps.end(session, "local", NOON)
        gaps.begin(session, "local", NOON, "lost")
        gaps.begin(session, "local", NOON + HOUR, "lost again")
        assert gaps.is_open(session, "local")
        assert not gaps.is_open(session, "wechaty")
        gaps.begin(session, "wechaty", NOON, "lost")
        gaps.end(session, "local", NOON + HOUR)
        assert not gaps.is_open(session, "local")
        assert gaps.is_open(session, "wechaty")
    with database.reading() as session:
        found = session.exec(select(GatewayGap).where(GatewayGap.gateway == "local")).one()
    assert (found.began_at, found.ended_at, found.reason) == (NOON, NOON + HOUR, "lost")


def test_a_digest_is_kept_once(database: Database) -> None:
    with database.transaction() as session:
        assert digests.keep(session, "CTM", DAY, "text", NOON)
        assert not digests.keep(session, "CTM", DAY, "another", NOON)
        assert digests.keep(session, "CTM", DAY + timedelta(days=1), "text", NOON)
        assert digests.keep(session, "XYZ", DAY, "text", NOON)
    with database.reading() as session:
        assert session.exec(select(Digest.text)).all() == ["text"] * 3


def test_pictures_are_wanted_kept_or_given_up(database: Database) -> None:
    matter, said = ticket(), [message(external_id=f"p{n}", kind="image") for n in range(4)]
    keep(database, matter, *said)
    keep(
        database,
        *(
            Attachment(message_id=one.id, ticket_id=matter.id, due_at=ago(minutes=n))
            for n, one in enumerate(said)
        ),
    )
    with database.transaction() as session:
        assert [one.external_id for one in attachments.wanted(session, ago(minutes=1))] == ["p3", "p2", "p1"]
        attachments.kept(session, said[3].id, "p3.jpg", 10)
        attachments.failed(session, said[2].id, "gone", None)
        attachments.failed(session, said[1].id, "busy", NOON)
    with database.reading() as session:
        assert [one.external_id for one in attachments.wanted(session, ago(seconds=1))] == []
        assert {one.attempts for one in attachments.wanted(session, NOON)} == {0, 1}
        kept, given_up = session.get(Attachment, said[3].id), session.get(Attachment, said[2].id)
    assert kept is not None
    assert (kept.state, kept.path, kept.size) == ("kept", "p3.jpg", 10)
    assert given_up is not None
    assert (given_up.state, given_up.error, given_up.attempts) == ("failed", "gone", 1)
