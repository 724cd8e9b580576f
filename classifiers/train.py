"""Fits the linear model to the corpus: `python -m classifiers.train`.

Needs the extra `train` (scikit-learn). The same corpus gives the same file. Temperatures and decisions are
fitted on messages of authors whom the model had not seen (leave one author out).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from classifiers import dataset
from classifiers.dataset import Example
from classifiers.features import BUCKETS, REGIONS, read, rows
from classifiers.linear import LABELS, MODEL, NONE, REPORTS, URGENCIES, Floats, LinearModel
from classifiers.segment import segmenter
from classifiers.verdict import Sample

# Chosen by leave-one-author-out, see README: how much a row of each region counts, and how freely to fit.
REGION_WEIGHTS = np.array([1.0, 1.0, 1.5], dtype=np.float32)
LABEL_FREEDOM = 5.0
URGENCY_FREEDOM = 3.0
# A chatter message taken for a report costs more than macro-F1 knows: a ticket in the group for nothing.
FALSE_REPORTS_AT_MOST = 0.03

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Data:
    """rows: a message a line, with its hints; bare: the same without role and kind of group."""

    rows: scipy.sparse.csr_matrix
    bare: scipy.sparse.csr_matrix
    labels: Integers
    urgency: Integers
    groups: NDArray[np.str_]

    def part(self, chosen: NDArray[np.bool_]) -> "Data":
        return Data(
            self.rows[chosen],
            self.bare[chosen],
            self.labels[chosen],
            self.urgency[chosen],
            self.groups[chosen],
        )


def _matrix(samples: Sequence[Sample]) -> scipy.sparse.csr_matrix:
    words = segmenter()
    lit = [rows(read(sample, words)) for sample in samples]
    ends = np.concatenate(([0], np.cumsum([len(one) for one in lit])))
    values = np.ones(int(ends[-1]))
    matrix = scipy.sparse.csr_matrix((values, np.concatenate(lit), ends), shape=(len(lit), BUCKETS))
    weighted = matrix @ scipy.sparse.diags(_row_weights().astype(np.float64))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return (scipy.sparse.diags(1 / np.maximum(length, 1e-9)) @ weighted).tocsr()


def _row_weights() -> Floats:
    counts = np.diff(REGIONS, prepend=0, append=BUCKETS)
    return np.repeat(REGION_WEIGHTS, counts)


def bare(sample: Sample) -> Sample:
    """The text without its hints."""
    return Sample(sample.text)


def author(example: Example) -> str:
    return example.author


def prepare(examples: Sequence[Example], by: Callable[[Example], str] = author) -> Data:
    """`by`: the group of an example; the messages of a group are left out together."""
    return Data(
        _matrix([example.sample for example in examples]),
        _matrix([bare(example.sample) for example in examples]),
        np.array([LABELS.index(example.label) for example in examples]),
        np.array([example.urgency for example in examples]),
        np.array([by(example) for example in examples]),
    )


def _fit(matrix: scipy.sparse.csr_matrix, target: Integers, freedom: float) -> tuple[Doubles, Doubles]:
    """Weights (features x classes) and constants, for classes 0..n-1; one never seen stays at -10."""
    classes = int(target.max()) + 1
    weights, bias = np.zeros((matrix.shape[1], classes)), np.full(classes, -10.0)
    regression = LogisticRegression(C=freedom, max_iter=400, tol=1e-4).fit(matrix, target)
    found, coefficients, constants = regression.classes_, regression.coef_, regression.intercept_
    if len(found) == 2:  # scikit-learn keeps one column for two classes
        coefficients, constants = (
            np.vstack((-coefficients, coefficients)) / 2,
            np.r_[-constants, constants] / 2,
        )
    weights[:, found] = coefficients.T
    bias[found] = constants
    return weights, bias


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights and constants of five labels and three urgencies, before rounding to bytes."""

    weights: Doubles
    bias: Doubles

    def scores(self, matrix: scipy.sparse.csr_matrix) -> Doubles:
        result: Doubles = matrix @ self.weights + self.bias
        return result


def fit(data: Data) -> Fit:
    """Each message counts twice, with its hints and without, so that the model leans on neither."""
    both = scipy.sparse.vstack((data.rows, data.bare)).tocsr()
    labels, urgency = np.tile(data.labels, 2), np.tile(data.urgency, 2)
    with threadpool_limits(1):  # sums in one order: the same bits on any number of cores
        label_part = _fit(both, labels, LABEL_FREEDOM)
        reports = urgency > 0
        urgency_part = _fit(both[reports], urgency[reports] - 1, URGENCY_FREEDOM)
    return Fit(np.hstack((label_part[0], urgency_part[0])), np.concatenate((label_part[1], urgency_part[1])))


