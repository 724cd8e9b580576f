"""The classifier as a whole."""

import pytest

from classifiers.default import GridClassifier, load
from classifiers.verdict import Label, Sample


@pytest.fixture(scope="module")
def classifier() -> GridClassifier:
    return load(["来福士", "健康路"])


def test_danger_is_seen(classifier: GridClassifier) -> None:
    verdict = classifier.classify(Sample("健康路1号3栋2单元有煤气味"))
    assert (verdict.label, verdict.urgency) == (Label.SAFETY, 3)
    assert verdict.place == "健康路1号3栋2单元"
    assert "rule:gas" in verdict.evidence


@pytest.mark.parametrize(
    "text", ["", " ", "😀" * 50, "[图片]", "\ud800\x00", "收到", "早上好", "水" * 100_000]
)
def test_calm_where_nothing_is_said(classifier: GridClassifier, text: str) -> None:
    assert classifier.classify(Sample(text)).label is Label.NONE
