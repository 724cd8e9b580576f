"""What each part of the classifier is worth: `python -m classifiers.ablate` (a minute a line).

Each line is a model that learned from all but the development split and went without one part, judged there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
import typer

from classifiers import dataset, default, evaluate, features, train
from classifiers.concepts import concepts
from classifiers.dataset import Example
from classifiers.rules import Findings
from classifiers.verdict import Verdict

Judge = Callable[[Sequence[Example], Sequence[Example]], list[Verdict]]


def _judge(known: Sequence[Example], unseen: Sequence[Example]) -> list[Verdict]:
    return evaluate.judged(evaluate.classifier_of(known), unseen)


def _without_context(known: Sequence[Example], unseen: Sequence[Example]) -> list[Verdict]:
    samples = [example.sample for example in unseen]
    return evaluate.classifier_of(known).classify_many(samples)


def _without_hints(known: Sequence[Example], unseen: Sequence[Example]) -> list[Verdict]:
    return evaluate.judged(evaluate.classifier_of(known), unseen, hints=False)


@contextmanager
def _regions(*weights: float) -> Iterator[None]:
    """A region that weighs next to nothing says nothing."""
    with patch.object(train, "REGION_WEIGHTS", np.array(weights, dtype=np.float32)):
        yield


@contextmanager
def _no_rules() -> Iterator[None]:
    with patch.object(default, "find", lambda _: Findings()):
        yield


@contextmanager
def _no_dialect() -> Iterator[None]:
    with patch.object(features, "standard", lambda text: text):
        yield


@contextmanager
def _no_hot() -> Iterator[None]:
    with patch.object(train, "HOT_WEIGHT", 1e-6):
        yield


@contextmanager
def _as_it_is() -> Iterator[None]:
    concepts()
    yield


_FAINT = 1e-3
PARTS: tuple[tuple[str, Callable[[], object], Judge], ...] = (
    ("all", _as_it_is, _judge),
    ("no context", _as_it_is, _without_context),
    ("no rows of a hot talk", _no_hot, _judge),
    ("no role, no kind of group", _as_it_is, _without_hints),
    ("no rules", _no_rules, _judge),
    ("no dialect table", _no_dialect, _judge),
    ("no characters", lambda: _regions(_FAINT, 1.0, 1.5), _judge),
    ("no words", lambda: _regions(1.0, _FAINT, 1.5), _judge),
    ("no concepts, shape, role", lambda: _regions(1.0, 1.0, _FAINT), _judge),
)


def main() -> None:
    """Print a line a part: figures of running chat, then of single messages."""
    known, unseen = dataset.split(dataset.load())
    typer.echo(f"{'':28}  macro-F1, false reports, urgency 3 named: chat | single")
    for name, part, judge in PARTS:
        with ExitStack() as without:
            without.enter_context(part())  # type: ignore[arg-type]
            verdicts = judge(known, unseen)
        told = []
        for single in (False, True):
            pairs = [p for p in zip(unseen, verdicts, strict=True) if p[0].single is single]
            figures = evaluate.measure([example for example, _ in pairs], [verdict for _, verdict in pairs])
            told.append(f"{figures.macro_f1:.3f} {figures.false_reports:.3f} {figures.urgent_named:.3f}")
        typer.echo(f"{name:28}  {'  |  '.join(told)}")


if __name__ == "__main__":
    typer.run(main)
