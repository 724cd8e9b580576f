"""A street for the pages' tests: a database, parts with a clock that stands, a stub in the bot's place."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.gateways.base import GatewayEvent, Outgoing
from bot.gateways.local import ACCOUNT, LocalGateway
from bot.live import Live
from bot.settings import Settings, StorageSettings, WebSettings
from bot.web.parts import Parts
from classifiers.verdict import NOTHING, Sample, Verdict
from handlers.context import World
from handlers.directory import load_organisation
from handlers.incoming import Incoming
from handlers.organisation import Person
from handlers.rules import Rules
from handlers.texts import load_texts
from storage.database import Database
from storage.ids import new_id
from storage.tables import (
    GatewayGap,
    Message,
    Reply,
    ReplyState,
    Room,
    Ticket,
    TicketEvent,
    TicketReport,
)

NOON = datetime(2026, 7, 12, 4, 0, tzinfo=UTC)  # 12:00 in the street
ROOT = Path(__file__).parents[2]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f"
    "000501027f5cd0d3a30000000049454e44ae426082"
)


class Silent:
    """A classifier that finds nothing."""

    def classify(self, sample: Sample) -> Verdict:
        return NOTHING

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [NOTHING for _ in samples]


@dataclass
class Street:
    parts: Parts
    local: LocalGateway
    live: Live
    world: World
    now: datetime = NOON
    heard: list[Incoming] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.parts.database

    def put(self, *people: Person) -> None:
        """Gives people other posts, at once."""
        organisation = self.world.organisation
        known = organisation.people | {person.id: person for person in people}
        self.world = replace(self.world, organisation=replace(organisation, people=known))

    def forget(self, person: str) -> None:
        organisation = self.world.organisation
        known = {id: found for id, found in organisation.people.items() if id != person}
        self.world = replace(self.world, organisation=replace(organisation, people=known))

    async def sink(self, event: GatewayEvent) -> None:
        """In the intake's place: keeps what is said, as the intake would."""
        if isinstance(event, Incoming):
            self.heard.append(event)
            self.keep(message_row(event))

    async def answer(self, room: str, text: str, person: str = "") -> None:
        """In the outbox's place: says it and notes that it is said."""
        key = f"answer-{new_id()}"
        external = await self.local.send(Outgoing(key=key, room=room, text=text, person=person))
        self.keep(reply(key, room, text, person=person, external_id=external, sent_at=self.parts.clock()))

    def keep(self, *rows: Any) -> None:
        with self.database.transaction() as session:
            for row in rows:
                session.add(row)
                session.flush()


def make_street(
    folder: Path,
    url: str,
    *,
    local: bool = True,
    host: str = "127.0.0.1",
    ticking: bool = False,
    public_url: str = "",
) -> Street:
    """`url`: a database with the schema in it."""
    settings = Settings(
        storage=StorageSettings(url=url, media=folder / "media"),
        web=WebSettings(host=host, port=8080, public_url=public_url),
    )
    database = Database(settings.storage.url, durable=False)
    live = Live()
    world = World(load_organisation(ROOT / "organisation.yaml"), Rules(), load_texts(), Silent(), settings.tz)
    street: Street

    def clock() -> datetime:
        return datetime.now(UTC) if ticking else street.now

    gateway = LocalGateway(database, clock, live, settings.storage.media)
    parts = Parts(
        settings=settings,
        database=database,
        clock=clock,
        world=lambda: street.world,
        gateway=gateway,
        live=live,
        local=gateway if local else None,
        health=lambda: {"queue": 0},
    )
    street = Street(parts, gateway, live, world)
    return street


def message_row(incoming: Incoming) -> Message:
    return Message(
        id=new_id(),
        account=incoming.account,
        external_id=incoming.id,
        room=incoming.room,
        room_topic=incoming.room_topic,
        sender=incoming.sender,
        sender_name=incoming.sender_name,
        kind=incoming.kind,
        text=incoming.text,
        mentions=list(incoming.mentions),
        quoted_id=incoming.quote.id if incoming.quote else None,
        quoted_text=incoming.quote.text if incoming.quote else None,
        sent_at=incoming.sent_at,
        received_at=incoming.sent_at,
    )


def message(room: str, sender: str, text: str, *, at: datetime = NOON, **more: Any) -> Message:
    values: dict[str, Any] = {
        "id": new_id(),
        "account": ACCOUNT,
        "external_id": f"said-{new_id()}",
        "sender_name": sender,
        "kind": "text",
        "received_at": at,
    }
    return Message(room=room, sender=sender, text=text, sent_at=at, **(values | more))


def room(id: str, topic: str, **more: Any) -> Room:
    return Room(account=ACCOUNT, id=id, topic=topic, first_seen_at=NOON - timedelta(days=1), **more)


