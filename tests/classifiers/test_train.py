"""Corpus and training: bad lines are named, the same corpus gives the same bytes."""

import json
from pathlib import Path

import numpy as np
import pytest

from classifiers import dataset, linear
from classifiers.dataset import BadCorpus
from classifiers.verdict import Label

pytest.importorskip("sklearn")

from classifiers import evaluate, train

GOOD = {
    "author": "a",
    "stream": "s",
    "kind": "residents",
    "role": "resident",
    "text": "水好大",
    "label": "flood",
    "urgency": 2,
    "opens": True,
    "place": "",
}


def small() -> list[dataset.Example]:
    return [example for example in dataset.load() if example.author in ("a1", "a4")][::40]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        json.dumps(GOOD | {"label": "fire"}),
        json.dumps(GOOD | {"urgency": 0}),
        json.dumps(GOOD | {"urgency": "2"}),
        json.dumps(GOOD | {"urgency": 4}),
        json.dumps(GOOD | {"label": "none"}),
        json.dumps(GOOD | {"text": None}),
        json.dumps(GOOD | {"text": ""}),
        json.dumps(GOOD | {"author": ""}),
        json.dumps(GOOD | {"role": 3}),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + line + "\n", "utf-8")
    with pytest.raises(BadCorpus, match=r"x\.jsonl:3: "):
        dataset.load([path])


def test_bad_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "\xff"}\n')
    with pytest.raises(BadCorpus, match=r"x\.jsonl:1: "):
        dataset.load([tmp_path / "x.jsonl"])


def test_the_whole_corpus_is_sound() -> None:
    examples = dataset.load()
    assert len(examples) > 3_000
    assert {example.label for example in examples} == set(Label)


def test_no_obvious_example_was_trained_on() -> None:
    table = (Path(__file__).parent / "obvious.tsv").read_text("utf-8").splitlines()
    texts = {line.split("\t")[2] for line in table if not line.startswith("#")}
    short = {text for text in texts if len(text) > 6}  # "收到" is everybody's
    assert not short & {example.sample.text for example in dataset.load()}


def test_training_is_reproducible(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        train.build(small()).save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    model = linear.load(tmp_path / "one.npz")
    assert model.weights.any()


def test_the_shipped_model_is_small() -> None:
    assert linear.MODEL.stat().st_size < 2 * 1024 * 1024


def test_deciding_for_one_and_for_many_agree() -> None:
    scores = np.random.default_rng(1).normal(size=(200, len(linear.LABELS)))
    lean = np.array([0.2, -0.1, 0.0, 0.4, 0.8])
    many = train._decided(scores, lean).tolist()
    assert many == [linear.decide(row, lean.tolist()) for row in scores.tolist()]


def test_figures() -> None:
    examples = small()
    verdicts = evaluate.judged(examples, evaluate.By.AUTHOR)
    figures = evaluate.measure(examples, verdicts)
    assert figures.messages == len(examples)
    assert 0 <= figures.false_reports < 0.5
    assert 0 <= figures.macro_f1 <= 1
    assert any("macro-F1" in line for line in evaluate.lines(examples, verdicts))
