"""What the bot is not sure of: on the list, not in the group, decided once."""

import threading
from collections.abc import Iterator

import pytest

from bot.stored import from_row
from handlers import reviews
from handlers.permissions import OPERATOR
from handlers.reviews import Choice
from handlers.rules import Rules
from storage import reviews as store
from storage.database import Database
from storage.tables import Outcome, Review, ReviewState
from tests.support.street import Street, make_world

SMELL = "石梯坎3号楼道有股怪味，有事打13812345678"


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def test_unsure_is_listed_and_not_said(street: Street) -> None:
    assert street.say("stairs", "peng", SMELL) == []
    (review,) = street.reviews()
    assert (review.label, review.urgency, review.chance, review.state) == ("safety", 2, 0.6, "waiting")
    assert street.messages()[0].outcome == Outcome.REVIEW
    assert street.tickets() == []


@pytest.mark.parametrize(
    ("choice", "state", "label"),
    [
        (Choice.ACCEPT, ReviewState.ACCEPTED, "safety"),
        (Choice.SAFETY, ReviewState.ACCEPTED, "safety"),
        (Choice.SERVICE, ReviewState.RELABELLED, "service"),
    ],
)
def test_a_ticket_as_the_group_would_have_had(street: Street, choice: Choice, state: str, label: str) -> None:
    street.say("stairs", "peng", SMELL)
    street.clock.move(minutes=20)
    opened, which = street.decide("怪味", choice)
    assert (opened.room, which.room) == ("stairs", "stairs")
    assert "CTM0713-001 已记下" in opened.text
    (ticket,) = street.tickets()
    assert (ticket.label, ticket.urgency, ticket.place, ticket.reporter) == (label, 2, "石梯坎3号", "peng")
    (review,) = street.reviews()
    assert (review.state, review.ticket_id, review.decided_by) == (state, ticket.id, "operator")
    (message,) = street.messages()
    assert (message.outcome, message.ticket_id) == (Outcome.OPENED, ticket.id)
    actions = [event.action for event in street.events(ticket.id)]
    assert actions == ["open", "review"]


def test_what_was_decided_is_kept_masked(street: Street) -> None:
    street.say("stairs", "peng", SMELL)
    street.say("river", "tang", "江边有点水")
    street.decide("怪味", Choice.SERVICE)
    street.decide("有点水", Choice.IGNORE)
    first, second = street.corrections()
    assert first.text == "石梯坎3号楼道有股怪味，有事打〔电话〕"
    assert (first.kind, first.role, first.group_kind, first.made_by) == (
        "review", "resident", "residents", "operator",
    )  # fmt: skip
    assert (first.before_label, first.before_urgency, first.label, first.urgency) == (
        "safety",
        2,
        "service",
        2,
    )
    assert (second.before_label, second.label, second.urgency) == ("flood", "none", 0)


def test_deciding_twice_changes_nothing(street: Street) -> None:
    street.say("stairs", "peng", SMELL)
    assert len(street.decide("怪味", Choice.ACCEPT)) == 2
    for choice in Choice:
        assert street.decide("怪味", choice) == []
    assert len(street.tickets()) == len(street.corrections()) == 1
    assert street.reviews()[0].state == ReviewState.ACCEPTED


def test_what_never_was_listed_cannot_be_decided(street: Street) -> None:
    street.say("stairs", "peng", "早上好")
    with street.context() as ctx:
        incoming = street.incoming("stairs", "peng", "早上好", row_id=street.messages()[0].id)
        assert reviews.decide(ctx, incoming, Choice.ACCEPT, OPERATOR) is None