def reply(key: str, room: str, text: str, **more: Any) -> Reply:
    values: dict[str, Any] = {"state": ReplyState.SENT, "created_at": NOON, "due_at": NOON}
    return Reply(key=key, account=ACCOUNT, room=room, text=text, **(values | more))


def ticket(running: int, **more: Any) -> Ticket:
    values: dict[str, Any] = {
        "label": "flood",
        "urgency": 2,
        "state": "reported",
        "room": "river",
        "area": "CTM-0101",
        "place": "江岸大厦",
        "summary": "车库进水",
        "reporter": "tang",
        "reporter_name": "唐孃孃",
        "owner": "zhou",
        "opened_at": NOON,
        "clock_from": NOON,
        "updated_at": NOON,
    }
    return Ticket(
        number=f"CTM0712-{running:03}",
        street="CTM",
        running=running,
        account=ACCOUNT,
        **({"day": NOON.date()} | values | more),
    )


def some_tickets(street: Street) -> None:
    """A morning in the street: tickets in several states, with reports, events and replies."""

    def ago(minutes: int) -> datetime:
        return NOON - timedelta(minutes=minutes)

    rows: list[Any] = [
        room("river", "滨江路网格群", last_message_at=ago(2)),
        room("stairs", "石梯坎居民群", last_message_at=ago(70)),
        room("x9", "散步群", present=False, left_at=ago(1)),
        GatewayGap(gateway="local", began_at=ago(300), ended_at=ago(295), reason="重启"),
        ticket(1, urgency=3, state="accepted", summary="江岸大厦负二楼车库进水了，有人被困",
               opened_at=ago(12), deadline_at=ago(-18), due_kind="arrive"),
        ticket(2, label="safety", state="dispatched", room="stairs", area="CTM-0201", place="石梯坎12号",
               summary="石梯坎12号楼道里有煤气味，已经开窗了", reporter_name="彭师傅", owner="deng",
               handler="powerco", handler_name="供电所", opened_at=ago(95), deadline_at=ago(35)),
        ticket(3, label="service", urgency=1, state="in_progress", room="stairs", area="CTM-0201", place="",
               summary="路灯坏了三天没人修，晚上老人下楼看不见台阶", reporter_name="彭师傅",
               opened_at=ago(600)),
        ticket(4, label="dispute", urgency=1, state="closed", resolution="explained", place="民宿街",
               summary="楼上半夜放音乐", opened_at=ago(1500), closed_at=ago(200), room="homestay",
               area="CTM-0202", reporter_name="叶房东"),
    ]  # fmt: skip
    street.keep(*rows)
    first = rows[4]
    said = message("river", "tang", "江岸大厦负二楼车库进水了 有人被困", at=ago(12), sender_name="唐孃孃",
                   ticket_id=first.id, outcome="opened")  # fmt: skip
    more = message("river", "qin", "水到膝盖了，我在门口", at=ago(9), sender_name="秦网格员",
                   ticket_id=first.id, outcome="joined")  # fmt: skip
    street.keep(said, more)
    street.keep(
        TicketReport(ticket_id=first.id, message_id=said.id, account=ACCOUNT, room="river", reporter="tang",
                     reporter_name="唐孃孃", text=said.text, at=ago(12)),
        TicketReport(ticket_id=first.id, message_id=more.id, account=ACCOUNT, room="river", reporter="qin",
                     reporter_name="秦网格员", text=more.text, at=ago(9)),
        TicketEvent(ticket_id=first.id, at=ago(12), actor="bot", action="open", to_state="reported"),
        TicketEvent(ticket_id=first.id, at=ago(10), actor="zhou", actor_name="周网格长", action="accept",
                    from_state="reported", to_state="accepted"),
        TicketEvent(ticket_id=first.id, at=ago(5), actor="zhou", actor_name="周网格长", action="feedback",
                    note="抽水泵已经在路上，请不要进车库"),
        reply("m1:0", "river", "CTM0712-001 紧急！人先到安全的地方，危险请马上打119。@周网格长请立即处置。",
              ticket_id=first.id, sent_at=ago(11), external_id="bot-1"),
        reply("m2:0", "river", "CTM0712-001 周网格长已接单，马上处理。", ticket_id=first.id, sent_at=ago(10),
              external_id="bot-2"),
        reply("m3:0", "river", "CTM0712-001 进展（周网格长）：抽水泵已经在路上", ticket_id=first.id,
              state=ReplyState.WAITING, created_at=ago(5)),
        reply("m4:0", "stairs", "CTM0712-002 周网格长已派给供电所处理。", ticket_id=rows[5].id,
              state=ReplyState.FAILED, attempts=8, error="不在这个群里", created_at=ago(50)),
    )  # fmt: skip
