"""From the corpus, and what a street put right, to a model that is no worse: `python -m classifiers.learn`.

Every model carries its mark: the figures, on the development split, of a twin that learned the same but for
that split. Marks of two models are comparable; a model's own figures there would flatter it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from classifiers import dataset, evaluate, train
from classifiers.dataset import Example
from classifiers.linear import MODEL, LinearModel


@dataclass(frozen=True, slots=True)
class Mark:
    """Shares on the development split, see evaluate.Figures; `corrections`: how many were learned from."""

    macro_f1: float
    false_reports: float
    urgent_named: float
    corrections: int = 0

    def line(self) -> str:
        return (
            f"macro-F1 {self.macro_f1:.3f}, chatter called a report {self.false_reports:.3f}, "
            f"urgency 3 named {self.urgent_named:.3f}, {self.corrections} corrections"
        )


# How much worse each figure may be before a model is refused: what a few dozen messages change by chance.
_SLACK = {"macro_f1": 0.005, "false_reports": -0.003, "urgent_named": 0.02}
# What a person of this street put right counts more than a message somebody made up.
_CORRECTION_COUNTS = 4


@dataclass(frozen=True, slots=True)
class Learned:
    model: LinearModel
    mark: Mark


def mark_of(corrections: Sequence[Example] = ()) -> Mark:
    """The twin's figures. Half the time that `learn` takes."""
    known, unseen = dataset.split(dataset.load())
    twin = evaluate.classifier_of(_with(known, corrections))
    figures = evaluate.measure(unseen, evaluate.judged(twin, unseen))
    return Mark(
        round(figures.macro_f1, 3),
        round(figures.false_reports, 3),
        round(figures.urgent_named, 3),
        len(corrections),
    )


def worse(fresh: Mark, used: Mark) -> list[str]:
    """In which figures the fresh model is worse than the one in use; empty if in none."""
    found = []
    for name, slack in _SLACK.items():
        now, before = getattr(fresh, name), getattr(used, name)
        lost = before - now if slack > 0 else now - before
        if lost > abs(slack) + 1e-9:
            found.append(f"{name} {before:.3f} -> {now:.3f}")
    return found


def learn(corrections: Sequence[Example] = ()) -> LinearModel:
    """A model of the whole corpus and the corrections."""
    return train.build(_with(dataset.load(), corrections))


def _with(examples: Sequence[Example], corrections: Sequence[Example]) -> list[Example]:
    return [*examples, *(one for one in corrections for _ in range(_CORRECTION_COUNTS))]


def mark_file(model: Path) -> Path:
    return model.with_suffix(".json")


def save(learned: Learned, path: Path) -> None:
    learned.model.save(path)
    mark_file(path).write_text(json.dumps(asdict(learned.mark)) + "\n", "utf-8")


def mark_in(path: Path) -> Mark:
    """The mark of the model at `path`. Raises OSError or ValueError where there is none."""
    try:
        return Mark(**json.loads(mark_file(path).read_text("utf-8")))
    except TypeError as error:
        raise ValueError(f"{mark_file(path)}: {error}") from error


def main(to: Path = MODEL) -> None:
    """Train on the whole corpus; write weights to TO, their mark beside. Stops at a bad line, naming it."""
    try:
        learned = Learned(learn(), mark_of())
    except dataset.BadCorpus as error:
        raise SystemExit(str(error)) from error
    save(learned, to)
    typer.echo(f"{to}: {to.stat().st_size:,} bytes; on the development split {learned.mark.line()}")


if __name__ == "__main__":
    typer.run(main)
