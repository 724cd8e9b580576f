"""How likely a report belongs to an open ticket: a few signals, each with a weight, summed into a chance.

`python -m bot.fit_linking` fits the weights within a group to the corpus' streams: pairs of a report, as a
classifier that does not know its author reads it, and a ticket that was open then. What the pairs tell: in a
group, who speaks within five minutes of a ticket's last report speaks of it, 97 times in 100, in whatever
words and under whatever label; after twenty minutes hardly ever, unless it is the same person or the wording
is alike. What they cannot tell, because it is rare there and costs much, stands as vetoes at the end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from classifiers.alike import alike
from classifiers.concepts import concepts, standard
from classifiers.normalise import normalise
from classifiers.verdict import Label, Verdict
from handlers.gazetteer import Gazetteer, Relation, Spot, spot
from handlers.incoming import Incoming
from handlers.shapes import ANEW, leans
from storage.tickets import OpenMatter, Telling

# How long people stay with a subject, and how long one stays in mind.
_TALK_MINUTES, _MATTER_MINUTES = 8, 90
_AT_ONCE_MINUTES = 5  # who speaks so soon speaks of the same
_LONG = 60  # characters: so much is told of a new matter rather than of one that all know
_TEXTS = 20  # the last tellings are compared with
_HOUSES = {"house", "unit", "number"}  # 3栋, 2单元, 5号: where people live, and what they begin with


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against, each 0..1.

    label: the same. talk, mind: how short ago it was last told, on two scales. latest: as mind, where nothing
    else was told in this group since. teller: by somebody who told of it before. place: the same; strange:
    both named, unlike. wording: see classifiers.alike. concepts: alike in what the words speak of. leans,
    anew: see handlers.shapes. long: how long the message is.
    """

    label: float = 0.0
    talk: float = 0.0
    mind: float = 0.0
    latest: float = 0.0
    teller: float = 0.0
    place: float = 0.0
    strange: float = 0.0
    wording: float = 0.0
    concepts: float = 0.0
    leans: float = 0.0
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


IN_GROUP = Weights(
    -4.5,
    {
        "label": 0.8,
        "talk": 5.2,
        "latest": 3.1,
        "teller": 2.8,
        "place": 1.5,  # fitted 1.0, but a street's own list is surer of its places than the corpus is
        "strange": -1.3,
        "wording": 2.9,
        "concepts": 1.3,
        "leans": 0.3,
        "anew": -1.5,
        "long": -2.7,
    },
)
# Between groups there is no thread of talk to follow: all of it has to be alike. The corpus has too few such
# pairs for a fit (six): set by hand, so that one pair in a thousand of unrelated chats, put side by side,
# reaches 0.4.
BETWEEN_GROUPS = Weights(-6.6, {"talk": 2.4, "mind": 3.2, "place": 2.5, "wording": 9.0, "concepts": 2.6})


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
    urgency: int = 1


def reported(gazetteer: Gazetteer, incoming: Incoming, verdict: Verdict, now: datetime) -> Reported:
    where = spot(gazetteer, incoming.text, verdict.place)
    return Reported(
        incoming.text,
        verdict.label,
        incoming.room,
        incoming.sender,
        now,
        where,
        verdict.place,
        verdict.urgency,
    )


def spot_of(gazetteer: Gazetteer, matter: OpenMatter) -> Spot:
    """Where the ticket is, from all that was said of it."""
    where = spot(gazetteer, matter.summary, matter.place)
    for telling in matter.tellings:
        where |= spot(gazetteer, telling.text, "")
    return where


def likeness(report: Reported, matter: OpenMatter, where: Spot, *, latest: bool) -> float:
    """The chance, 0..1, that it is the same matter; `where` is the matter's, `latest` as in Signals."""
    found = signals(report, matter, where, latest=latest)
    if found is None:
        return 0.0
    here = any(telling.room == report.room for telling in matter.tellings)
    return (IN_GROUP if here else BETWEEN_GROUPS).chance(found)


