"""What the bot asked one person, and what counts as the answer."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from storage.database import Database
from storage.tables import Question
from tests.support.street import Street


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def _asked(street: Street) -> list[str]:
    with street.reading() as session:
        return [question.command for question in session.exec(select(Question))]


def _state(street: Street) -> str:
    return street.tickets()[0].state


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("换了灯泡", True),
        ("  换了灯泡。 ", True),
        ("办结 换了灯泡", True),
        ("修好了，换了灯泡", True),
        ("解释过了，是物业的灯", True),
        ("收到", False),
        ("好的", False),
        ("稍等", False),
        ("谢谢大家", False),
        ("嗯", False),
        ("亮了吗", False),
        ("哪个晓得怎么换？", False),
        ("3", False),
        ("#进度", False),
        ("满意", False),
        ("换" * 301, False),
        ("江岸大厦又冒烟了", False),
        ("江岸大厦进水了", False),
        ("江岸大厦的水管坏了，换好了", True),
    ],
)
def test_what_counts_as_the_answer(street: Street, text: str, closed: bool) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结")
    assert _asked(street) == ["办结"]
    street.say("river", "zhou", text)
    assert (_state(street) == "closed") is closed
    assert _asked(street) == ([] if closed else ["办结"])


def test_the_answer_belongs_to_who_was_asked_and_where(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结")
    for room, who in (("river", "pu"), ("river", "tang"), ("stairs", "zhou"), ("", "zhou")):
        street.say(room, who, "换了灯泡")
    assert _state(street) == "reported"
    street.say("river", "zhou", "换了灯泡", mentions=("tang",))
    street.picture("river", "zhou")
    assert _state(street) == "reported"
    street.say("river", "zhou", "换了灯泡")
    assert _state(street) == "closed"


def test_said_in_the_same_breath(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.hear(street.incoming("river", "zhou", "#办结"), street.incoming("river", "zhou", "换了灯泡"))
    assert _state(street) == "closed"


def test_a_complaint_that_is_settled_otherwise_lapses_in_silence(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结 换了")
    street.say("river", "tang", "#不满意")
    street.say("command", "pu", "#重开 1 没装灯罩")
    street.clock.move(minutes=31)
    assert [reply.text for reply in street.sweep() if "不满意" in reply.text] == []
    assert _asked(street) == []
    assert _state(street) == "in_progress"


def test_nothing_is_asked_where_the_command_says_it_all(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "#办结")
    street.say("river", "zhou", "#办结 1 换了")
    assert _asked(street) == []
    street.say("river", "zhou", "明天再去看看灯罩")
    assert len([event for event in street.events() if event.action == "close"]) == 1
