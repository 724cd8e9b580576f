"""Chat with known incidents through the very pipeline: each opened once, joined rightly, chatter left alone?

The streams of `classifiers/corpus/streams` say of each message which incident it belongs to. `play` plays
them with any classifier; with `Oracle`, which knows the labels, the figures are those of linking alone.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from bot.intake import Intake
from bot.settings import IntakeSettings
from bot.stored import clean
from classifiers import dataset
from classifiers.dataset import Example
from classifiers.place import Places
from classifiers.verdict import NOTHING, Classifier, Label, Sample, Verdict, certain
from handlers.context import World
from handlers.incoming import Incoming, MessageKind
from handlers.organisation import Area, Group, GroupKind, Person, Role, build
from handlers.rules import Rules
from handlers.texts import load_texts
from storage.database import Database
from storage.tables import Message, Outcome, Reply

_PICTURE = "[图片]"
_STREET, _COMMUNITY = "EVA", "EVA-01"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a stream. `incident` names it in the whole corpus, "" for none."""

    author: str
    stream: str
    kind: str
    at: datetime
    sender: str
    role: str
    text: str
    label: Label
    urgency: int
    incident: str
    opens: bool


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a line: its ticket, whether it opened it, how much was said in its group."""

    line: Line
    outcome: str
    ticket: int | None
    replies: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts. Each property is a share, 0..1.

    opened: incidents with a ticket; firsts: tickets that are some incident's first, the others being opened
    for nothing or for the second time. right_joins: messages joined to a ticket of their own incident;
    wrong_joins: to another's; banter: those of them that are chatter, mostly about the very matter. shared:
    pairs of groups that both reported one incident; shared_joined: those that share its ticket. chatter:
    messages labelled none; answered: replies said in their group.
    """

    incidents: int
    opened: int
    tickets: int
    firsts: int
    right_joins: int
    wrong_joins: int
    banter: int
    shared: int
    shared_joined: int
    chatter: int
    answered: int

    @property
    def recall(self) -> float:
        return _share(self.opened, self.incidents)

    @property
    def precision(self) -> float:
        return _share(self.firsts, self.tickets)

    @property
    def joined_across_groups(self) -> float:
        return _share(self.shared_joined, self.shared)

    @property
    def replies_per_100(self) -> float:
        return 100 * _share(self.answered, self.chatter)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def load(files: Iterable[Path] | None = None) -> list[Line]:
    """The streams, file by file. Raises dataset.BadCorpus."""
    return [line_of(example) for example in dataset.load(files) if not example.single]


def line_of(example: Example) -> Line:
    """Incidents whose name begins with x are shared by an author's streams."""
    name = example.incident
    scope = example.author if name.startswith("x") else example.stream
    return Line(
        author=example.author,
        stream=example.stream,
        kind=example.sample.group_kind,
        at=datetime.fromtimestamp(example.at, UTC),
        sender=example.sample.sender,
        role=example.sample.role,
        text=example.sample.text,
        label=example.label,
        urgency=example.urgency,
        incident=f"{scope}/{name}" if name else "",
        opens=example.opens,
    )