def left_out(data: Data) -> Doubles:
    """For each message the eight scores of a model that never saw its group (author or stream)."""
    scores = np.zeros((len(data.labels), len(LABELS) + len(URGENCIES)))
    for group in sorted(set(data.groups.tolist())):
        out = data.groups == group
        scores[out] = fit(data.part(~out)).scores(data.rows[out])
    return scores


def _probabilities(scores: Doubles) -> Doubles:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Doubles = powers / powers.sum(axis=1, keepdims=True)
    return result


def _decided(scores: Doubles, added: Doubles) -> Integers:
    """linear.decide for many lines at once."""
    leaning = scores + added
    quiet = leaning[:, NONE] > np.logaddexp.reduce(scores[:, REPORTS], axis=1)
    leaning[:, NONE] = -np.inf
    return np.where(quiet, NONE, leaning.argmax(axis=1))


def temperature(scores: Doubles, target: Integers) -> float:
    """What to divide scores by so that the log-loss of the probabilities is least."""
    tried = np.geomspace(0.3, 4.0, 60)
    chosen = np.arange(len(target))
    losses = [-np.log(_probabilities(scores / by)[chosen, target] + 1e-9).mean() for by in tried]
    return float(tried[int(np.argmin(losses))])


def lean(scores: Doubles, target: Integers) -> Doubles:
    """What to add to the label scores before the largest decides: best macro-F1 with few false reports.

    Coordinate by coordinate over a coarse grid: a finer one would fit the noise.
    """
    added = np.zeros(len(LABELS))

    quiet = target == NONE

    def worth(candidate: Doubles) -> float:
        decided = _decided(scores, candidate)
        excess = max(0.0, float((decided[quiet] != NONE).mean()) - FALSE_REPORTS_AT_MOST)
        return float(f1_score(target, decided, average="macro")) - 20 * excess

    for _, column in product(range(3), range(len(LABELS))):
        steps: Doubles = np.round(np.arange(-1.5, 1.51, 0.1), 2)
        trials = [added + np.eye(len(LABELS))[column] * step for step in steps]
        best = max(trials, key=worth)
        added = best if worth(best) > worth(added) + 1e-6 else added
    return added


@dataclass(frozen=True, slots=True)
class Tuning:
    """What is fitted on messages of authors whom the model had not seen: see LinearModel."""

    temperature: Floats
    lean: Floats


def tune(data: Data) -> Tuning:
    """Needs two groups at least."""
    scores = left_out(data)
    labels, urgency = scores[:, : len(LABELS)], scores[:, len(LABELS) :]
    reports = data.urgency > 0
    heat = [temperature(labels, data.labels), temperature(urgency[reports], data.urgency[reports] - 1)]
    return Tuning(np.array(heat, dtype=np.float32), lean(labels, data.labels).astype(np.float32))


def assemble(found: Fit, tuning: Tuning) -> LinearModel:
    """Weights rounded to 1/2047 of the largest of their column: twelve bits are plenty."""
    weights = found.weights * _row_weights()[:, None]
    step = np.abs(weights).max(axis=0) / 2047
    step[step == 0] = 1.0
    return LinearModel(
        np.rint(weights / step).astype(np.int16),
        step.astype(np.float32),
        found.bias.astype(np.float32),
        REGION_WEIGHTS,
        tuning.temperature,
        tuning.lean,
    )


def build(examples: Sequence[Example]) -> LinearModel:
    """Fits everything; needs two authors at least."""
    data = prepare(examples)
    return assemble(fit(data), tune(data))


def main(to: Path = MODEL) -> None:
    """Train on the whole corpus and write the weights to TO. Stops at a bad line, naming it."""
    try:
        examples = dataset.load()
    except dataset.BadCorpus as error:
        raise SystemExit(str(error)) from error
    model = build(examples)
    model.save(to)
    typer.echo(f"{len(examples)} messages, {to.stat().st_size:,} bytes: {to}")
    typer.echo(f"temperatures {model.temperature.tolist()}, lean {model.lean.round(2).tolist()}")


if __name__ == "__main__":
    typer.run(main)
