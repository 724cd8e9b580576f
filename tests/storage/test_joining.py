"""Codes: their shape, used once, however many type them at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlmodel import select

from storage import joining, people
from storage.database import Database
from storage.tables import Duty, Joining, JoiningMiss, OrgPerson, OrgPost, Reply, ReplyState, Ticket
from tests.storage.rows import NOON, keep, ticket

DAYS = timedelta(days=3)
WINDOW = timedelta(minutes=10)


def make(database: Database, **more: str) -> str:
    with database.transaction() as session:
        what = {"kind": "person", "role": "volunteer", "area": "CTM", "made_by": "board"} | more
        return joining.make(session, NOON, DAYS, **what)


@pytest.mark.parametrize(
    "text",
    ["BD2K-9XYZ", "bd2k9xyz", " ＢＤ２Ｋ－９ＸＹＺ ", "BD2K 9XYZ", "BD2K—9XYZ。", "bd2k_9xyz"],
)
def test_however_it_is_typed(text: str) -> None:
    assert joining.spelt(text) == "BD2K9XYZ"


@pytest.mark.parametrize(
    "text",
    ["", "BD2K-9XY", "BD2K-9XYZZ", "BD2K--9XYZ", "67234589", "feedback", "0000OOOO", "码BD2K9XYZ", "①" * 8],
)
def test_what_is_no_code(text: str) -> None:
    assert joining.spelt(text) == ""


def test_a_code_is_told_apart_from_words_and_kept_as_a_hash(database: Database) -> None:
    codes = {make(database) for _ in range(50)}
    assert len(codes) == 50
    with database.reading() as session:
        kept = session.exec(select(Joining)).all()
    for code in codes:
        assert len(code) == 9 and code[4] == "-"
        assert not set(code) & set("0O1ILAEU")
        assert joining.spelt(code) == code.replace("-", "")
        assert not any(code.replace("-", "") in str(row) or code in str(row) for row in kept)


def test_used_once(database: Database) -> None:
    code = joining.spelt(make(database))
    with database.transaction() as session:
        assert joining.spend(session, code, NOON, "tang")
        assert not joining.spend(session, code, NOON, "zhou")
        assert joining.open_ones(session, NOON) == []
        found = joining.find(session, code)
        assert found is not None
        assert joining.revoke(session, found.id) is None
    with database.reading() as session:
        found = joining.find(session, code)
        assert found is not None
        assert (found.used_by, found.used_at) == ("tang", NOON)


def test_of_many_at_the_same_instant_one_gets_it(database: Database) -> None:
    code, together = joining.spelt(make(database)), Barrier(8)

    def spend(number: int) -> bool:
        together.wait()
        with database.transaction() as session:
            return joining.spend(session, code, NOON, f"p{number}")

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(spend, range(8))) == [False] * 7 + [True]


def test_expired_and_revoked(database: Database) -> None:
    old, revoked = joining.spelt(make(database)), joining.spelt(make(database))
    with database.transaction() as session:
        found = joining.find(session, revoked)
        assert found is not None
        assert joining.revoke(session, found.id) is not None
        assert joining.revoke(session, found.id) is None
        assert not joining.spend(session, revoked, NOON, "tang")
        assert [row.code_hash for row in joining.open_ones(session, NOON)] != []
        assert not joining.spend(session, old, NOON + DAYS, "tang")
        assert joining.open_ones(session, NOON + DAYS) == []
    with database.transaction() as session:
        joining.make(session, NOON + timedelta(days=60), DAYS, kind="person", made_by="board")
        assert joining.find(session, old) is None


def test_guessing_is_barred_until_the_window_has_passed_since_the_last_miss(database: Database) -> None:
    with database.transaction() as session:
        for minute in range(4):
            assert joining.barred_until(session, "a", "tang", NOON, WINDOW, 3) is None
            joining.miss(session, "a", "tang", NOON + timedelta(minutes=minute))
        now, until = NOON + timedelta(minutes=4), NOON + timedelta(minutes=13)
        assert joining.barred_until(session, "a", "tang", now, WINDOW, 3) == until
        assert joining.barred_until(session, "a", "zhou", now, WINDOW, 3) is None
        assert joining.barred_until(session, "b", "tang", now, WINDOW, 3) is None
        assert joining.barred_until(session, "a", None, now, WINDOW, 3) == until
        assert joining.barred_until(session, "a", "tang", until, WINDOW, 3) is None
        joining.miss(session, "a", "tang", NOON + timedelta(days=2))
        assert len(session.exec(select(JoiningMiss)).all()) == 1


def test_what_a_made_up_person_had_goes_with_him(database: Database) -> None:
    keep(
        database,
        OrgPerson(id="made-1", name="刘网格长"),
        OrgPost(person_id="made-1", role="grid_owner", area="CTM"),
    )
    keep(database, ticket(owner="made-1"), ticket(handler="made-1"), ticket(owner="zhou", handler="he"))
    keep(database, Duty(person_id="made-1", area="CTM", since=NOON, until=NOON + DAYS))
    keep(
        database,
        *(
            Reply(
                key=f"k{state}",
                account="a",
                person="made-1",
                text="x",
                state=state,
                created_at=NOON,
                due_at=NOON,
            )
            for state in (ReplyState.WAITING, ReplyState.SENT)
        ),
    )
    with database.transaction() as session:
        people.take_place(session, "made-1", "wx-liu")
    with database.reading() as session:
        assert session.exec(select(OrgPerson)).all() == []
        assert session.exec(select(OrgPost)).all() == []
        found = session.exec(select(Ticket).order_by(Ticket.running)).all()  # type: ignore[arg-type]
        assert [(row.owner, row.handler) for row in found] == [
            ("wx-liu", None),
            (None, "wx-liu"),
            ("zhou", "he"),
        ]
        assert session.exec(select(Duty.person_id)).all() == ["wx-liu"]
        said = {row.key: row.person for row in session.exec(select(Reply))}
        assert said == {"kwaiting": "wx-liu", "ksent": "made-1"}