class Oracle:
    """Knows the labels of the corpus; of a text that was put together it says the worst of its parts."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._places = Places()
        self._known: dict[str, tuple[Label, int]] = {}
        for line in lines:
            known = self._known.get(line.text, (Label.NONE, 0))
            self._known[line.text] = max(known, (line.label, line.urgency), key=lambda pair: pair[1])

    def classify(self, sample: Sample) -> Verdict:
        parts = [self._known[part] for part in (sample.text, *sample.text.split("\n")) if part in self._known]
        label, urgency = max(parts, key=lambda pair: pair[1], default=(Label.NONE, 0))
        if label is Label.NONE:
            return NOTHING
        return certain(label, urgency, self._places.find(sample.text), ("oracle",))

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [self.classify(sample) for sample in samples]


@dataclass
class _Stage:
    """Where and when the next message is said."""

    world: World
    now: datetime


def play(lines: Sequence[Line], classifier: Classifier, rules: Rules | None = None) -> list[Played]:
    """Every line through the pipeline, in the order of time; streams that share an incident in one street."""
    if not lines:
        return []
    ordered = sorted(lines, key=lambda line: line.at)
    towns = _towns(ordered)
    worlds = {
        town: _world([line for line in ordered if towns[line.stream] == town], classifier, rules or Rules())
        for town in set(towns.values())
    }
    with tempfile.TemporaryDirectory(prefix="gridbot-evaluate-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'evaluate.db'}", durable=False)
        database.upgrade()
        try:
            stage = _Stage(worlds[towns[ordered[0].stream]], ordered[0].at)
            intake = Intake(database, lambda: stage.world, lambda: stage.now, IntakeSettings())
            for number, line in enumerate(ordered):
                town = towns[line.stream]
                stage.world, stage.now = worlds[town], line.at.astimezone(UTC)
                intake.work([_incoming(line, number, town)])
            with database.reading() as session:
                return _played(session, ordered)
        finally:
            database.close()


def _towns(lines: Iterable[Line]) -> dict[str, str]:
    """Which streams play in one street: those that share incidents, named by the first of them."""
    towns: dict[str, str] = {}
    told_in: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        towns.setdefault(line.stream, line.stream)
        if line.incident:
            told_in[line.incident].add(line.stream)
    for streams in told_in.values():
        together = {towns[stream] for stream in streams}
        first = min(together)
        towns = {stream: first if town in together else town for stream, town in towns.items()}
    return towns


def _world(lines: Iterable[Line], classifier: Classifier, rules: Rules) -> World:
    """A street with a grid for each group, all in one community, and the people with their roles."""
    kinds = {line.stream: line.kind for line in lines}
    people = {
        line.sender: Person(id=line.sender, name=line.sender[:60], role=Role(line.role))
        for line in lines
        if line.role in list(Role) and line.role not in {Role.RESIDENT, Role.BOT}
    }
    areas = [Area(code=_STREET, name="街道"), Area(code=_COMMUNITY, name="社区", parent=_STREET)]
    areas += [Area(code=stream[:32], name=stream[:60], parent=_COMMUNITY) for stream in sorted(kinds)]
    groups = [
        Group(id=stream, topic=stream, kind=GroupKind(kind or GroupKind.RESIDENTS), area=stream[:32])
        for stream, kind in kinds.items()
    ]
    organisation = build(areas, groups, list(people.values()))
    return World(organisation, rules, load_texts(), classifier, ZoneInfo("Asia/Shanghai"))


def _incoming(line: Line, number: int, town: str) -> Incoming:
    picture = line.text.strip() == _PICTURE
    incoming = Incoming(
        account=town,
        id=f"line-{number}",
        room=line.stream,
        room_topic=line.stream,
        sender=line.sender,
        sender_name=line.sender,
        sent_at=line.at,
        text="" if picture else line.text,
        kind=MessageKind.IMAGE if picture else MessageKind.TEXT,
    )
    return clean(incoming, IntakeSettings().longest_text)


def _played(session: Session, lines: Sequence[Line]) -> list[Played]:
    rows = {row.external_id: row for row in session.exec(select(Message))}
    said = Counter(
        message
        for message, room in session.exec(select(Reply.message_id, Reply.room))
        if message is not None and room
    )
    told = [(line, rows[f"line-{number}"]) for number, line in enumerate(lines)]
    return [Played(line, row.outcome or "", row.ticket_id, said[row.id]) for line, row in told]


def figures(played: Sequence[Played]) -> Figures:
    incidents = {one.line.incident for one in played if one.line.opens}
    about: dict[int, str] = {}  # what each ticket was opened for
    firsts: dict[str, int] = {}
    for one in played:
        if one.outcome == Outcome.OPENED and one.ticket is not None:
            about[one.ticket] = one.line.incident
            firsts.setdefault(one.line.incident, one.ticket)
    firsts.pop("", None)
    joins = [one for one in played if one.outcome == Outcome.JOINED and one.ticket is not None]
    right = sum(bool(one.line.incident) and about.get(one.ticket or 0) == one.line.incident for one in joins)
    pairs = _pairs(played)
    chatter = [one for one in played if one.line.label is Label.NONE]
    return Figures(
        incidents=len(incidents),
        opened=len(incidents & firsts.keys()),
        tickets=len(about),
        firsts=len(firsts),
        right_joins=right,
        wrong_joins=len(joins) - right,
        banter=sum(not one.line.incident for one in joins),
        shared=len(pairs),
        shared_joined=sum(pairs),
        chatter=len(chatter),
        answered=sum(one.replies for one in chatter),
    )


def _pairs(played: Sequence[Played]) -> list[bool]:
    """For each two groups that reported one incident whether one ticket holds reports of both."""
    tickets: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for one in played:
        if one.line.incident and one.line.label is not Label.NONE:
            here = tickets[one.line.incident][one.line.stream]
            if one.ticket is not None:
                here.add(one.ticket)
    return [
        bool(mine & theirs)
        for groups in tickets.values()
        for mine, theirs in combinations(groups.values(), 2)
    ]


def report(found: Figures) -> Iterator[str]:
    """The figures, for people."""
    yield f"incidents opened       {found.recall:.3f} ({found.opened} of {found.incidents})"
    yield f"tickets that are first {found.precision:.3f} ({found.firsts} of {found.tickets})"
    wrong = f"{found.wrong_joins} wrong, {found.banter} of them chatter"
    yield f"joins                  {found.right_joins} right, {wrong}"
    yield f"told in two groups     {found.joined_across_groups:.3f} ({found.shared_joined} of {found.shared})"
    yield f"replies to chatter     {found.replies_per_100:.2f} per 100 ({found.answered} of {found.chatter})"
