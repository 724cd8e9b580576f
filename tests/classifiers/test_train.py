"""Corpus and training: bad lines are named, the same corpus gives the same bytes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from classifiers import dataset, linear
from classifiers.dataset import BadCorpus
from classifiers.verdict import Label, Sample, Verdict

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
    assert len(examples) >= 10_000
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
    assert linear.MODEL.stat().st_size < 5 * 1024 * 1024


def test_nobody_is_judged_by_a_model_that_knows_them() -> None:
    examples = small()
    known, unseen = dataset.split(dataset.load())
    assert not {one.author for one in known} & {one.author for one in unseen}
    folds = train.folds([example.author for example in examples])
    assert len({(one.author, fold) for one, fold in zip(examples, folds, strict=True)}) == 2


def test_figures() -> None:
    examples = small()
    verdicts = evaluate.left_out(examples)
    figures = evaluate.measure(examples, verdicts)
    assert figures.messages == len(examples)
    assert 0 <= figures.false_reports < 0.5
    assert 0 <= figures.macro_f1 <= 1
    assert any("macro-F1" in line for line in evaluate.lines(examples, verdicts))


def verdict(label: Label, urgency: int, chance: float) -> Verdict:
    return Verdict(label, urgency, 1.0, evidence=("word:水",), chance=chance)


def example(label: Label, urgency: int, *, opens: bool = False) -> dataset.Example:
    return dataset.Example(Sample(f"{label} {urgency}"), label, urgency, "a", "s", opens=opens)


def test_figures_are_counted_by_hand() -> None:
    pairs = [
        (example(Label.NONE, 0), verdict(Label.NONE, 0, 0.1)),
        (example(Label.NONE, 0), verdict(Label.FLOOD, 3, 0.9)),
        (example(Label.FLOOD, 3, opens=True), verdict(Label.FLOOD, 3, 0.9)),
        (example(Label.SAFETY, 3, opens=True), verdict(Label.NONE, 0, 0.2)),
        (example(Label.SERVICE, 1), verdict(Label.SERVICE, 1, 0.8)),
    ]
    examples, verdicts = [one for one, _ in pairs], [said for _, said in pairs]
    figures = evaluate.measure(examples, verdicts)
    assert (figures.false_reports, figures.false_urgent) == (0.5, 0.5)
    assert (figures.missed_reports, figures.missed_openings) == (1 / 3, 0.5)
    assert (figures.urgent_seen, figures.urgent_named, figures.urgent_precision) == (0.5, 0.5, 0.5)
    worst = list(evaluate.worst(examples, verdicts, 5))
    assert [line.split("  ")[0] for line in worst] == ["safety 3 -> none 0", "none 0 -> flood 3"]
    assert "word:水" in worst[0]


def test_a_chat_is_told_with_what_was_said_before() -> None:
    chat = [replace(example(Label.NONE, 0), at=at) for at in (0.0, 60.0, 4_000.0)]
    other = replace(example(Label.NONE, 0), stream="t", at=4_001.0)
    told = dataset.in_context([*chat, other])
    assert [[turn.ago for turn in one.sample.before or ()] for one in told] == [[], [60.0], [], []]
