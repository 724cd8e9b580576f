"""Joining, measured on chat whose incidents are known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.evaluate_incidents import Line, Oracle, figures, load, play, report
from classifiers.verdict import NOTHING, Label, Sample, Verdict, certain

START = datetime(2026, 7, 13, 2, 0, tzinfo=UTC)


def line(minutes: float, sender: str, text: str, label: Label = Label.NONE, incident: str = "") -> Line:
    return Line(
        author="a",
        stream="river",
        kind="residents",
        at=START + timedelta(minutes=minutes),
        sender=sender,
        role="resident",
        text=text,
        label=label,
        urgency=0 if label is Label.NONE else 2,
        incident=incident,
        opens=False,
    )


CHAT = [
    replace(line(0, "甲", "3栋楼道冒烟", Label.SAFETY, "i1"), opens=True),
    line(1, "乙", "我也看到了，烟好大", Label.SAFETY, "i1"),
    line(2, "丙", "吃饭没得"),
    replace(line(3, "丁", "5栋水管爆了", Label.SERVICE, "i2"), opens=True),
]


def test_perfect_labels_leave_only_the_joining() -> None:
    found = figures(play(CHAT, Oracle(CHAT)))
    assert (found.incidents, found.opened, found.tickets, found.firsts) == (2, 2, 2, 2)
    assert (found.right_joins, found.wrong_joins, found.banter) == (1, 0, 0)
    assert (found.chatter, found.answered) == (1, 0)
    assert (found.recall, found.precision, found.replies_per_100) == (1.0, 1.0, 0.0)


def test_what_is_told_in_two_groups_is_looked_for_in_both() -> None:
    elsewhere = replace(CHAT[0], stream="lake", sender="戊", at=START + timedelta(minutes=4), opens=True)
    found = figures(play([*CHAT, elsewhere], Oracle(CHAT)))
    assert (found.shared, found.shared_joined, found.joined_across_groups) == (1, 1, 1.0)
    apart = replace(elsewhere, text="厨房有烟", incident="i1")
    found = figures(play([*CHAT, apart], Oracle([*CHAT, apart])))
    assert (found.shared, found.shared_joined, found.tickets, found.firsts) == (1, 0, 3, 2)


class Alarmed:
    """Takes everything for a danger of its own."""

    def classify(self, sample: Sample) -> Verdict:
        return certain(Label.DISPUTE, 3)

    def classify_many(self, samples: list[Sample]) -> list[Verdict]:
        return [self.classify(sample) for sample in samples]


class Deaf(Alarmed):
    def classify(self, sample: Sample) -> Verdict:
        return NOTHING


def test_false_alarms_and_deafness_show() -> None:
    found = figures(play(CHAT[2:3], Alarmed()))
    assert (found.tickets, found.firsts, found.precision) == (1, 0, 0.0)
    assert found.answered == 1
    found = figures(play(CHAT, Deaf()))
    assert (found.opened, found.tickets, found.recall) == (0, 0, 0.0)
    assert figures(play([], Deaf())).recall == 0.0


def test_the_corpus_is_read_and_shown() -> None:
    lines = load()
    assert any(line.opens for line in lines)
    assert len(list(report(figures([])))) == 5
