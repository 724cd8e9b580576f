"""Open, ask, or leave alone."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.settings import Settings, load
from classifiers.verdict import NOTHING, Label, Verdict
from handlers.files import ConfigError
from handlers.opening import Decision, Opening, decide

USUAL = Opening(flood={"open": 0.7, "review": 0.3}, urgent={"open": 0.5, "review": 0.2})  # type: ignore[arg-type]


def verdict(chance: float, *, urgency: int = 2, called: bool = False, label: Label = Label.FLOOD) -> Verdict:
    said = (label, urgency) if called else (Label.NONE, 0)
    return Verdict(*said, 0.5, chance=chance, leaning=label, leaning_urgency=urgency)


@pytest.mark.parametrize(
    ("chance", "urgency", "decision"),
    [
        (0.7, 2, Decision.OPEN),
        (0.69, 2, Decision.REVIEW),
        (0.3, 1, Decision.REVIEW),
        (0.29, 2, Decision.NOTHING),
        (0.5, 3, Decision.OPEN),
        (0.49, 3, Decision.REVIEW),
        (0.2, 3, Decision.REVIEW),
        (0.19, 3, Decision.NOTHING),
    ],
)
@pytest.mark.parametrize("called", [True, False])
def test_by_the_chance_of_a_report(chance: float, urgency: int, decision: Decision, called: bool) -> None:
    assert decide(USUAL, verdict(chance, urgency=urgency, called=called), "residents") is decision


def test_what_leans_to_nothing_is_nothing() -> None:
    assert decide(Opening(), NOTHING, "residents") is Decision.NOTHING
    assert decide(Opening(), verdict(1.0, label=Label.NONE), "residents") is Decision.NOTHING


def test_urgent_counts_only_where_it_asks_for_less() -> None:
    flood, urgent = {"open": 0.6, "review": 0.3}, {"open": 0.9, "review": 0.5}
    strict = Opening.model_validate({"urgent": urgent, "flood": flood})
    assert decide(strict, verdict(0.6, urgency=3), "residents") is Decision.OPEN
    assert decide(strict, verdict(0.4, urgency=3), "residents") is Decision.REVIEW


def test_a_kind_of_group_may_differ_and_keeps_the_rest() -> None:
    values = {"flood": {"open": 0.8}, "kinds": {"dock": {"flood": {"review": 0.05}, "urgent": {"open": 0.3}}}}
    opening = Opening.model_validate(values)
    assert opening.of(Label.FLOOD, 2, "residents").model_dump() == {"open": 0.8, "review": 0.5}
    assert opening.of(Label.FLOOD, 2, "dock").model_dump() == {"open": 0.8, "review": 0.05}
    assert opening.of(Label.FLOOD, 3, "dock").model_dump() == {"open": 0.3, "review": 0.05}
    assert opening.of(Label.SERVICE, 1, "dock") == Opening().service


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"flood": {"open": 0.2}}, r"review \(0.5\) must not be above open \(0.2\)"),
        ({"flood": {"open": 1.2}}, "less than or equal to 1"),
        ({"flood": 0.5}, "Thresholds"),
        ({"floods": {"open": 0.5}}, "Extra inputs"),
        ({"kinds": {"dock": {"none": {"open": 0.5}}}}, "'flood', 'dispute', 'safety', 'service' or 'urgent'"),
        ({"kinds": {"dock": {"service": {"open": 0.1}}}}, r"review \(0.5\) must not be above open \(0.1\)"),
        ({"kinds": {"dock": 1}}, "dictionary"),
        ({"kinds": 1}, "dictionary"),
        (7, "dictionary"),
    ],
)
def test_mistakes_are_named(values: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Opening.model_validate(values)


def test_an_unknown_kind_of_group_is_no_silent_default(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("rules: {opening: {kinds: {docks: {flood: {open: 0.9}}}}}")
    with pytest.raises(
        ConfigError, match=r"rules: opening\.kinds: 'docks' is no kind of group; those are resid"
    ):
        load(file)


def test_one_threshold_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDBOT_RULES__OPENING__FLOOD__OPEN", "0.95")
    monkeypatch.setenv("GRIDBOT_RULES__OPENING__KINDS", '{"dock": {"flood": {"open": 0.6}}}')
    found = Settings().rules.opening
    assert found.of(Label.FLOOD, 1, "residents").model_dump() == {"open": 0.95, "review": 0.5}
    assert found.of(Label.FLOOD, 1, "dock").open == 0.6
