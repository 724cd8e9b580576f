"""A recorded chat through the very pipeline, with a virtual clock and a throw-away database."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlmodel import Session, col, select

from bot.intake import Intake
from bot.jsonlines import BadLine, parse
from bot.settings import Settings
from bot.stored import clean
from bot.world import load_world
from classifiers.verdict import Classifier
from handlers.context import World
from handlers.files import dotted, mistakes
from handlers.incoming import Incoming
from handlers.organisation import Group, GroupKind, Person, Role
from storage.database import Database
from storage.tables import Message, Outcome, Reply, Ticket, TicketEvent

ACCOUNT = "replay"


class Line(BaseModel):
    """One line in. `time` is ISO 8601; without a zone it is the street's."""

    model_config = ConfigDict(extra="ignore")
    group: str
    time: datetime
    sender: str = Field(min_length=1)
    text: str
    kind: str = ""
    role: str = ""
    id: str = ""

    @field_validator("time")
    @classmethod
    def _plausible(cls, time: datetime) -> datetime:
        if not 2000 <= time.year < 2100:  # one that is far off would carry all later ones along
            raise ValueError("must lie between 2000 and 2099")
        return time


@dataclass
class _Stage:
    """The world as the chat shows it: groups and people are learnt from its lines."""

    world: World
    now: datetime = field(default_factory=lambda: datetime(2000, 1, 1, tzinfo=UTC))

    def meet(self, line: Line) -> None:
        """Takes group kind and role from the line, where the organisation file does not know better."""
        organisation = self.world.organisation
        if line.kind and organisation.bound_group(line.group, line.group) is None:
            group = Group(id=line.group, topic=line.group, kind=GroupKind(line.kind), area=organisation.root)
            organisation = replace(organisation, groups=(*organisation.groups, group))
        if line.role and organisation.person(line.sender) is None and line.role in list(Role):
            person = Person(id=line.sender, name=line.sender[:60], role=Role(line.role))
            organisation = replace(organisation, people={**organisation.people, person.id: person})
        if organisation is not self.world.organisation:
            self.world = replace(self.world, organisation=organisation)


def replay(
    lines: Iterable[str], settings: Settings, classifier: Classifier | None = None
) -> Iterator[dict[str, Any]]:
    """One answer a line: label, urgency, ticket, opened, review, replies; {"error": ...} for no message.

    replies: the texts said at that message into its own group; elsewhere: those said into other groups.
    """
    stage = _Stage(load_world(settings, classifier))
    with tempfile.TemporaryDirectory(prefix="gridbot-replay-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'replay.db'}", durable=False)
        database.upgrade()
        intake = Intake(database, lambda: stage.world, lambda: stage.now, settings.intake)
        try:
            for number, raw in enumerate(lines, 1):
                try:
                    parsed = _parse(raw, number)
                except BadLine as error:
                    yield {"error": str(error)}
                    continue
                incoming = _incoming(parsed, number, settings.tz, settings.intake.longest_text)
                stage.meet(parsed)
                stage.now = max(stage.now, incoming.sent_at)
                done = intake.work([incoming])
                yield _answer(database, incoming, first=bool(done.handled))
        finally:
            database.close()


def _parse(raw: str, number: int) -> Line:
    content = parse(raw, number)
    if not isinstance(content, dict):
        raise BadLine(f"line {number}: must be an object with group, time, sender and text")
    try:
        return Line.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{dotted(place) or 'line'}: {why}" for place, why in mistakes(error))
        raise BadLine(f"line {number}: {wrong}") from None


def _incoming(line: Line, number: int, zone: ZoneInfo, longest: int) -> Incoming:
    at = line.time if line.time.tzinfo else line.time.replace(tzinfo=zone)
    incoming = Incoming(
        account=ACCOUNT,
        id=line.id or f"line-{number}",
        room=line.group,
        room_topic=line.group,
        sender=line.sender,
        sender_name=line.sender,
        sent_at=at,
        text=line.text,
    )
    return clean(incoming, longest)


def _answer(database: Database, incoming: Incoming, *, first: bool) -> dict[str, Any]:
    with database.reading() as session:
        row = session.exec(
            select(Message).where(Message.account == ACCOUNT, Message.external_id == incoming.id)
        ).one()
        ticket = session.get(Ticket, row.ticket_id) if row.ticket_id else None
        said = _said(session, row.id) if first else []
        return {
            "label": row.label,
            "urgency": row.urgency,
            "ticket": ticket.number if ticket else None,
            "opened": first and _opened(session, row.id),
            "review": row.outcome == Outcome.REVIEW,
            "replies": [reply.text for reply in said if reply.room == row.room],
            "elsewhere": [
                {"group": reply.room, "text": reply.text} for reply in said if reply.room != row.room
            ],
        }


def _said(session: Session, message_id: int) -> list[Reply]:
    statement = select(Reply).where(Reply.message_id == message_id).order_by(col(Reply.id))
    return list(session.exec(statement))


def _opened(session: Session, message_id: int) -> bool:
    statement = select(TicketEvent.id).where(
        TicketEvent.message_id == message_id, TicketEvent.action == "open"
    )
    return session.exec(statement.limit(1)).first() is not None