def test_a_failed_decision_leaves_it_waiting(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    street.say("stairs", "peng", SMELL)
    monkeypatch.setattr("handlers.reports.handle_report", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        street.decide("怪味", Choice.ACCEPT)
    assert street.reviews()[0].state == ReviewState.WAITING
    assert street.corrections() == []


def test_old_ones_leave_the_list(street: Street) -> None:
    street.say("stairs", "peng", SMELL)
    for hours, expired in ((23.9, 0), (0.2, 1), (1, 0)):
        street.clock.move(hours=hours)
        with street.context() as ctx:
            assert store.expire(ctx.session, ctx.now) == expired
    assert street.decide("怪味", Choice.ACCEPT) == []
    assert street.reviews()[0].state == ReviewState.EXPIRED
    assert street.tickets() == []


def test_the_kind_of_group_decides(sqlite_url: str) -> None:
    rules = {"opening": {"kinds": {"residents": {"safety": {"open": 0.4, "review": 0.3}}}}}
    database = Database(sqlite_url, durable=False)
    street = Street(database, make_world(rules=Rules.model_validate(rules)))
    street.say("stairs", "peng", SMELL)
    assert street.tickets()[0].label == "safety"
    database.close()


def test_corrections_by_command(street: Street) -> None:
    street.say("river", "tang", "江岸大厦负二楼车库进水了，打13812345678")
    street.say("river", "zhou", "#改类 1 服务")
    street.say("river", "zhou", "#改类 1 服务")
    street.say("river", "zhou", "#误报 1 看错了")
    relabelled, false_alarm = street.corrections()
    assert (relabelled.kind, relabelled.before_label, relabelled.label) == ("relabel", "flood", "service")
    assert (false_alarm.kind, false_alarm.before_label, false_alarm.label) == (
        "false_alarm",
        "service",
        "none",
    )
    for kept in (relabelled, false_alarm):
        assert kept.message_id == street.messages()[0].id
        assert kept.made_by == "zhou"
        assert kept.text == "江岸大厦负二楼车库进水了，打〔电话〕"


def test_danger_first_then_the_likeliest_then_what_a_second_opinion_dismisses(database: Database) -> None:
    street = Street(database)
    for room, sender, text in (
        ("river", "tang", "江边有点水"),
        ("river", "tang", "石梯坎有怪味"),
        ("river", "tang", "楼下在喊叫"),
        ("river", "tang", "又有怪味"),
    ):
        street.say(room, sender, text)
        street.clock.move(minutes=1)
    with street.context() as ctx:
        rows = {m.text: ctx.session.get(Review, m.id) for m in street.messages()}
        rows["楼下在喊叫"].opinion_label, rows["楼下在喊叫"].opinion_urgency = "none", 0  # type: ignore[union-attr]
        rows["又有怪味"].opinion_label, rows["又有怪味"].opinion_urgency = "safety", 3  # type: ignore[union-attr]
    with street.reading() as session:
        found = store.waiting(session, number=1, size=10)
        shown = [(row.message.text, [m.text for m in row.before]) for row in found.page.rows]
        assert store.count_waiting(session) == found.page.total == 4
    assert shown == [
        ("又有怪味", ["江边有点水", "石梯坎有怪味", "楼下在喊叫"]),
        ("石梯坎有怪味", ["江边有点水"]),
        ("江边有点水", []),
        ("楼下在喊叫", ["江边有点水", "石梯坎有怪味"]),
    ]


def test_what_was_said_before_is_of_the_same_conversation(database: Database) -> None:
    street = Street(database)
    street.say("river", "tang", "很久以前")
    street.clock.move(hours=2)
    street.say("stairs", "peng", "别的群")
    street.say("", "peng", "别人的私聊")
    street.say("", "tang", "我的私聊")
    street.say("", "tang", "有怪味")
    street.say("river", "tang", "有怪味")
    with street.reading() as session:
        found = store.waiting(session, number=1, size=10).page.rows
    assert [[m.text for m in row.before] for row in found] == [["我的私聊"], []]


def test_of_two_that_decide_at_once_one_counts(database: Database) -> None:
    street = Street(database)
    street.say("stairs", "peng", SMELL)
    incoming = from_row(street.messages()[0])
    start, found = threading.Barrier(4), list[bool]()

    def decide() -> None:
        start.wait()
        with street.context() as ctx:
            decided = reviews.decide(ctx, incoming, Choice.ACCEPT, OPERATOR)
            assert decided is not None
            found.append(decided.now)

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True]
    assert len(street.tickets()) == len(street.corrections()) == 1