def signals(report: Reported, matter: OpenMatter, where: Spot, *, latest: bool) -> Signals | None:
    """None where a veto holds."""
    tellings = [telling for telling in matter.tellings if telling.room == report.room]
    here, tellings = bool(tellings), tellings or list(matter.tellings)
    texts = [matter.summary, *(telling.text for telling in tellings[-_TEXTS:])]
    said = report.text.replace(report.place, "")  # the place has a signal of its own
    leaning = here and leans(report.text)
    relation = report.spot.relation(where)
    common = max(_common(said, text) for text in texts)
    minutes = _minutes(report, tellings)
    if (
        _elsewhere(report.spot, where, relation, leaning=leaning)
        or (not leaning and _of_something_else(report, matter, said, texts, common))
        or (here and _danger_of_its_own(report, matter, minutes))
        or (not here and not _one_place(report, matter, where, relation))
    ):
        return None
    mind = math.exp(-minutes / _MATTER_MINUTES)
    return Signals(
        label=float(report.label == matter.label),
        talk=math.exp(-minutes / _TALK_MINUTES),
        mind=mind,
        latest=mind if latest else 0.0,
        teller=float(any(telling.reporter == report.sender for telling in tellings)),
        place=float(relation is Relation.SAME),
        strange=float(relation in {Relation.STRANGE, Relation.APART}),
        wording=max(alike(said, text) for text in texts),
        concepts=common,
        leans=float(leaning),
        anew=float(ANEW.search(report.text) is not None),
        long=min(1.0, len(report.text) / _LONG),
    )


def _minutes(report: Reported, tellings: Sequence[Telling]) -> float:
    return min(((report.at - telling.at).total_seconds() / 60 for telling in tellings), default=math.inf)


@lru_cache(maxsize=4096)
def _concepts(text: str) -> frozenset[str]:
    """What the words speak of: fire, lift, gas."""
    found = concepts().found(standard(normalise(text))).values()
    return frozenset(concept for names in found for concept in names.split())


def _common(one: str, other: str) -> float:
    first, second = _concepts(one), _concepts(other)
    return len(first & second) / math.sqrt(len(first) * len(second)) if first and second else 0.0


# Vetoes. In a storm two matters are told in one minute; that is rare in the corpus and must not be missed.


def _elsewhere(mine: Spot, theirs: Spot, relation: Relation, *, leaning: bool) -> bool:
    """3栋进水 after 5栋进水. But 2栋也一样 tells where its teller lives: the matter is the one told of."""
    if relation is not Relation.APART:
        return False
    return not leaning or _homeless(mine).relation(_homeless(theirs)) is Relation.APART


def _homeless(where: Spot) -> Spot:
    """Without the numbers of houses: landmarks, lifts and lamps stay."""
    things = frozenset(number for number in where.numbers if number[0] not in _HOUSES)
    return Spot(where.entries, things, where.words)


def _of_something_else(
    report: Reported, matter: OpenMatter, said: str, texts: Sequence[str], common: float
) -> bool:
    """电线掉了 after 进水了: another label, and no word that speaks of the same."""
    if report.label == matter.label or common:
        return False
    return bool(_concepts(said)) and any(_concepts(text) for text in texts)


def _danger_of_its_own(report: Reported, matter: OpenMatter, minutes: float) -> bool:
    """After the first minutes a danger under another label was the ticket's in 14 cases of 52."""
    return report.urgency == 3 and report.label != matter.label and minutes > _AT_ONCE_MINUTES


def _one_place(report: Reported, matter: OpenMatter, where: Spot, relation: Relation) -> bool:
    """门口进水了, said in two groups: each has a door of its own. Danger is rarer than doors are."""
    if relation is not Relation.UNKNOWN:
        return relation is Relation.SAME
    named = report.spot.is_named and where.is_named
    return report.label == matter.label and (named or report.urgency == 3)
