"""How likely a report belongs to an open ticket: a few signals, each with a weight, summed into a chance.

The weights were fitted to half of the corpus' streams (pairs of a report and a ticket that was open then) and
rounded. A place that is surely another one ends it, whatever else is alike.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from classifiers.alike import alike
from classifiers.verdict import Label, Verdict
from handlers.gazetteer import Gazetteer, Relation, Spot, spot
from handlers.incoming import Incoming
from handlers.shapes import ANEW, FOLLOWING, WITNESS
from storage.tickets import OpenMatter, Telling

# Labels of which one matter may have two: water reaches wires, a leak becomes a quarrel. Most have one.
_AKIN = {
    frozenset({Label.FLOOD, Label.SAFETY}),
    frozenset({Label.FLOOD, Label.SERVICE}),
    frozenset({Label.SAFETY, Label.SERVICE}),
    frozenset({Label.DISPUTE, Label.SERVICE}),
    frozenset({Label.DISPUTE, Label.SAFETY}),
}
# How long people stay with a subject, and how long one stays in mind.
_TALK_MINUTES, _MATTER_MINUTES = 8, 90
_LONG = 60  # characters: so much is told of a new matter rather than of one that all know


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against, each 0..1.

    label: the same. talk, mind: how short ago it was last told, on two scales. latest: as mind, where nothing
    else was told in this group since. teller: by somebody who told of it before. called: names one of them
    with @. place: the same; strange: both named, unlike. wording: see classifiers.alike. follows, witness,
    anew: see handlers.shapes. long: how long the message is.
    """

    label: float = 0.0
    talk: float = 0.0
    mind: float = 0.0
    latest: float = 0.0
    teller: float = 0.0
    called: float = 0.0
    place: float = 0.0
    strange: float = 0.0
    wording: float = 0.0
    follows: float = 0.0
    witness: float = 0.0
    anew: float = 0.0
    long: float = 0.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal adds; `bias` is what has to be overcome."""

    bias: float
    signals: Mapping[str, float]

    def chance(self, found: Signals) -> float:
        total = self.bias + sum(weight * getattr(found, name) for name, weight in self.signals.items())
        return 1 / (1 + math.exp(-total))


# In one group nearness in the talk decides; between groups there is none, and the place does.
_IN_GROUP = Weights(
    -9.7,
    {
        "label": 6.0,
        "talk": 3.0,
        "mind": 1.8,
        "latest": 2.5,
        "teller": 1.5,
        "called": 0.5,
        "place": 2.5,
        "strange": -1.0,
        "wording": 3.0,
        "follows": 0.3,
        "witness": 0.5,
        "anew": -1.5,
        "long": -1.5,
    },
)
_BETWEEN_GROUPS = Weights(
    -6.0, {"label": 3.0, "mind": 1.5, "place": 3.0, "strange": -2.0, "wording": 6.0, "anew": -0.5}
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A message as the linker reads it."""

    text: str
    label: Label
    room: str
    sender: str
    at: datetime
    spot: Spot
    place: str = ""


def reported(gazetteer: Gazetteer, incoming: Incoming, verdict: Verdict, now: datetime) -> Reported:
    where = spot(gazetteer, incoming.text, verdict.place)
    return Reported(incoming.text, verdict.label, incoming.room, incoming.sender, now, where, verdict.place)


def spot_of(gazetteer: Gazetteer, matter: OpenMatter) -> Spot:
    """Where the ticket is, from all that was said of it."""
    where = spot(gazetteer, matter.summary, matter.place)
    for telling in matter.tellings:
        where |= spot(gazetteer, telling.text, "")
    return where


def likeness(report: Reported, matter: OpenMatter, where: Spot, *, latest: bool) -> float:
    """The chance, 0..1, that it is the same matter; `where` is the matter's, `latest` as in Signals."""
    relation = report.spot.relation(where)
    if relation is Relation.APART or not akin(report.label, Label(matter.label)):
        return 0.0
    here = [telling for telling in matter.tellings if telling.room == report.room]
    if not here and relation is not Relation.SAME and not (report.spot.is_named and where.is_named):
        return 0.0  # 门口进水了, said in two groups: each has a door of its own
    weights = _IN_GROUP if here else _BETWEEN_GROUPS
    return weights.chance(_signals(report, matter, here or matter.tellings, relation, latest=latest))


def _signals(
    report: Reported,
    matter: OpenMatter,
    tellings: Sequence[Telling],
    relation: Relation,
    *,
    latest: bool,
) -> Signals:
    minutes = min(((report.at - telling.at).total_seconds() / 60 for telling in tellings), default=math.inf)
    texts = [matter.summary, *(telling.text for telling in tellings[-20:])]
    said = report.text.replace(report.place, "")  # the place has a signal of its own
    return Signals(
        label=float(report.label == matter.label),
        talk=math.exp(-minutes / _TALK_MINUTES),
        mind=math.exp(-minutes / _MATTER_MINUTES),
        latest=math.exp(-minutes / _MATTER_MINUTES) if latest else 0.0,
        teller=float(any(telling.reporter == report.sender for telling in tellings)),
        called=float(any(f"@{telling.reporter_name}" in report.text for telling in tellings)),
        place=float(relation is Relation.SAME),
        strange=float(relation is Relation.STRANGE),
        wording=max(alike(said, text) for text in texts),
        follows=float(FOLLOWING.search(report.text) is not None),
        witness=float(WITNESS.search(report.text) is not None),
        anew=float(ANEW.search(report.text) is not None),
        long=min(1.0, len(report.text) / _LONG),
    )


def akin(one: Label, other: Label) -> bool:
    return one == other or frozenset({one, other}) in _AKIN
