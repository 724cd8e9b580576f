"""The ladder, grid > community > street > district: how a matter goes up and comes back, and who is told.

By command or by a missed deadline, it is the same step: the level and who answers for it change, and those
who reported it, those below and the coordinators' group of the level hear of it.
"""

from handlers import tickets
from handlers.context import Context
from handlers.handover_sheet import sheet, sheet_text
from handlers.organisation import Level, Person
from handlers.permissions import Actor, as_actor, speaks_for
from handlers.replies import Place, command_places, group_name, reporting_places, say
from handlers.undo import undone
from handlers.wording import at, facts, spoken
from storage import tickets as store
from storage.tables import Ticket, TicketEvent

_LADDER = list(Level)
_STEPS = frozenset({"climb", "escalate", "hand_back"})
_TAKEN = frozenset({"accept", "take_up"})


def answers(ctx: Context, ticket: Ticket, level: Level) -> Person | None:
    """Who would answer for it there. In the district it is still the street's coordinator who sees to it."""
    if level is Level.DISTRICT:
        owner = ctx.organisation.person(ticket.owner or "")
        if owner is not None and of_level(ctx, as_actor(owner), ticket, Level.DISTRICT):
            return owner
    return tickets.owner_of(ctx, ticket.area, level)


def of_level(ctx: Context, actor: Actor, ticket: Ticket, level: Level) -> bool:
    """Whether the actor speaks for that level of the ticket's area."""
    return speaks_for(ctx.organisation, actor, ticket.area, level)


def above(ctx: Context, ticket: Ticket) -> Level | None:
    """The next level that has somebody else to answer for it; missed deadlines do not reach the district."""
    for level in _LADDER[_LADDER.index(Level(ticket.level)) + 1 : -1]:
        owner = answers(ctx, ticket, level)
        if owner is not None and owner.id != ticket.owner:
            return level
    return None


def below(ctx: Context, ticket: Ticket) -> Level | None:
    """The level it would be handed back to; None where it belongs where it is or nobody else is below."""
    level = Level(ticket.level)
    if level is Level.DISTRICT:
        return Level.STREET
    lowest = _LADDER.index(ctx.organisation.level_of(ticket.area))
    for lower in reversed(_LADDER[lowest : _LADDER.index(level)]):
        owner = answers(ctx, ticket, lower)
        if owner is not None and owner.id != ticket.owner:
            return lower
    return None


def desk(ctx: Context, ticket: Ticket, level: Level) -> str:
    """What the level is called where its people are meant: 滨江路网格, 江岸社区, 朝天街道指挥中心, 区里."""
    organisation = ctx.organisation
    found = organisation.area_at(ticket.area, level)
    name = found.name if found else organisation.area_name(ticket.area)
    if level is Level.GRID:
        name = organisation.area_name(ticket.area) or name
    return ctx.texts(f"names.desk.{level}", area=name)


def waits(ctx: Context, ticket: Ticket) -> bool:
    """Whether it came to this level and nobody here has taken it up yet."""
    events = store.events(ctx.session, ticket.id)
    gone = undone(events)
    steps = [e.action for e in events if e.action in _STEPS | _TAKEN and e.id not in gone]
    return bool(steps) and steps[-1] in _STEPS


def go(
    ctx: Context,
    ticket: Ticket,
    level: Level,
    action: str,
    actor: Actor,
    *,
    note: str = "",
    message_id: int = 0,
    asked_in: Place | None = None,
) -> TicketEvent:
    """One step up or down, with everybody told. The caller sets when it is looked at next."""
    before, former = Level(ticket.level), ctx.organisation.person(ticket.owner or "")
    owner = answers(ctx, ticket, level)
    event = tickets.act(
        ctx,
        ticket,
        action,
        actor,
        note=note,
        message_id=message_id,
        changes={"level": level, "owner": owner.id if owner else ticket.owner, "reminders": 0},
        before=before,
        after=level,
    )
    Telling(ctx, ticket, event, actor, before, note).tell(former, owner, asked_in)
    return event


