"""Fitting the weights of joining, on a chat small enough to see what comes of it."""

from datetime import UTC, datetime, timedelta

from bot.evaluate_incidents import Line
from bot.fit_linking import fit, for_fitting, pairs
from classifiers.verdict import Label, Verdict

START = datetime(2026, 7, 13, 2, 0, tzinfo=UTC)


def told(minutes: float, incident: str, text: str, stream: str = "a-01") -> tuple[Line, Verdict]:
    line = Line(
        author=stream.split("-")[0],
        stream=stream,
        kind="residents",
        at=START + timedelta(minutes=minutes),
        sender=f"{minutes}",
        role="resident",
        text=text,
        label=Label.SERVICE,
        urgency=2,
        incident=incident,
        opens=False,
    )
    return line, Verdict(Label.SERVICE, 2, 0.95, chance=0.95, leaning=Label.SERVICE, leaning_urgency=2)


CHAT = [
    told(0, "i1", "3栋水管爆了"),
    told(1, "i1", "喷得好高"),
    told(2, "", "吃饭没得"),
    told(60, "i2", "路灯不亮了，走路看不到"),
    told(61, "i2", "一排都黑了"),
    told(62, "i3", "9栋水管爆了"),
]


def test_pairs_of_open_matters_without_banter_and_vetoes() -> None:
    found = pairs(CHAT)
    # 喷 and 3栋; 路灯 and 3栋; 黑 and each of the two; 9栋 and 路灯 but not 3栋.
    assert found.same == [True, False, False, True, False]
    assert [one.latest > 0 for one in found.found] == [True, True, False, True, True]


def test_the_talk_weighs() -> None:
    bias, *weights = list(fit(CHAT))[1:]
    assert bias.startswith("bias")
    assert float(next(line for line in weights if line.startswith("talk")).split()[1]) > 0


def test_what_is_left_for_measuring() -> None:
    streams = ["a17-01a-x", "a17-02a-x", "a17-02b-x", "a9-02-x"]
    assert [for_fitting(told(0, "i1", "水", stream)[0]) for stream in streams] == [True, False, False, True]
