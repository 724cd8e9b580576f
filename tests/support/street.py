"""A street to try things on: the sample organisation, a clock moved by hand, an intake without threads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, or_, select

from bot.intake import Intake
from bot.settings import IntakeSettings
from bot.stored import clean, from_row
from bot.timers import SWEEPS
from classifiers.verdict import Classifier
from handlers import care_visits, directory, groups, reviews
from handlers.care import CareKind, Entry, Register, unsealed
from handlers.context import Context, World
from handlers.directory import load_organisation
from handlers.incoming import Incoming, MessageKind, Quote
from handlers.opening import Opening
from handlers.organisation import Organisation
from handlers.permissions import OPERATOR
from handlers.reviews import Choice
from handlers.rules import Rules
from handlers.texts import load_texts
from handlers.vault import Vault, new_key
from storage import care, organisation
from storage.care import Sealed
from storage.database import Database
from storage.tables import Correction, Message, Reply, ReplyState, Review, Ticket, TicketEvent
from tests.support.classifier import WordClassifier

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("Asia/Shanghai")
ACCOUNT = "local"


def _entry(*, kind: str, name: str, address: str, area: str, **more: Any) -> Entry:
    kinds = tuple(CareKind(word.strip()) for word in kind.split(","))
    return Entry(id=0, area=area, name=name, kinds=kinds, address=address, **more)


class MovingClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime(2026, 7, 13, 2, 0, tzinfo=UTC)  # Monday, 10:00 in the street

    def __call__(self) -> datetime:
        return self.now

    def move(self, **spans: float) -> None:
        """move(minutes=3)"""
        self.now += timedelta(**spans)


# Of the tests' own, beside WordClassifier's chances: the defaults move with the model.
OPENING = Opening.model_validate(
    {label: {"open": 0.7, "review": 0.3} for label in ("flood", "dispute", "safety", "service")}
    | {"urgent": {"open": 0.5, "review": 0.15}}
)


def make_world(
    classifier: Classifier | None = None, rules: Rules | None = None, organisation: Organisation | None = None
) -> World:
    return World(
        organisation=organisation or load_organisation(ROOT / "organisation.yaml"),
        rules=rules or Rules(opening=OPENING),
        texts=load_texts(),
        classifier=classifier or WordClassifier(),
        zone=ZONE,
    )


@dataclass
class Street:
    """Say something, see what the bot wrote into its outbox."""

    database: Database
    world: World = field(default_factory=make_world)
    clock: MovingClock = field(default_factory=MovingClock)
    sending: bool = True  # the bot's outbox is quick
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _seen: int = 0
    _held: set[int] = field(default_factory=set)  # replies that are to be said later

    def __post_init__(self) -> None:
        self.intake = Intake(
            self.database, lambda: self.world, self.clock, IntakeSettings(), renew=self.renew
        )
        self._first = self.world.organisation
        self._version = 0

    def incoming(self, room: str, sender: str, text: str = "", **more: object) -> Incoming:
        """A message of the local chat; `sender` is a person of the sample street or a stranger's name."""
        person = self.world.organisation.person(sender)
        group = self.world.organisation.group(room)
        made = Incoming(
            account=ACCOUNT,
            id=f"m{next(self._ids)}",
            room=room,
            room_topic=group.topic,
            sender=sender,
            sender_name=person.name if person else sender,
            sent_at=self.clock(),
            text=text,
        )
        return clean(replace(made, **more), 20_000)  # type: ignore[arg-type]

    def say(self, room: str, sender: str, text: str = "", **more: object) -> list[Reply]:
        """Says it and returns what the bot answered, everywhere, in order."""
        return self.hear(self.incoming(room, sender, text, **more))

    def hear(self, *incoming: Incoming) -> list[Reply]:
        self.intake.work(list(incoming))
        self.renew()
        return self.new_replies()

    def picture(self, room: str, sender: str) -> list[Reply]:
        return self.say(room, sender, kind=MessageKind.IMAGE)

    def quote(self, room: str, sender: str, reply: Reply, text: str) -> list[Reply]:
        """Answers one of the bot's messages."""
        return self.say(room, sender, text, quote=self.quoted(reply))

    def quoted(self, *replies: Reply) -> Quote:
        """The bot's message, which is then taken as sent; several replies went out as one message."""
        said_as = f"bot-{replies[0].id}"
        with self.database.transaction() as session:
            for reply in replies:
                row = session.get(Reply, reply.id)
                assert row is not None
                row.external_id = said_as
        return Quote("\n".join(reply.text for reply in replies), said_as)

    def sent(self) -> None:
        """The outbox has said whatever waited, each reply as one message."""
        with self.database.transaction() as session:
            waiting = session.exec(
                select(Reply).where(Reply.state == ReplyState.WAITING, Reply.due_at <= self.clock())
            )
            for reply in waiting:
                reply.state, reply.sent_at = ReplyState.SENT, self.clock()
                reply.external_id = f"bot-{reply.id}"

    def decide(self, words: str, choice: Choice) -> list[Reply]:
        """A coordinator decides on the message on the review list that holds these words."""
        with self.context() as ctx:
            found = select(Message).join(Review, col(Review.message_id) == col(Message.id))
            message = ctx.session.exec(found.where(col(Message.text).contains(words))).one()
            decided = reviews.decide(ctx, from_row(message), choice, OPERATOR)
            assert decided is not None
        return self.new_replies()

    def reviews(self) -> list[Review]:
        with self.reading() as session:
            return list(session.exec(select(Review).order_by(col(Review.message_id))))

    def corrections(self) -> list[Correction]:
        with self.reading() as session:
            return list(session.exec(select(Correction).order_by(col(Correction.id))))

    def sweep(self) -> list[Reply]:
        """Lets deadlines speak."""
        with self.context() as ctx:
            for sweep in SWEEPS:
                sweep(ctx, 50)
            care_visits.morning(ctx, ACCOUNT)
        return self.new_replies()

    def visits_due(self) -> datetime | None:
        """When the next lists of visits are handed out."""
        with self.context() as ctx:
            return care_visits.next_morning(ctx)

    def keep_in_care(self, *people: Mapping[str, Any]) -> None:
        """Puts people (Entry's fields; several kinds comma-separated) into the care register."""
        if not people:
            return
        vault = self.world.care.vault or Vault(new_key())
        with self.database.transaction() as session:
            entries = [_entry(**person) for person in people]
            rows = [Sealed(0, e.area, e.sealed(vault), vault.fingerprint(*e.identity)) for e in entries]
            care.save(session, rows, self.clock())
        with self.reading() as session:
            kept = [unsealed(vault, *row) for row in care.records(session)]
        self.world = replace(self.world, care=Register(kept, self.world.organisation, vault))

    def new_replies(self) -> list[Reply]:
        """What was written since, and what was held back until now, as it is said; it then counts as sent."""
        with self.database.reading() as session:
            wanted = select(Reply).where(or_(col(Reply.id) > self._seen, col(Reply.id).in_(self._held)))
            found = list(session.exec(wanted.order_by(col(Reply.id))))
        self._seen = max([self._seen, *(reply.id for reply in found)])
        self._held = {reply.id for reply in found if reply.due_at > self.clock()}
        for reply in found:
            if reply.sealed is not None:
                assert self.world.care.vault is not None and not reply.room
                reply.text = self.world.care.vault.open(reply.sealed)
        if found and self.sending:
            self.sent()
        return [reply for reply in found if reply.id not in self._held]

    def held_until(self) -> datetime | None:
        """When the first of what is held back is to be said."""
        with self.database.reading() as session:
            return session.exec(select(func.min(Reply.due_at)).where(col(Reply.id).in_(self._held))).one()

    def renew(self) -> None:
        """Takes over what was changed of the organisation, as the running bot does."""
        with self.database.reading() as session:
            version, own = organisation.version(session), directory.stored(session)
        if version == self._version:
            return
        self._version = version
        first = self._first
        file = directory.Content(
            areas=tuple(first.areas.values()),
            groups=first.groups,
            people=tuple(first.people.values()),
            units=tuple(first.units.values()),
            risk_points=tuple(first.risk_points.values()),
            words=first.words,
        )
        content = directory.merged(file, own)
        assert not list(directory.wrong(content))
        fresh = directory.organised(content)
        register = replace(self.world.care, organisation=fresh)
        self.world = replace(self.world, organisation=fresh, care=register)

    def change(self, room: str, change: str, topic: str = "", people: tuple[str, ...] = ()) -> list[Reply]:
        """Something happens to a group."""
        with self.context() as ctx:
            groups.changed(ctx, ACCOUNT, room, change, topic, people)
        self.renew()
        return self.new_replies()

    @contextmanager
    def context(self) -> Iterator[Context]:
        with self.database.transaction() as session:
            yield Context(session, self.clock(), self.world)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.database.reading() as session:
            yield session

    def tickets(self) -> list[Ticket]:
        with self.reading() as session:
            return list(session.exec(select(Ticket).order_by(col(Ticket.id))))

    def events(self, ticket_id: int | None = None) -> list[TicketEvent]:
        statement = select(TicketEvent).order_by(col(TicketEvent.id))
        if ticket_id is not None:
            statement = statement.where(TicketEvent.ticket_id == ticket_id)
        with self.reading() as session:
            return list(session.exec(statement))

    def messages(self) -> list[Message]:
        with self.reading() as session:
            return list(session.exec(select(Message).order_by(col(Message.id))))
