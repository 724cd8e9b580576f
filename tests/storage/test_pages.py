"""The pages' queries, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage import board, chat, replies
from storage.board import Filter
from storage.tables import Attachment, ReplyState
from tests.web.street import NOON, Street, make_street, message, reply, some_tickets, ticket


@pytest.fixture
def street(tmp_path: Path, database_url: str) -> Street:
    street = make_street(tmp_path, database_url)
    some_tickets(street)
    return street


def numbers(street: Street, wanted: Filter) -> list[int]:
    with street.database.reading() as session:
        found = board.board(session, wanted, NOON, number=1, size=10)
    assert found.tickets.total == len(found.tickets.rows)
    return [row.running for row in found.tickets.rows]


def test_tickets_are_filtered_and_ordered(street: Street) -> None:
    assert numbers(street, Filter()) == [1, 2, 3]
    assert numbers(street, Filter(state="all")) == [1, 2, 3, 4]
    assert numbers(street, Filter(state="closed", label="dispute", urgency=1)) == [4]
    assert numbers(street, Filter(areas=frozenset({"CTM-0201", "CTM-0202"}))) == [2, 3]
    assert numbers(street, Filter(areas=frozenset())) == []
    assert numbers(street, Filter(account="local", room="river", state="all")) == [1]
    assert numbers(street, Filter(overdue=True, state="all")) == [2]


def test_a_story_is_whole_and_pages_are_cut(street: Street) -> None:
    with street.database.reading() as session:
        found = board.story(session, "CTM0712-001")
        assert found is not None
        counted = [len(rows) for rows in (found.messages, found.reports, found.events, found.replies)]
        assert counted == [2, 2, 3, 3]
        assert found.topics == {("local", "river"): "滨江路网格群"}
        assert board.story(session, "CTM0712-999") is None
        page = board.board(session, Filter(), NOON, number=2, size=2)
        assert ([row.running for row in page.tickets.rows], page.tickets.total, page.tickets.last) == (
            [3],
            3,
            2,
        )
        assert page.by_state == {"accepted": 1, "dispatched": 1, "in_progress": 1, "closed": 1}
        assert [room.id for room in board.rooms(session)] == ["river", "stairs", "x9"]
        assert [gap.reason for gap in board.gaps(session, 5)] == ["重启"]


def test_a_number_of_this_and_of_last_year_means_the_newest(street: Street) -> None:
    """Numbers repeat each year; whatever the order in which the database gives the rows."""
    last_year = ticket(1, summary="去年的事", day=NOON.date().replace(year=2025), id=7)
    newest = ticket(1, summary="后来的事", day=NOON.date().replace(year=2027))
    pictures = [message("river", "甲", ""), message("river", "乙", "")]
    street.keep(newest, last_year, *pictures)
    for row, picture in zip((newest, last_year), pictures, strict=True):
        street.keep(Attachment(message_id=picture.id, ticket_id=row.id, due_at=NOON))
    with street.database.reading() as session:
        found = board.story(session, "CTM0712-001")
        assert found is not None
        assert found.ticket.summary == "后来的事"
        assert board.picture(session, "CTM0712-001", pictures[0].id) is not None
        assert board.picture(session, "CTM0712-001", pictures[1].id) is None


def test_unsent_replies_are_listed_failed_first_and_changed_once(street: Street) -> None:
    with street.database.transaction() as session:
        page, tickets = board.unsent(session, number=1, size=10)
        failed, waiting = page.rows
        assert (failed.state, waiting.state) == (ReplyState.FAILED, ReplyState.WAITING)
        assert sorted(tickets.values()) == ["CTM0712-001", "CTM0712-002"]
        assert replies.drop(session, waiting.id) and not replies.drop(session, waiting.id)
        assert replies.retry(session, failed.id, NOON) and not replies.retry(session, failed.id, NOON)
        assert board.count_unsent(session) == {"failed": 0, "sending": 0, "waiting": 1}


def test_a_conversation_in_order_with_its_quotes(street: Street) -> None:
    bundle = {"external_id": "bot-x", "sent_at": NOON}
    street.keep(
        reply("a", "stairs", "第一句", **bundle),
        reply("b", "stairs", "第二句", **bundle),
        *(message("stairs", "peng", f"第{n}条", at=NOON - timedelta(minutes=n)) for n in range(3, 0, -1)),
        message("", "peng", "私下", at=NOON),
    )
    with street.database.reading() as session:
        lines, older = chat.history(session, "local", "stairs", "", limit=3)
        assert [line.text for line in lines] == ["第2条", "第1条", "第一句\n第二句"]
        assert older
        before, older = chat.history(session, "local", "stairs", "", limit=3, before=lines[0].at)
        assert ([line.text for line in before], older) == (["第3条"], False)
        assert [line.text for line in chat.history(session, "local", "", "peng", limit=3)[0]] == ["私下"]
        assert chat.history(session, "local", "", "zhou", limit=3) == ([], False)
        assert chat.quoted(session, "local", "bot-x") == chat.Quoted("第一句\n第二句", "")
        assert chat.quoted(session, "local", "nothing") is None
        assert chat.last_said(session, "local")["stairs"] == NOON