def tell_above(
    ctx: Context, ticket: Ticket, template: str, values: dict[str, str], asked_in: Place | None = None
) -> None:
    """The next level up hears of it, though the matter stays where it is: its group, else who answers there.

    Once: not where the ticket was reported or where it was said.
    """
    level = above(ctx, ticket) or max(Level(ticket.level), Level.STREET, key=_LADDER.index)
    area = ctx.organisation.area_at(ticket.area, level)
    places = command_places(ctx, ticket.account, area.code if area else ctx.organisation.root)[:1]
    person, event = answers(ctx, ticket, level), store.events(ctx.session, ticket.id)[-1]
    if not places and person is not None and person.id != event.actor:
        places = [Place(ticket.account, "", person.id)]
    told, owner = {*reporting_places(ctx, ticket), asked_in}, ctx.organisation.person(ticket.owner or "")
    shown = facts(ctx, ticket) | values | {"owner": at(owner, ctx.texts("report.nobody"))}
    for place in places:
        if place not in told:
            say(
                ctx,
                place,
                ctx.texts(template, **shown, group=group_name(ctx, ticket)),
                key=f"e{event.id}:above",
                ticket=ticket,
                message_id=event.message_id,
                mentions=[owner] if owner else [],
                urgency=2,
            )


class Telling:
    """Who hears of one step, each place once."""

    def __init__(
        self, ctx: Context, ticket: Ticket, event: TicketEvent, actor: Actor, before: Level, note: str
    ) -> None:
        self._ctx, self._ticket, self._event, self._actor = ctx, ticket, event, actor
        self._before, self._note, self._told = before, note, set[Place]()

    def tell(self, former: Person | None, owner: Person | None, asked_in: Place | None) -> None:
        action, ctx, ticket = self._event.action, self._ctx, self._ticket
        level, values, people = Level(ticket.level), self._values(owner), [owner] if owner else []
        responsible = self._responsible(level, owner)
        elsewhere = [*reporting_places(ctx, ticket), *([asked_in] if asked_in else [])]
        template = "event.to_district" if level is Level.DISTRICT else f"event.{action}"
        self._say([place for place in elsewhere if place not in responsible], template, values, people)
        if level is Level.DISTRICT:
            self._say(responsible, "event.sheet", values | {"text": self._sheet()}, [], "sheet")
        else:
            self._say(responsible, f"event.{action}_notice", values, people, "notice")
        others = self._groups(self._before)[:1] if self._before is not Level.GRID else []
        if former is not None and former.id not in {self._actor.id, owner.id if owner else ""}:
            others = [*others, Place(ticket.account, "", former.id)]
        template = "event.handed_back" if action == "hand_back" else "event.went_up"
        self._say(others, template, values, people, "below")

    def _responsible(self, level: Level, owner: Person | None) -> list[Place]:
        """The coordinators' group of the level; in the grid, or where there is none, the owner in private."""
        groups = self._groups(level)[:1] if level is not Level.GRID else []
        here = owner is not None and owner.id == self._actor.id and level is not Level.DISTRICT
        if groups or owner is None or here:
            return groups
        return [Place(self._ticket.account, "", owner.id)]

    def _sheet(self) -> str:
        return sheet_text(sheet(self._ctx, self._ticket))

    def _groups(self, level: Level) -> list[Place]:
        area = self._ctx.organisation.area_at(self._ticket.area, level)
        code = area.code if area else self._ctx.organisation.root
        return command_places(self._ctx, self._ticket.account, code)

    def _values(self, owner: Person | None) -> dict[str, str]:
        ctx, ticket = self._ctx, self._ticket
        return facts(ctx, ticket) | {
            "owner": at(owner, ctx.texts("report.nobody")),
            "area": desk(ctx, ticket, Level(ticket.level)),
            "actor": self._actor.name,
            "from_level": ctx.texts(f"names.level.{self._before}"),
            "group": group_name(ctx, ticket),
            "note": spoken(self._note),
            "why": ctx.texts("names.why", note=spoken(self._note)) if self._note else "",
        }

    def _say(
        self, places: list[Place], template: str, values: dict[str, str], people: list[Person], key: str = ""
    ) -> None:
        for place in dict.fromkeys(places):
            if place not in self._told:
                self._told.add(place)
                text = self._ctx.texts(template, **values)
                say(
                    self._ctx,
                    place,
                    text,
                    key=f"e{self._event.id}" + (f":{key}" if key else ""),
                    ticket=self._ticket,
                    message_id=self._event.message_id,
                    mentions=[person for person in people if at(person) in text],
                    urgency=self._ticket.urgency,
                    internal=key == "sheet",
                )
