"""Links and sessions, on both databases."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from storage import signin
from storage.database import Database
from storage.tables import SignIn, WebSession
from tests.storage.rows import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


def test_a_link_is_spent_once_and_in_time(session: Session) -> None:
    token, late = (signin.make_link_token(session, NOON, HOUR) for _ in range(2))
    assert signin.use_token(session, "guess", NOON) is None
    assert signin.use_token(session, token, NOON) == ""
    assert signin.use_token(session, token, NOON) is None
    assert signin.use_token(session, late, NOON + HOUR) is None
    assert signin.use_token(session, "\ud800", NOON) is None


def test_to_look_at_a_link_does_not_spend_it(session: Session) -> None:
    token = signin.make_link_token(session, NOON, HOUR, "zhou")
    assert [signin.whose_token(session, token, NOON) for _ in range(3)] == ["zhou"] * 3
    assert signin.whose_token(session, token, NOON + HOUR) is None
    assert signin.whose_token(session, "guess", NOON) is None
    assert signin.use_token(session, token, NOON) == "zhou"
    assert signin.whose_token(session, token, NOON) is None


def test_a_persons_new_link_takes_the_place_of_the_one_before(session: Session) -> None:
    operators, others = (signin.make_link_token(session, NOON, HOUR, whose) for whose in ("", "fan"))
    first, second = (signin.make_link_token(session, NOON, HOUR, "zhou") for _ in range(2))
    signin.make_link_token(session, NOON, HOUR)
    assert signin.use_token(session, first, NOON) is None
    assert [signin.use_token(session, token, NOON) for token in (second, operators, others)] == [
        "zhou",
        "",
        "fan",
    ]


def test_a_session_lasts_as_long_as_it_is_used_but_not_for_ever(session: Session) -> None:
    cookie = signin.make_session(session, NOON, DAY, 3 * DAY, person="zhou", browser="微信", secure=True)
    row = signin.session_of(session, cookie, NOON)
    assert row is not None
    assert (row.person, row.browser, row.secure) == ("zhou", "微信", True)
    assert signin.session_of(session, "guess", NOON) is None
    assert signin.session_of(session, cookie, NOON + DAY) is None
    assert signin.renew(session, row, NOON + 20 * HOUR, DAY) == NOON + 20 * HOUR + DAY
    session.expire_all()
    row = signin.session_of(session, cookie, NOON + DAY)
    assert row is not None and row.used_at == NOON + 20 * HOUR
    assert signin.renew(session, row, NOON + 60 * HOUR, DAY) == NOON + 3 * DAY
    session.expire_all()
    assert signin.session_of(session, cookie, NOON + 3 * DAY) is None


def test_a_lifetime_longer_than_the_longest_is_cut(session: Session) -> None:
    cookie = signin.make_session(session, NOON, 30 * DAY, DAY)
    assert signin.session_of(session, cookie, NOON + DAY) is None


def test_sessions_are_listed_and_ended_by_name(session: Session) -> None:
    mine, other = (signin.make_session(session, NOON, DAY, DAY, person=whose) for whose in ("zhou", "fan"))
    operators = signin.make_session(session, NOON + HOUR, DAY, DAY)
    assert signin.sessions(session, NOON)[0].person == ""
    [row] = signin.sessions(session, NOON, "zhou")
    assert [found.person for found in signin.sessions(session, NOON, "")] == [""]
    assert signin.sessions(session, NOON + 2 * DAY) == []
    assert signin.end_named(session, signin.name_of(row), "fan") is None
    assert signin.end_named(session, "%", "zhou") is None
    assert signin.end_named(session, signin.name_of(row)[:4], "zhou") is None
    assert signin.end_named(session, signin.name_of(row), "zhou") == "zhou"
    assert signin.session_of(session, mine, NOON) is None
    assert signin.end_session(session, other) == "fan"
    assert signin.end_session(session, other) is None
    assert signin.session_of(session, operators, NOON) is not None


def test_a_person_can_be_shut_out_whole(session: Session) -> None:
    cookies = [signin.make_session(session, NOON, DAY, DAY, person="zhou") for _ in range(2)]
    token = signin.make_link_token(session, NOON, HOUR, "zhou")
    assert signin.end_all_of(session, "zhou") == 2
    assert signin.end_all_of(session, "zhou") == 0
    assert [signin.session_of(session, cookie, NOON) for cookie in cookies] == [None, None]
    assert signin.use_token(session, token, NOON) is None


def test_only_hashes_are_kept_and_what_is_over_goes(session: Session) -> None:
    token, cookie = signin.make_link_token(session, NOON, HOUR), signin.make_session(session, NOON, DAY, DAY)
    kept = [row.token_hash for row in session.exec(select(SignIn))]
    kept += [row.token_hash for row in session.exec(select(WebSession))]
    assert token not in kept and cookie not in kept
    assert [len(row) for row in kept] == [64, 64]
    signin.make_link_token(session, NOON + 2 * HOUR, HOUR)
    signin.make_session(session, NOON + 2 * DAY, DAY, DAY)
    assert len(session.exec(select(SignIn)).all()) == 1
    assert len(session.exec(select(WebSession)).all()) == 1
