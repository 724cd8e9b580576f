"""Honest figures: `python -m classifiers.evaluate [--by author|stream]`.

Every message is judged by a classifier (rules and model) that never saw its author, or its stream. Only the
two temperatures and the five decision constants are those of the whole corpus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

import numpy as np
import typer
from sklearn.metrics import classification_report, confusion_matrix, f1_score

from classifiers import dataset, train
from classifiers.dataset import Example
from classifiers.default import GridClassifier
from classifiers.place import Places
from classifiers.segment import segmenter
from classifiers.verdict import Label, Verdict

_STREAM_FOLDS = 8
_NAMES = [str(label) for label in Label]


class By(StrEnum):
    AUTHOR = "author"
    STREAM = "stream"


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


def _group(example: Example, by: By) -> str:
    if by is By.AUTHOR:
        return example.author
    return str(crc32(example.stream.encode()) % _STREAM_FOLDS)


def judged(examples: Sequence[Example], by: By, *, hints: bool = True) -> list[Verdict]:
    """A verdict for each example, by a classifier that never saw its group."""
    data = train.prepare(examples, lambda example: _group(example, by))
    tuning, words = train.tune(data), segmenter()
    verdicts: dict[int, Verdict] = {}
    for group in sorted(set(data.groups.tolist())):
        out = data.groups == group
        model = train.assemble(train.fit(data.part(~out)), tuning)
        classifier = GridClassifier(model, words, Places())
        for index in np.flatnonzero(out).tolist():
            sample = examples[index].sample
            verdicts[index] = classifier.classify(sample if hints else train.bare(sample))
    return [verdicts[index] for index in range(len(examples))]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def measure(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Figures:
    """false_reports: of what is none, what was called a report. missed: of reports, what was called none.

    openings: reports that open a matter (the others follow one and often need it to be understood).
    urgent: messages of urgency 3; seen: called a report at all, named: with urgency 3.
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
    )


def _labels(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> tuple[list[str], list[str]]:
    return [str(example.label) for example in examples], [str(verdict.label) for verdict in verdicts]


def lines(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The report, for people."""
    truth, found = _labels(examples, verdicts)
    yield str(classification_report(truth, found, labels=_NAMES, digits=3, zero_division=0))
    yield "rows: labelled; columns: called " + " ".join(_NAMES)
    yield str(confusion_matrix(truth, found, labels=_NAMES))
    chat = [
        (example, verdict) for example, verdict in zip(examples, verdicts, strict=True) if not example.single
    ]
    yield from _headlines("all", measure(examples, verdicts))
    spoken, judged_so = [example for example, _ in chat], [verdict for _, verdict in chat]
    yield from _headlines("running chat only", measure(spoken, judged_so))
    yield from _thresholds(spoken, judged_so)


def _thresholds(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What a caller gets who opens only from a confidence on."""
    yield "running chat, opened from a confidence on: share of reports, false a 1,000, openings seen"
    pairs = list(zip(examples, verdicts, strict=True))
    quiet = sum(example.label is Label.NONE for example, _ in pairs)
    opening = sum(example.opens and example.label is not Label.NONE for example, _ in pairs)
    for least in (0.0, 0.3, 0.5, 0.7, 0.85):
        opened = [example for example, verdict in pairs if verdict.is_report and verdict.confidence >= least]
        right = [example for example in opened if example.label is not Label.NONE]
        false = 1000 * _share(len(opened) - len(right), quiet)
        seen = _share(sum(example.opens for example in right), opening)
        yield f"  {least:.2f}  {_share(len(right), len(opened)):.3f}  {false:5.1f}  {seen:.3f}"


def _headlines(title: str, figures: Figures) -> Iterator[str]:
    yield f"{title}: {figures.messages} messages"
    yield f"  macro-F1               {figures.macro_f1:.3f}"
    yield f"  chatter called report  {figures.false_reports:.3f}"
    yield f"  reports missed         {figures.missed_reports:.3f}"
    yield f"  openings missed        {figures.missed_openings:.3f}"
    yield f"  urgency 3 seen         {figures.urgent_seen:.3f} (called 3: {figures.urgent_named:.3f})"
    yield f"  called 3 and is 3      {figures.urgent_precision:.3f}"


def _mistake(example: Example, verdict: Verdict) -> tuple[str, ...]:
    called = f"{example.label}{example.urgency} -> {verdict.label}{verdict.urgency} {verdict.confidence:.2f}"
    return example.stream, example.sample.role, called, repr(example.sample.text), " ".join(verdict.evidence)


def main(by: By = By.AUTHOR, hints: bool = True, errors: bool = False) -> None:
    """Print the figures; --no-hints leaves role and kind of group away, --errors lists what went wrong."""
    examples = dataset.load()
    verdicts = judged(examples, by, hints=hints)
    typer.echo(f"{len(examples)} messages, left out by {by}, {'with' if hints else 'without'} role and group")
    for line in lines(examples, verdicts):
        typer.echo(line)
    for example, verdict in zip(examples, verdicts, strict=True):
        if errors and example.label is not verdict.label:
            typer.echo("\t".join(_mistake(example, verdict)))


if __name__ == "__main__":
    typer.run(main)
