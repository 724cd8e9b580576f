"""The linear model at work: which rows a message lights up -> scores, probabilities, reasons."""

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.features import BUCKETS, REGIONS
from classifiers.verdict import Label

MODEL = Path(__file__).parent / "model" / "linear.npz"
LABELS: tuple[Label, ...] = tuple(Label)
URGENCIES = (1, 2, 3)
NONE = LABELS.index(Label.NONE)
REPORTS = tuple(index for index in range(len(LABELS)) if index != NONE)
DANGER_FROM = 0.4  # probability of urgency 3 from which it is taken for 3: chosen on other authors' messages

Floats = NDArray[np.float32]


class BadModel(ValueError):
    """The file of weights is missing, damaged or of another version: run `python -m classifiers.train`."""


@dataclass(frozen=True, slots=True)
class Scores:
    """labels: probability of each of LABELS; decided: index of the label; urgency: probability of 1, 2, 3."""

    labels: list[float]
    decided: int
    urgency: list[float]


def softmax(values: Sequence[float], temperature: float) -> list[float]:
    """Plain Python: for five numbers it takes a tenth of what numpy takes."""
    largest = max(values)
    powers = [math.exp((value - largest) / temperature) for value in values]
    total = sum(powers)
    return [power / total for power in powers]


def decide(scores: Sequence[float], lean: Sequence[float]) -> int:
    """None, if it outweighs all reports together; else the best report: each with its lean.

    Together, because a message torn between flood and safety is a report for certain.
    """
    if scores[NONE] + lean[NONE] > math.log(sum(math.exp(scores[label]) for label in REPORTS)):
        return NONE
    return max(REPORTS, key=lambda label: scores[label] + lean[label])


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Eight columns a row: five labels and three urgencies.

    weights: in steps of `scale`, a step a column; bias: a column's constant; region: how much a row of each
    region counts for a message's length; temperature: what scores of labels and of urgencies are divided by
    before they become probabilities; lean: see `decide`.
    """

    weights: NDArray[np.int16]
    scale: Floats
    bias: Floats
    region: Floats
    temperature: Floats
    lean: Floats

    def columns(self, lit: NDArray[np.int64]) -> list[float]:
        """The eight raw scores; `lit` is ascending and has each row once."""
        first, second = lit.searchsorted(REGIONS).tolist()
        chars, words, known = self.region.tolist()
        squares = first * chars**2 + (second - first) * words**2 + (len(lit) - second) * known**2
        sums = np.add.reduce(self.weights.take(lit, axis=0), axis=0, dtype=np.int32)
        found: list[float] = (sums * (self.scale / math.sqrt(squares or 1.0)) + self.bias).tolist()
        return found

    def scores(self, lit: NDArray[np.int64]) -> Scores:
        raw, (heat, urgency_heat) = self.columns(lit), self.temperature.tolist()
        labels, urgency = raw[: len(LABELS)], raw[len(LABELS) :]
        return Scores(
            softmax(labels, heat), decide(labels, self.lean.tolist()), softmax(urgency, urgency_heat)
        )

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


def load(path: Path = MODEL) -> LinearModel:
    """Raises BadModel."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            model = LinearModel(**{name: stored[name] for name in LinearModel.__slots__})
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadModel(f"{path}: {error}") from error
    if model.weights.shape != (BUCKETS, len(LABELS) + len(URGENCIES)):
        raise BadModel(f"{path}: {model.weights.shape} weights, expected {BUCKETS} rows of 8")
    return model
