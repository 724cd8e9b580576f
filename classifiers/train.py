"""Fits the linear model to labelled messages.

Needs the extra `train` (scikit-learn). The same corpus gives the same file. What is fitted on top of margins
(probabilities, cuts, what a talk means) is fitted on messages whose authors the machines had not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from classifiers import context, dataset
from classifiers.context import STAFF
from classifiers.dataset import Example
from classifiers.features import BUCKETS, REGIONS, Reading, read, rows
from classifiers.linear import LABELS, MARGINS, NONE, URGENCIES, Floats, LinearModel
from classifiers.segment import segmenter
from classifiers.verdict import Sample, Turn

# Chosen on messages of authors left out, see README: how much a row of each region counts, how freely to fit,
# and how much context numbers and the rows of a hot talk count beside the rows.
REGION_WEIGHTS = np.array([1.0, 1.0, 1.5], dtype=np.float32)
FREEDOM = 2.0
NUMBERS_WEIGHT = 0.6
HOT_WEIGHT = 0.7
# A chatter message taken for a report costs more than macro-F1 knows: a ticket in the group for nothing.
FALSE_REPORTS_AT_MOST = 0.018
# The corpus' single messages are traps more often than posts and letters are.
FALSE_SINGLES_AT_MOST = 0.08
FOLDS = 4

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Matrix: TypeAlias = scipy.sparse.csr_matrix


@dataclass(frozen=True, slots=True)
class Data:
    """Messages as rows of features; `before`: the numbers of the rows said before in the same chat.

    readings: for the context numbers; single: see dataset.Example; made_up: of the corpus, not what a street
    put right; folds: messages of one author are in one fold, 0..FOLDS-1.
    """

    rows: Matrix
    samples: Sequence[Sample]
    readings: Sequence[Reading]
    before: Sequence[Sequence[int]]
    labels: Integers
    urgency: Integers
    single: Mask
    made_up: Mask
    folds: Integers

    def __len__(self) -> int:
        return len(self.samples)


def bare(sample: Sample) -> Sample:
    """Without role and kind of group, its own and those of the talk before it."""
    if sample.before is None:
        return Sample(sample.text)
    before = tuple(Turn(turn.sender, turn.ago, turn.text) for turn in sample.before)
    return Sample(sample.text, sender=sample.sender, before=before)


def _matrix(readings: Sequence[Reading]) -> Matrix:
    lit = [rows(reading) for reading in readings]
    ends = np.concatenate(([0], np.cumsum([len(one) for one in lit])))
    values = np.ones(int(ends[-1]))
    matrix = scipy.sparse.csr_matrix((values, np.concatenate(lit), ends), shape=(len(lit), BUCKETS))
    weighted = matrix @ scipy.sparse.diags(_row_weights())
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return (scipy.sparse.diags(1 / np.maximum(length, 1e-9)) @ weighted).tocsr()


def _row_weights() -> Doubles:
    counts = np.diff(REGIONS, prepend=0, append=BUCKETS)
    return np.repeat(REGION_WEIGHTS, counts).astype(np.float64)


def folds(authors: Sequence[str]) -> Integers:
    """Authors to folds of about the same size, the largest first."""
    names, counts = np.unique(np.array(authors), return_counts=True)
    sizes, fold_of = [0] * min(FOLDS, len(names)), {}
    for count, name in sorted(zip(counts.tolist(), names.tolist(), strict=True), reverse=True):
        fold_of[name] = int(np.argmin(sizes))
        sizes[fold_of[name]] += count
    return np.array([fold_of[author] for author in authors])


def prepare(examples: Sequence[Example]) -> Data:
    """Each message counts twice, with its hints and without, so that the model leans on neither.

    `examples`: in the order of the corpus, a chat's messages one after the other.
    """
    words, told = segmenter(), dataset.in_context(examples)
    samples = [one.sample for one in told] + [bare(one.sample) for one in told]
    readings = [read(sample, words) for sample in samples]
    before: list[list[int]] = []
    for index, sample in enumerate(samples):
        before.append(list(range(index - len(sample.before or ()), index)))
    return Data(
        _matrix(readings),
        samples,
        readings,
        before,
        np.tile([LABELS.index(one.label) for one in examples], 2),
        np.tile([one.urgency for one in examples], 2),
        np.tile([one.single for one in examples], 2),
        np.tile([one.author != dataset.STREET for one in examples], 2),
        np.tile(folds([one.author for one in examples]), 2),
    )


def _machine(matrix: Matrix, side: Mask) -> tuple[Doubles, float]:
    """One line between `side` and the rest; far off where there is nothing on one side."""
    if side.all() or not side.any():
        return np.zeros(matrix.shape[1]), 1.0 if side.all() else -1.0
    fitted = LinearSVC(C=FREEDOM, random_state=0, tol=2e-2).fit(matrix, side)
    return fitted.coef_[0], float(fitted.intercept_[0])


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights (features x MARGINS) and constants, before rounding."""

    weights: Doubles
    bias: Doubles

    def margins(self, matrix: Matrix) -> Doubles:
        result: Doubles = matrix @ self.weights + self.bias
        return result


def fit(matrix: Matrix, labels: Integers, urgency: Integers) -> Fit:
    """MARGINS machines, see linear.MARGINS."""
    reports = np.flatnonzero(urgency > 0)
    found = [_machine(matrix, labels == label) for label in range(len(LABELS))]
    found += [_machine(matrix[reports], urgency[reports] == level) for level in URGENCIES]
    found.append(_machine(matrix, urgency == 3))
    return Fit(np.column_stack([weights for weights, _ in found]), np.array([bias for _, bias in found]))


