"""What a message that opens nothing by itself may still be."""

from collections.abc import Iterator

import pytest

from classifiers.verdict import NOTHING, Label, Sample, Verdict
from handlers.shapes import settled
from storage.database import Database
from tests.support.classifier import WordClassifier
from tests.support.street import Street, make_world


class Pieces:
    """Gas is smelt only where both halves of the thought are heard."""

    def classify(self, sample: Sample) -> Verdict:
        heard = [word in sample.text for word in ("厨房", "臭鸡蛋")]
        if not any(heard):
            return NOTHING
        chance = 0.95 if all(heard) else 0.15
        label = Label.SAFETY if all(heard) else Label.NONE
        return Verdict(label, 2 * all(heard), chance, chance=chance, leaning=Label.SAFETY, leaning_urgency=2)

    def classify_many(self, samples: list[Sample]) -> list[Verdict]:
        return [self.classify(sample) for sample in samples]


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database, make_world(Pieces()))
    database.close()


def test_a_thought_in_pieces_opens_one_ticket(street: Street) -> None:
    assert street.say("river", "tang", "我家厨房") == []
    street.clock.move(seconds=40)
    assert len(street.say("river", "tang", "一股臭鸡蛋味道")) == 1
    (ticket,) = street.tickets()
    assert ticket.summary == "我家厨房\n一股臭鸡蛋味道"
    assert [message.ticket_id for message in street.messages()] == [ticket.id, ticket.id]


def test_pieces_of_one_batch_are_read_together(street: Street) -> None:
    street.hear(
        street.incoming("river", "tang", "我家厨房"), street.incoming("river", "tang", "一股臭鸡蛋味道")
    )
    assert len(street.tickets()) == 1


@pytest.mark.parametrize(
    ("room", "sender", "seconds"), [("river", "甲", 40), ("stairs", "tang", 40), ("river", "tang", 91)]
)
def test_what_is_no_piece_of_it(street: Street, room: str, sender: str, seconds: float) -> None:
    street.say("river", "tang", "我家厨房")
    street.clock.move(seconds=seconds)
    street.say(room, sender, "一股臭鸡蛋味道")
    assert street.tickets() == []


def test_what_belongs_to_a_ticket_is_read_once(street: Street) -> None:
    street.say("river", "tang", "厨房有臭鸡蛋味道")
    street.clock.move(seconds=10)
    street.say("river", "tang", "臭鸡蛋")
    assert len(street.tickets()) == 1
    assert street.tickets()[0].summary.count("厨房") == 1


class Listener(WordClassifier):
    """Takes what is said after something else for a report, whatever it is."""

    def classify(self, sample: Sample) -> Verdict:
        found = super().classify(sample)
        if found.is_report or not sample.before:
            return found
        return Verdict(Label.FLOOD, 2, 0.95, chance=0.95, leaning=Label.FLOOD, leaning_urgency=2)


def test_what_is_a_report_only_in_the_talk_is_noted_in_silence(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    street = Street(database, make_world(Listener()))
    street.say("river", "tang", "江岸大厦进水了")
    street.clock.move(minutes=1)
    assert street.say("river", "甲", "哎呀，都到膝盖了") == []
    assert len(street.say("river", "乙", "江岸大厦还在进水")) == 1
    (ticket,) = street.tickets()
    assert [message.ticket_id for message in street.messages()] == [ticket.id] * 3
    database.close()


@pytest.mark.parametrize("text", ["修好了，谢谢", "误会误会，是隔壁做饭", "虚惊一场", "水退了", "找到了！"])
def test_settled(text: str) -> None:
    assert settled(text)


@pytest.mark.parametrize(
    "text",
    [
        "修好了吗",
        "还没修好",
        "昨天修好了今天又坏了",
        "等你们修好了再说",
        "要是误会就好了",
        "以为修好了",
        "电话打通了",
        "什么时候修好",
        "路灯坏了",
    ],
)
def test_not_settled(text: str) -> None:
    assert not settled(text)
