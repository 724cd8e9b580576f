"""撤销: what conversations do not show. See tests/dialogs/undo.txt."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from handlers import undo
from handlers.context import Context
from handlers.undo import CannotUndo
from storage.database import Database
from storage.tables import Reply, ReplyState, Ticket, TicketEvent, TicketUnit
from tests.support.street import Street


@pytest.fixture
def street(database: Database) -> Street:
    street = Street(database, sending=False)
    street.say("river", "tang", "门口路灯坏了")
    street.sent()
    return street


@pytest.fixture
def beside() -> Iterator[list[str]]:
    """What was put back beside the ticket's columns by an `also` of accepting."""
    called: list[str] = []

    def function(ctx: Context, ticket: Ticket, event: TicketEvent) -> None:
        if "stop" in called:
            raise CannotUndo
        called.append(f"{ticket.state} {event.action}")

    undo.also("accept", function)
    yield called
    undo._ALSO["accept"].remove(function)


def states(street: Street) -> list[str]:
    with street.reading() as session:
        return [reply.state for reply in session.exec(select(Reply).order_by(Reply.id))]  # type: ignore[arg-type]


def test_what_waits_is_not_said_any_more(street: Street) -> None:
    street.say("river", "zhou", "#派单 何志愿")
    street.say("river", "zhou", "#撤销")
    assert states(street) == [ReplyState.SENT, ReplyState.DROPPED, ReplyState.WAITING]


def test_the_event_tells_what_was_undone(street: Street) -> None:
    street.say("river", "zhou", "#到场")
    done = [event.id for event in street.events() if event.action == "arrive"]
    street.say("river", "zhou", "#撤销")
    event = street.events()[-1]
    assert (event.action, event.actor, event.from_state, event.to_state) == (
        *("undo", "zhou"),
        *("in_progress", "reported"),
    )
    assert event.data["undone"] == done
    assert event.data["changed"]["handler"] == ["zhou", None]
    ticket = street.tickets()[0]
    assert (ticket.handler, ticket.arrived_at, ticket.accepted_at) == (None, None, None)
    assert ticket.due_kind == "accept"


@pytest.mark.parametrize("words", ["#误报", "#改类 安全"])
def test_a_slip_is_no_lesson(street: Street, words: str) -> None:
    street.say("river", "zhou", words)
    assert len(street.corrections()) == 1
    street.say("river", "zhou", "#撤销")
    assert street.corrections() == []


def test_others_put_back_what_they_did_beside(street: Street, beside: list[str]) -> None:
    street.say("river", "zhou", "#接单")
    street.say("river", "zhou", "#撤销")
    assert beside == ["accepted accept"]


def test_others_may_refuse(street: Street, beside: list[str]) -> None:
    street.say("river", "zhou", "#接单")
    beside.append("stop")
    told = street.say("river", "zhou", "#撤销")
    assert [reply.text for reply in told] == ["CTM0713-001 这一步不能撤销。发 #进度 看看现在能怎么办。"]
    assert street.tickets()[0].state == "accepted"


def test_what_the_bot_changed_since_stays(street: Street) -> None:
    street.say("river", "zhou", "#派单 何志愿")
    with street.context() as ctx:
        ticket = ctx.session.get_one(Ticket, street.tickets()[0].id)
        ticket.handler = "peng"
    told = street.say("river", "zhou", "#撤销")
    assert "之后又有人办过" in told[0].text
    assert street.tickets()[0].handler == "peng"


@pytest.fixture
def joint_street(database: Database) -> Street:
    street = Street(database)
    street.say("river", "tang", "江岸大厦电线掉下来了")
    street.say("river", "zhou", "#联办 供电所")
    return street


def units(street: Street) -> list[tuple[str, str]]:
    with street.reading() as session:
        return [(part.unit, part.state) for part in session.exec(select(TicketUnit))]


def test_units_are_called_off_again(joint_street: Street) -> None:
    assert units(joint_street) == [("powerco", "notified")]
    joint_street.say("river", "zhou", "#撤销")
    assert units(joint_street) == []
    assert joint_street.tickets()[0].handler is None


def test_a_unit_takes_back_its_step(joint_street: Street) -> None:
    joint_street.say("", "powerco", "到场")
    assert units(joint_street) == [("powerco", "on_scene")]
    joint_street.say("", "powerco", "#撤销")
    assert units(joint_street) == [("powerco", "notified")]
    with joint_street.reading() as session:
        part = session.exec(select(TicketUnit)).one()
    assert (part.on_scene_at, part.person) == (None, None)
    assert part.due_at is not None


def test_a_unit_that_answered_is_not_called_off(joint_street: Street) -> None:
    joint_street.say("", "powerco", "收到")
    told = joint_street.say("river", "zhou", "#撤销")
    assert "之后又有人办过" in told[0].text
    assert units(joint_street) == [("powerco", "received")]
