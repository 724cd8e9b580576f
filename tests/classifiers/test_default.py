"""The classifier as a whole."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers import dataset, default, linear
from classifiers.default import GridClassifier
from classifiers.verdict import NOTHING, Classifier, Label, Sample, Turn

CLASSIFIER = default.load(["来福士", "健康路"])
OBVIOUS = [
    line.split("\t")
    for line in (Path(__file__).parent / "obvious.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(("label", "urgency", "text"), OBVIOUS)
def test_what_anyone_would_see(label: str, urgency: str, text: str) -> None:
    verdict = CLASSIFIER.classify(Sample(text))
    assert verdict.label == label, verdict
    assert urgency in (".", str(verdict.urgency)), verdict


def test_it_is_a_classifier() -> None:
    classifier: Classifier = CLASSIFIER
    assert classifier.classify_many([Sample("收到"), Sample("")])[1] is NOTHING


def test_danger_with_place_and_reasons() -> None:
    verdict = CLASSIFIER.classify(Sample("健康路1号3栋2单元有煤气味"))
    assert (verdict.label, verdict.urgency) == (Label.SAFETY, 3)
    assert verdict.place == "健康路1号3栋2单元"
    assert "rule:gas" in verdict.evidence
    assert any(reason.startswith("word:") for reason in verdict.evidence)
    assert verdict.confidence >= default.RULE_CONFIDENCE


@pytest.mark.parametrize(
    "text", ["", " \n", "😀" * 50, "[图片]", "\ud800\x00", "收到", "早上好", "水" * 100_000]
)
def test_calm_where_nothing_is_said(text: str) -> None:
    verdict = CLASSIFIER.classify(Sample(text))
    assert (verdict.label, verdict.urgency) == (Label.NONE, 0)


def test_traditional_and_full_width_read_the_same() -> None:
    simple, written = "3号楼电梯里有人被困，快来人", "３號樓電梯裡有人被困，快來人"
    one, two = (CLASSIFIER.classify(Sample(text)) for text in (simple, written))
    assert (one.label, one.urgency, one.confidence) == (two.label, two.urgency, two.confidence)


def test_staff_telling_what_is_done_open_nothing() -> None:
    told = Sample("消防已到场，三楼着火的住户已疏散", "grid_worker")
    assert CLASSIFIER.classify(told).label is Label.NONE


@settings(max_examples=300, deadline=None)
@given(
    st.text() | st.text(alphabet="水火救命人打架楼栋3B2@[]！？😀\ud800\x00\u2005\n 的了漏电", max_size=300),
    st.text(max_size=8),
    st.text(max_size=8),
)
def test_any_text_has_a_sound_verdict(text: str, role: str, kind: str) -> None:
    verdict = CLASSIFIER.classify(Sample(text, role, kind))
    assert 0 <= verdict.confidence <= 1
    assert 0 <= verdict.chance <= 1
    assert verdict.label in (Label.NONE, verdict.leaning)
    assert not verdict.is_report or verdict.urgency == verdict.leaning_urgency
    assert (verdict.urgency == 0) == (verdict.label is Label.NONE)
    assert verdict.place in text


def test_the_chance_of_a_report() -> None:
    gas, chatter = CLASSIFIER.classify(Sample("楼道里有煤气味")), CLASSIFIER.classify(Sample("早上好"))
    assert gas.chance >= default.RULE_CHANCE
    assert (gas.leaning, gas.leaning_urgency) == (Label.SAFETY, 3)
    assert chatter.chance < 0.1
    said = CLASSIFIER.classify_many([example.sample for example in dataset.load()])
    unsure = next(one for one in said if not one.is_report and one.chance > 0.3)
    assert chatter.chance < unsure.chance < gas.chance
    assert unsure.as_report().label is unsure.leaning is not Label.NONE
    assert unsure.as_report().urgency == unsure.leaning_urgency >= 1


def test_an_answer_means_what_was_asked() -> None:
    before = (
        Turn("b", 60, "我们这栋楼道里烟大得很，一股胶皮糊味，电表箱在冒火花"),
        Turn("a", 30, "哪栋？几楼？", "grid_worker"),
    )
    answer = Sample("4栋7楼", "resident", "residents", "b", ())
    quiet, told = CLASSIFIER.classify(answer), CLASSIFIER.classify(replace(answer, before=before))
    assert told.leaning is Label.SAFETY
    assert not quiet.is_report
    assert quiet.chance + 0.2 < told.chance


def test_talk_of_long_ago_counts_for_nothing() -> None:
    quiet = Sample("4栋7楼", "resident", "residents", "b", ())
    old = replace(quiet, before=(Turn("b", 7200, "楼道里烟大得很"),))
    assert CLASSIFIER.classify(old) == CLASSIFIER.classify(quiet)


def test_a_rule_that_speaks_against_a_report_leaves_no_chance() -> None:
    verdict = CLASSIFIER.classify(Sample("通知：3栋车库积水，请挪车"))
    assert (verdict.label, verdict.chance) == (Label.NONE, 0.0)


def test_both_segmenters_give_the_same_verdicts() -> None:
    pytest.importorskip("rjieba")
    slow = default.load(["来福士", "健康路"], fast=False)
    samples = [Sample(text) for _, _, text in OBVIOUS]
    assert slow.classify_many(samples) == CLASSIFIER.classify_many(samples)


def test_a_missing_or_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(linear.BadModel, match="absent"):
        default.load(model=tmp_path / "absent.npz")
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    with pytest.raises(linear.BadModel, match="bad"):
        default.load(model=tmp_path / "bad.npz")
    assert isinstance(CLASSIFIER, GridClassifier)
