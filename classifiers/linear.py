"""The linear model at work: which rows a message lights up -> scores, probabilities, reasons."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.features import BUCKETS, REGIONS
from classifiers.verdict import Label

MODEL = Path(__file__).parent / "model" / "linear.npz"
LABELS: tuple[Label, ...] = tuple(Label)
URGENCIES = (1, 2, 3)
NONE = LABELS.index(Label.NONE)
DANGER_FROM = 0.4  # probability of urgency 3 from which it is taken for 3: chosen on other authors' messages

Floats = NDArray[np.float32]


class BadModel(ValueError):
    """The file of weights is missing, damaged or of another version: run `python -m classifiers.train`."""


@dataclass(frozen=True, slots=True)
class Scores:
    """labels: probability of each of LABELS; decided: index of the label; urgency: probability of 1, 2, 3."""

    labels: Floats
    decided: int
    urgency: Floats


def softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def decide(scores: NDArray[Any], lean: NDArray[Any]) -> NDArray[np.intp]:
    """The label of each line of scores: none, if none outweighs all reports together, else the best report.

    Together, because a message torn between flood and safety is a report for certain.
    """
    leaning = scores + lean
    quiet = leaning[:, NONE].copy()
    leaning[:, NONE] = -np.inf
    together = np.logaddexp.reduce(scores[:, [i for i in range(len(LABELS)) if i != NONE]], axis=1)
    return np.where(quiet > together, NONE, leaning.argmax(axis=1))


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Eight columns a row: five labels and three urgencies; two bytes a weight, 2 MB in memory.

    scale: what 1 stands for in a column; bias: a column's constant; region: how much a row of each region
    counts for a message's length; temperature: what label scores are divided by before they become
    probabilities; lean: added to the scores for the decision only, see `decide`.
    """

    weights: NDArray[np.int16]
    scale: Floats
    bias: Floats
    region: Floats
    temperature: Floats
    lean: Floats

    def columns(self, lit: NDArray[np.int64]) -> Floats:
        """The eight raw scores; `lit` is ascending and has each row once."""
        edges = lit.searchsorted(REGIONS)
        counts = np.diff(edges, prepend=0, append=len(lit))
        length = np.sqrt(float(counts @ (self.region * self.region)) or 1.0)
        sums = self.weights[lit].sum(axis=0, dtype=np.int32)
        result: Floats = (sums * self.scale / length + self.bias).astype(np.float32)
        return result

    def scores(self, lit: NDArray[np.int64]) -> Scores:
        raw = self.columns(lit)
        labels, urgency = raw[: len(LABELS)], raw[len(LABELS) :]
        decided = int(decide(labels[None], self.lean)[0])
        return Scores(softmax(labels / self.temperature[0]), decided, softmax(urgency / self.temperature[1]))

    def support(self, row: int, label: int) -> float:
        """How far this row alone speaks for the label rather than for none."""
        weight = self.weights[row]
        return float(weight[label] * self.scale[label] - weight[NONE] * self.scale[NONE])

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
