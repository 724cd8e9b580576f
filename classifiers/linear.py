"""The linear model at work: which rows a message lights up -> margins -> probabilities, reasons."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers import context
from classifiers.features import BUCKETS, REGIONS
from classifiers.verdict import Label

MODEL = Path(__file__).parent / "model" / "linear.npz"
LABELS: tuple[Label, ...] = tuple(Label)
URGENCIES = (1, 2, 3)
NONE = LABELS.index(Label.NONE)
REPORTS = tuple(index for index in range(len(LABELS)) if index != NONE)
# Nine machines, each saying how far a message is on its side: five labels, three urgencies (of reports), and
# urgency 3 against all else.
MARGINS = len(LABELS) + len(URGENCIES) + 1
# The table has three columns a machine: for a message alone, for one in a talk, and how much more a row of it
# counts while the talk is hot.
COLUMNS = 3 * MARGINS

Floats = NDArray[np.float32]


# Danger leans to reporting: urgency 3 takes this much of the probability, and then a lower chance makes a
# report. Chosen on other authors' messages: more would miss more of it, less would cry wolf.
DANGER_FROM = 0.2
DANGER_CUT = 0.6


class Told(IntEnum):
    """How a message is told; each way has its own step from margins to probabilities."""

    SINGLE = 0  # of no known group: a letter, a post
    IN_GROUP = 1  # in a group of which no more is known
    TALK = 2  # in a group, with what was said before


class BadModel(ValueError):
    """The file of weights is missing, damaged or of another version: run `python -m classifiers.learn`."""


@dataclass(frozen=True, slots=True)
class Scores:
    """labels: probability of each of LABELS; urgency: probability of 1, 2, 3 if it is a report at all.

    is_report: whether `labels` are taken for a report.
    """

    labels: list[float]
    urgency: list[float]
    is_report: bool

    @property
    def chance(self) -> float:
        return 1.0 - self.labels[NONE]

    @property
    def likeliest(self) -> Label:
        """The best label but none."""
        return LABELS[max(REPORTS, key=self.labels.__getitem__)]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """weights: BUCKETS x COLUMNS, in steps of `scale`; region: how much a row of each region counts.

    bias: MARGINS for a message alone, then MARGINS for one in a talk; numbers: what each of context.NAMES
    adds; labels, urgency: for each Told, from the margins and a constant 1 to log-probabilities; cuts: for
    each Told the chance from which a message is taken for a report.
    """

    weights: NDArray[np.int16]
    scale: Floats
    region: Floats
    bias: Floats
    numbers: Floats
    labels: Floats
    urgency: Floats
    cuts: Floats

    def sums(self, lit: NDArray[np.int64]) -> Floats:
        """What the rows say in each column; `lit` is ascending and has each row once."""
        first, second = lit.searchsorted(REGIONS).tolist()
        chars, words, known = self.region.tolist()
        squares = first * chars**2 + (second - first) * words**2 + (len(lit) - second) * known**2
        found = np.add.reduce(self.weights.take(lit, axis=0), axis=0, dtype=np.int32)
        scaled: Floats = found * (self.scale / np.float32(squares or 1.0) ** 0.5)
        return scaled

    def alone(self, sums: Floats, told: Told) -> Scores:
        return self._settled(told, sums[:MARGINS] + self.bias[:MARGINS])

    def in_talk(self, sums: Floats, numbers: Sequence[float], hot: float) -> Scores:
        """`numbers`, `hot`: of context.numbers."""
        margins = sums[MARGINS : 2 * MARGINS] + np.float32(hot) * sums[2 * MARGINS :]
        margins = margins + np.array(numbers, np.float32) @ self.numbers + self.bias[MARGINS:]
        return self._settled(Told.TALK, margins)

    def _settled(self, told: Told, margins: Floats) -> Scores:
        line = np.append(margins, np.float32(1))
        labels = _softmax(line @ self.labels[told])
        urgency, chance = _softmax(line @ self.urgency[told]), 1.0 - labels[NONE]
        is_danger = urgency[-1] >= DANGER_FROM and chance >= DANGER_CUT
        return Scores(labels, urgency, is_danger or chance >= float(self.cuts[told]))

    def support(self, rows: Sequence[int], label: int) -> list[float]:
        """How far each row alone speaks for the label rather than for none."""
        weights = self.weights[rows]
        found: list[float] = (
            weights[:, label] * self.scale[label] - weights[:, NONE] * self.scale[NONE]
        ).tolist()
        return found

    def save(self, path: Path) -> None:
        """The same weights give the same bytes: members of an npz carry no time."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = {name: getattr(self, name) for name in self.__slots__}
        np.savez_compressed(path, allow_pickle=False, **fields)


def _softmax(values: Floats) -> list[float]:
    powers = np.exp(values - values.max())
    found: list[float] = (powers / powers.sum()).tolist()
    return found


def load(path: Path = MODEL) -> LinearModel:
    """Raises BadModel."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            model = LinearModel(**{name: stored[name] for name in LinearModel.__slots__})
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadModel(f"{path}: {error}") from error
    if model.weights.shape != (BUCKETS, COLUMNS) or model.numbers.shape != (len(context.NAMES), MARGINS):
        raise BadModel(f"{path}: {model.weights.shape} weights, expected {(BUCKETS, COLUMNS)}")
    return model
