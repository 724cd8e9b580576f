"""Honest figures. `measure` and `lines` say how right verdicts are; `left_out` judges the whole corpus,
each message by a classifier (rules and model) that never saw its author: `python -m classifiers.evaluate`.

`gridbot evaluate` adds what becomes of the verdicts: tickets and replies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import typer
from sklearn.metrics import classification_report, confusion_matrix, f1_score

from classifiers import dataset, train
from classifiers.dataset import Example
from classifiers.default import GridClassifier
from classifiers.place import Places
from classifiers.segment import segmenter
from classifiers.verdict import Classifier, Label, Verdict

_NAMES = [str(label) for label in Label]


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares, 0..1. See `measure`."""

    messages: int
    macro_f1: float
    false_reports: float
    missed_reports: float
    missed_openings: float
    urgent_seen: float
    urgent_named: float
    urgent_precision: float
    false_urgent: float


def judged(classifier: Classifier, examples: Sequence[Example], *, hints: bool = True) -> list[Verdict]:
    """A verdict for each example, in its chat; without hints nobody's role and no kind of group is told."""
    samples = [example.sample for example in dataset.in_context(examples)]
    return classifier.classify_many(samples if hints else [train.bare(sample) for sample in samples])


def classifier_of(examples: Sequence[Example]) -> GridClassifier:
    """A classifier that knows these examples only."""
    return GridClassifier(train.build(examples), segmenter(), Places())


def left_out(examples: Sequence[Example], *, hints: bool = True) -> list[Verdict]:
    """A verdict for each example, by a classifier that never saw its author: train.FOLDS times a training."""
    folds = train.folds([example.author for example in examples])
    verdicts: dict[int, Verdict] = {}
    for fold in sorted(set(folds.tolist())):
        rest = [example for example, at in zip(examples, folds, strict=True) if at != fold]
        out = np.flatnonzero(folds == fold).tolist()
        found = judged(classifier_of(rest), [examples[index] for index in out], hints=hints)
        verdicts.update(zip(out, found, strict=True))
    return [verdicts[index] for index in range(len(examples))]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def measure(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Figures:
    """false_reports: of what is none, what was called a report; false_urgent: what was called urgency 3.

    missed: of reports, what was called none; openings: reports that open a matter (the others follow one and
    often need it to be understood). urgent: messages of urgency 3; seen: called a report at all, named: with
    urgency 3; precision: of what was called urgency 3, what is.
    """
    pairs = list(zip(examples, verdicts, strict=True))
    quiet = [verdict for example, verdict in pairs if example.label is Label.NONE]
    reports = [(example, verdict) for example, verdict in pairs if example.label is not Label.NONE]
    openings = [verdict for example, verdict in reports if example.opens]
    urgent = [verdict for example, verdict in reports if example.urgency == 3]
    called = [example for example, verdict in pairs if verdict.urgency == 3]
    truth, found = _labels(examples, verdicts)
    return Figures(
        len(pairs),
        float(f1_score(truth, found, labels=_NAMES, average="macro", zero_division=0)),
        _share(sum(verdict.is_report for verdict in quiet), len(quiet)),
        _share(sum(not verdict.is_report for _, verdict in reports), len(reports)),
        _share(sum(not verdict.is_report for verdict in openings), len(openings)),
        _share(sum(verdict.is_report for verdict in urgent), len(urgent)),
        _share(sum(verdict.urgency == 3 for verdict in urgent), len(urgent)),
        _share(sum(example.urgency == 3 for example in called), len(called)),
        _share(sum(verdict.urgency == 3 for verdict in quiet), len(quiet)),
    )


def _labels(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> tuple[list[str], list[str]]:
    return [str(example.label) for example in examples], [str(verdict.label) for verdict in verdicts]


def lines(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The figures of running chat and of single messages, for people."""
    for title, single in (("running chat", False), ("single messages", True)):
        chosen = [pair for pair in zip(examples, verdicts, strict=True) if pair[0].single is single]
        if chosen:
            yield from _part(title, [example for example, _ in chosen], [verdict for _, verdict in chosen])


def _part(title: str, examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Iterator[str]:
    figures, (truth, found) = measure(examples, verdicts), _labels(examples, verdicts)
    yield f"{title}: {figures.messages} messages"
    yield str(classification_report(truth, found, labels=_NAMES, digits=3, zero_division=0))
    yield "rows: labelled; columns: called " + " ".join(_NAMES)
    yield str(confusion_matrix(truth, found, labels=_NAMES))
    yield f"  macro-F1                  {figures.macro_f1:.3f}"
    yield f"  chatter called a report   {figures.false_reports:.3f}  (urgency 3: {figures.false_urgent:.3f})"
    yield f"  reports missed            {figures.missed_reports:.3f}"
    yield f"  openings missed           {figures.missed_openings:.3f}"
    yield f"  urgency 3 called a report {figures.urgent_seen:.3f}  (of urgency 3: {figures.urgent_named:.3f})"
    yield f"  called 3 and is 3         {figures.urgent_precision:.3f}"


def _harm(example: Example, verdict: Verdict) -> float:
    """How bad a mistake is: danger missed first, then what was said loudest and wrong."""
    if example.urgency == 3 and verdict.urgency < 3:
        return 3 - verdict.chance
    if example.label is Label.NONE:
        return verdict.chance + (verdict.urgency == 3)
    return 1 - verdict.chance


def worst(examples: Sequence[Example], verdicts: Sequence[Verdict], most: int) -> Iterator[str]:
    """The worst mistakes, a line each, with what spoke for them."""
    wrong = [
        (example, verdict)
        for example, verdict in zip(examples, verdicts, strict=True)
        if example.label is not verdict.label or (example.urgency == 3) != (verdict.urgency == 3)
    ]
    wrong.sort(key=lambda pair: -_harm(*pair))
    for example, verdict in wrong[:most]:
        called = f"{example.label} {example.urgency} -> {verdict.label} {verdict.urgency}"
        reasons = " ".join(verdict.evidence) or "-"
        text = example.sample.text.replace("\n", " ")[:80]
        yield f"{called}  {verdict.chance:.2f}  {text}  [{reasons}]"


def by_size(examples: Sequence[Example], shares: Sequence[float]) -> Iterator[tuple[int, Figures]]:
    """The learning curve: figures on the development split when only a share of the streams is known."""
    known, unseen = dataset.split(examples)
    streams = sorted({example.stream for example in known}, key=lambda name: crc32(name.encode()))
    for share in shares:
        chosen = set(streams[: max(1, round(share * len(streams)))])
        part = [example for example in known if example.stream in chosen]
        yield len(part), measure(unseen, judged(classifier_of(part), unseen))


def main(hints: bool = True, errors: int = 0, curve: bool = False) -> None:
    """Judge every message by a model that never saw its author; --curve: the learning curve instead."""
    examples = dataset.load()
    if curve:
        for size, figures in by_size(examples, (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)):
            typer.echo(
                f"{size:6d} messages  macro-F1 {figures.macro_f1:.3f}  missed {figures.missed_reports:.3f}"
            )
        return
    verdicts = left_out(examples, hints=hints)
    typer.echo(f"{len(examples)} messages, authors left out, {'with' if hints else 'without'} role and group")
    for line in (*lines(examples, verdicts), *worst(examples, verdicts, errors)):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
