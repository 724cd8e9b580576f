"""`python -m bot.fit_linking`: fits the weights of `handlers/likeness.py` to chat whose incidents are known.

Needs the extra `train`; takes some minutes, as each message is read by a classifier that never saw its
author. It prints the weights; rounded, they stand in the table, where people can read what a join is made
of. The development authors and every second pair of groups that share incidents are left for measuring.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import typer
from sklearn.linear_model import LogisticRegression

from bot.evaluate_incidents import Line, line_of
from classifiers import dataset, evaluate
from classifiers.verdict import Verdict
from handlers.gazetteer import Gazetteer
from handlers.incoming import Incoming, MessageKind
from handlers.likeness import IN_GROUP, Reported, Signals, Weights, reported, signals, spot_of
from handlers.rules import Linking
from storage.tickets import OpenMatter, Telling

_NOWHERE = Gazetteer()
_HEARD, _OPENS = 0.5, 0.9  # chance from which a message may join a ticket, may open one
_SHARED_BY = "a17"

Told = tuple[Line, Verdict]


@dataclass
class _Matter:
    """What really happened, with all that was told of it so far: the ticket of a bot that joins rightly."""

    incident: str
    ticket: OpenMatter
    touched: datetime

    def add(self, report: Reported) -> None:
        telling = Telling(report.room, report.sender, report.sender, report.text, report.at)
        self.ticket = replace(self.ticket, tellings=(*self.ticket.tellings, telling))
        self.touched = report.at


@dataclass
class Pairs:
    """Signals of a report and an open ticket of its group, and whether the one is of the other."""

    found: list[Signals] = field(default_factory=list)
    same: list[bool] = field(default_factory=list)

    def fit(self, names: Sequence[str]) -> Weights:
        rows = np.array([[asdict(one)[name] for name in names] for one in self.found])
        fitted = LogisticRegression(max_iter=5000).fit(rows, np.array(self.same))
        weights = dict(zip(names, fitted.coef_[0].tolist(), strict=True))
        return Weights(float(fitted.intercept_[0]), weights)


def for_fitting(line: Line) -> bool:
    """Of the groups that share incidents every second pair is left out: a17-02a and a17-02b, a17-04a, ..."""
    number = line.stream.split("-")[1][:2]
    return line.author != _SHARED_BY or (number.isdigit() and int(number) % 2 == 1)


def pairs(told: Iterable[Told]) -> Pairs:
    """Of one group's chat, in the order of time.

    What belongs to no incident is left out: whether banter is noted is not for likeness to say.
    """
    found = Pairs()
    matters: list[_Matter] = []
    for line, verdict in told:
        if not line.incident or not verdict.is_report or verdict.chance < _HEARD:
            continue
        report = reported(_NOWHERE, _incoming(line), verdict, line.at)
        window = timedelta(hours=Linking().window_hours)
        matters = [matter for matter in matters if line.at - matter.touched < window]
        _compare(found, matters, report, line.incident)
        own = next((matter for matter in matters if matter.incident == line.incident), None)
        if own is None and verdict.chance >= _OPENS:
            ticket = OpenMatter(len(matters), verdict.label, verdict.place, line.text, line.stream)
            own = _Matter(line.incident, ticket, line.at)
            matters.append(own)
        if own is not None:
            own.add(report)
    return found


def _compare(found: Pairs, matters: Sequence[_Matter], report: Reported, incident: str) -> None:
    newest = max((matter.touched for matter in matters), default=None)
    for matter in matters:
        where = spot_of(_NOWHERE, matter.ticket)
        one = signals(report, matter.ticket, where, latest=matter.touched == newest)
        if one is not None:  # a veto decides alone
            found.found.append(one)
            found.same.append(matter.incident == incident)


def _incoming(line: Line) -> Incoming:
    return Incoming(
        account="",
        id="",
        room=line.stream,
        room_topic=line.stream,
        sender=line.sender,
        sender_name=line.sender,
        sent_at=line.at,
        text=line.text,
        kind=MessageKind.TEXT,
    )


def fit(told: Iterable[Told]) -> Iterator[str]:
    """The weights, for people: fitted, and as they stand in the table."""
    streams: dict[str, list[Told]] = defaultdict(list)
    for line, verdict in told:
        streams[line.stream].append((line, verdict))
    every = Pairs()
    for stream in streams.values():
        some = pairs(sorted(stream, key=lambda pair: pair[0].at))
        every.found += some.found
        every.same += some.same
    fitted = every.fit(list(IN_GROUP.signals))
    yield f"{len(every.same)} pairs, {sum(every.same)} of one matter"
    yield f"bias      {fitted.bias:6.1f}  (table {IN_GROUP.bias:.1f})"
    for name, weight in fitted.signals.items():
        yield f"{name:9} {weight:6.1f}  (table {IN_GROUP.signals[name]:.1f})"


def main() -> None:
    """Fit and print; nothing is written."""
    known, _ = dataset.split(dataset.load())
    verdicts = [verdict.as_report() for verdict in evaluate.left_out(known)]
    told = [(line_of(one), verdict) for one, verdict in zip(known, verdicts, strict=True) if not one.single]
    for line in fit([pair for pair in told if for_fitting(pair[0])]):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