def _left_out(matrix: Matrix, data: Data) -> Doubles:
    """For each message the margins of machines that never saw its author."""
    margins = np.zeros((len(data), MARGINS))
    for fold in range(int(data.folds.max()) + 1):
        out = data.folds == fold
        margins[out] = fit(matrix[~out], data.labels[~out], data.urgency[~out]).margins(matrix[out])
    return margins


@dataclass(frozen=True, slots=True)
class Settled:
    """From margins to probabilities: (MARGINS + 1) x classes, the last line for a constant 1."""

    labels: Floats
    urgency: Floats
    cut: float

    def probabilities(self, margins: Doubles) -> Doubles:
        scores = _with_one(margins) @ self.labels
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        result: Doubles = powers / powers.sum(axis=1, keepdims=True)
        return result


def _with_one(margins: Doubles) -> Doubles:
    return np.column_stack((margins, np.ones(len(margins))))


def _probable(margins: Doubles, target: Integers, classes: int) -> Floats:
    """Log-probabilities as a line of the margins; rounded, for last bits differ between machines."""
    weights = np.zeros((MARGINS + 1, classes))
    weights[-1] = -9.0
    regression = LogisticRegression(C=1.0, max_iter=500).fit(margins, target)
    found, slopes, constants = regression.classes_, regression.coef_, regression.intercept_
    if len(found) == 2:  # scikit-learn keeps one line for two classes
        slopes, constants = np.vstack((-slopes, slopes)) / 2, np.r_[-constants, constants] / 2
    weights[:-1, found], weights[-1, found] = slopes.T, constants
    return np.round(weights, 3).astype(np.float32)


def _settle(margins: Doubles, data: Data, part: Mask, false_reports: float) -> Settled:
    """`margins`: of machines that never saw the messages' authors. Fitted on `part`, if it holds enough.

    Not on corrections: they are where the model was wrong, and would teach it to doubt itself.
    """
    part = part & data.made_up
    if (data.labels[part] == NONE).all() or (data.labels[part] != NONE).all():
        part = data.made_up
    margins, labels, urgency = margins[part], data.labels[part], data.urgency[part]
    reports = urgency > 0
    by_label = _probable(margins, labels, len(LABELS))
    by_urgency = _probable(margins[reports], urgency[reports] - 1, len(URGENCIES))
    shares = Settled(by_label, by_urgency, 0.0).probabilities(margins)
    return Settled(by_label, by_urgency, _cut(shares, labels, false_reports))


def _cut(probabilities: Doubles, labels: Integers, false_reports: float) -> float:
    """The chance from which a message is best taken for a report: macro-F1 with few false reports."""
    chance, best = 1 - probabilities[:, NONE], np.delete(probabilities, NONE, axis=1).argmax(axis=1)
    quiet = labels == NONE

    def worth(cut: float) -> float:
        excess = max(0.0, float((chance[quiet] >= cut).mean()) - false_reports)
        decided = np.where(chance >= cut, best, NONE)
        return float(f1_score(labels, decided, average="macro")) - 5 * excess

    assert len(LABELS) - 1 == NONE  # np.delete above keeps the reports' numbers
    cuts: list[float] = np.round(np.arange(0.2, 0.91, 0.02), 2).tolist()
    return max(cuts, key=worth)


def _talk(data: Data, shares: Doubles) -> tuple[Matrix, Doubles]:
    """The context numbers of each message and how hot its talk is. `shares`: what each says by itself."""
    heard = [
        context.heard(reading.plain, share.tolist())
        for reading, share in zip(data.readings, shares.round(3), strict=True)
    ]
    lines, hot = [], []
    for index, sample in enumerate(data.samples):
        before = [(turn, heard[at]) for turn, at in zip(sample.before or (), data.before[index], strict=True)]
        line, heat = context.numbers(heard[index], sample.sender, sample.role in STAFF, before)
        lines.append(line)
        hot.append(heat)
    return scipy.sparse.csr_matrix(np.array(lines)), np.array(hot)


def build(examples: Sequence[Example]) -> LinearModel:
    """Fits everything; needs two authors at least."""
    data = prepare(examples)
    with threadpool_limits(1):  # sums in one order: the same bits on any number of cores
        return _build(data)


def _build(data: Data) -> LinearModel:
    margins = _left_out(data.rows, data)
    chat = ~data.single
    in_group = _settle(margins, data, chat, FALSE_REPORTS_AT_MOST)
    single = _settle(margins, data, np.ones_like(chat), FALSE_SINGLES_AT_MOST)
    numbers, hot = _talk(data, in_group.probabilities(margins))
    talk = scipy.sparse.hstack(
        (data.rows, numbers * NUMBERS_WEIGHT, scipy.sparse.diags(hot * HOT_WEIGHT) @ data.rows)
    ).tocsr()
    told = (single, in_group, _settle(_left_out(talk, data), data, chat, FALSE_REPORTS_AT_MOST))
    alone = fit(data.rows, data.labels, data.urgency)
    in_talk = fit(talk, data.labels, data.urgency)
    base, extra, hotter = np.split(in_talk.weights, [BUCKETS, BUCKETS + len(context.NAMES)])
    weights = np.hstack((alone.weights, base, hotter * HOT_WEIGHT)) * _row_weights()[:, None]
    step = np.abs(weights).max(axis=0) / 2047  # twelve bits are plenty
    step[step == 0] = 1.0
    return LinearModel(
        np.rint(weights / step).astype(np.int16),
        step.astype(np.float32),
        REGION_WEIGHTS,
        np.concatenate((alone.bias, in_talk.bias)).astype(np.float32),
        (extra * NUMBERS_WEIGHT).astype(np.float32),
        np.stack([one.labels for one in told]),
        np.stack([one.urgency for one in told]),
        np.array([one.cut for one in told], dtype=np.float32),
    )
