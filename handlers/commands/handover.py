"""The commands by which a matter changes hands: 接单 派单 退回."""

import re
from dataclasses import dataclass, field, replace

from rapidfuzz import fuzz

from handlers import joint, ladder, orders
from handlers.commands import leading, offering, target
from handlers.commands.change import already, do, handled_by, may, person_list, possible_for, refused
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.lifecycle import ACTIONS, State
from handlers.organisation import Group, GroupKind, Level, Person, Role, Unit
from handlers.permissions import Permission
from handlers.replies import Place, answer, room_of, say
from handlers.wording import at, facts
from storage.tables import Ticket


def _waits_for(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether this person can take it on, here or at the level that it has come to."""
    return possible_for(ctx, call, ticket) or _takes_up(ctx, call, ticket)


@command(
    "接单",
    "accept",
    "take",
    usage="#接单 [号]",
    permission=Permission.STAFF,
    help="接下这件事",
    fits=_waits_for,
)
def accept(ctx: Context, call: Call) -> Ticket | None:
    def waits(ticket: Ticket) -> bool:
        given = ticket.state == State.DISPATCHED and ticket.handler == call.actor.id
        return given or ticket.accepted_at is None

    ticket = target.find(ctx, call, waits)
    if ticket is None:
        return None
    if ticket.state == State.DISPATCHED and may(ctx, call, ticket, Permission.STAFF):
        # What a unit was given any of its people may go on with.
        own = ticket.handler in {unit.code for unit in joint.units_of(ctx, call.actor)}
        changes = None if own else handled_by(call.actor)
        return do(ctx, call, ticket, "take", template="event.accept", changes=changes)
    if _takes_up(ctx, call, ticket):
        return do(ctx, call, ticket, "take_up", changes={"owner": call.actor.id})
    if refused(ctx, call, ticket, "accept"):
        return ticket
    if ticket.accepted_at is not None:
        return already(ctx, call, ticket)
    return do(ctx, call, ticket, "accept", changes={"owner": call.actor.id})


def _takes_up(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether it came up or was handed back to this person's level, with the work already begun."""
    if ticket.accepted_at is None or ticket.state == State.CLOSED or not ladder.waits(ctx, ticket):
        return False
    return ladder.of_level(ctx, call.actor, ticket, Level(ticket.level))


def _names_somebody(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """A plain 派给… is meant for the bot where it names somebody known; 派两个人去看看 is not."""
    named = (
        not call.argument
        or whom(ctx, call, ticket)[0] is not None
        or leading.unit_of(ctx, call.argument, ticket.area) is not None
        or isinstance(offering.group_meant(ctx, call, ticket), Group)
    )
    return named and possible_for(ctx, call, ticket, "dispatch")


@command(
    "派单",
    "dispatch",
    "assign",
    usage="#派单 [号] @谁|单位|群名",
    permission=Permission.OWNER,
    help="派给谁去办；服务类的也可以派到志愿者群，谁先接归谁",
    glued=True,
    fits=_names_somebody,
)
def dispatch(ctx: Context, call: Call) -> Ticket | None:
    glued = NUMBER_AND_NAME.match(call.argument)
    if glued and not call.number and is_known(ctx, glued[2]):
        call = replace(call, number=glued[1], argument=glued[2])
    ticket = target.find(ctx, call)
    if ticket is None:
        return None
    person, asked = whom(ctx, call, ticket)
    if person is None and (group := offering.group_meant(ctx, call, ticket)):
        return offering.offer(ctx, call, ticket, group)
    if refused(ctx, call, ticket, "dispatch"):
        return ticket
    if not asked:
        raise UsageError
    if joint.missing(ctx, ticket):
        return leading.new_lead(ctx, call, ticket, asked, "dispatch")
    unit = None if person else leading.unit_of(ctx, asked, ticket.area)
    if len(asked) > 30 or (person is None and unit is None and is_slip(ctx, call.argument, asked)):
        answer(ctx, call.incoming, ctx.texts("command.not_found_person", asked=asked[:30]), ticket=ticket)
        return ticket
    to = Recipient.of(ctx, asked, person, unit)
    if ticket.state == State.DISPATCHED and ticket.handler == to.id:
        return already(ctx, call, ticket)
    values = {"handler": to.name, "mention": at(to.people[:1])}
    do(
        ctx,
        call,
        ticket,
        "dispatch",
        note=to.name,
        template=f"event.dispatch{to.lacks}",
        values=values,
        mentions=to.people[:1],
        changes=to.changes,
    )
    to.notify(ctx, call, ticket, "event.dispatch_notice")
    return ticket


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is given a matter: a person, a unit with its people, or a name that is in no list.

    lacks: of the text's key, what has to be said of it: "", "_empty" (a unit without people), "_unknown".
    """

    id: str
    name: str
    people: list[Person] = field(default_factory=list)
    lacks: str = ""
    unit: bool = False

    @classmethod
    def of(cls, ctx: Context, asked: str, person: Person | None, unit: Unit | None) -> "Recipient":
        if person is not None:
            return cls(person.id, asked, [person])
        if unit is None:
            return cls(asked, asked, lacks="_unknown")
        people = ctx.organisation.members(unit.code)
        return cls(unit.code, unit.name, people, lacks="" if people else "_empty", unit=True)

    @property
    def changes(self) -> dict[str, str]:
        return {"handler": self.id, "handler_name": self.name}

    def notify(self, ctx: Context, call: Call, ticket: Ticket, template: str) -> None:
        """Its people, where they live."""
        if not self.people:
            return
        notify_unit(ctx, call, ticket, self.people[0], template)
        if self.unit and not units_group(ctx, ticket):
            for one in self.people:
                text = ctx.texts(template, **facts(ctx, ticket), handler=at(one))
                say(
                    ctx,
                    Place(ticket.account, "", one.id),
                    text,
                    key=f"m{call.incoming.row_id}:unit",
                    ticket=ticket,
                    message_id=call.incoming.row_id,
                    mentions=[one],
                    urgency=2,
                )


NUMBER_AND_NAME = re.compile(r"^(\d{1,5})[号单]?[@＠]?(\D.*)", re.ASCII | re.DOTALL)  # 派单2何志愿
_ALIKE = 60  # of 100: 供电索 and 供电所 have 67
_AFTER_NAME = re.compile(r"[\s\u2005,，:：。;；、]")


def whom(ctx: Context, call: Call, ticket: Ticket) -> tuple[Person | None, str]:
    """Who is to do it, and the name: mentioned, or named up front; None for a name nobody knows."""
    words = call.argument.lstrip("@＠ ")
    typed = _AFTER_NAME.split(words, maxsplit=1)[0]
    others = [m for m in call.incoming.mentions if m != call.incoming.account]
    known = [person for m in others if (person := ctx.organisation.person(m))]
    if found := [*known, *known_by_name(ctx, words, ticket.area)]:
        return found[0], found[0].name
    if others and typed:
        return Person(
            id=others[0], name=typed[:60]
        ), typed  # somebody of the group whom the file does not name
    return None, typed


def is_slip(ctx: Context, argument: str, asked: str) -> bool:
    """Whether somebody known was meant: an @ that reached nobody, or a name with one character wrong."""
    if argument.startswith(("@", "＠")):
        return True
    return any(fuzz.ratio(asked, person.name) >= _ALIKE for person in ctx.organisation.people.values())


def is_known(ctx: Context, words: str) -> bool:
    """Whether the words begin with the name of somebody known, or name a unit."""
    return bool(
        known_by_name(ctx, words) or leading.unit_of(ctx, _AFTER_NAME.split(words, maxsplit=1)[0], "")
    )


def known_by_name(ctx: Context, words: str, area: str = "") -> list[Person]:
    """People and units whose name the words begin with, the longest name first, then the nearest."""
    near = [*ctx.organisation.staff(area, *Role), *ctx.organisation.people.values()]
    named = [person for person in near if words.startswith(person.name) and person.role is not Role.BOT]
    return sorted(named, key=lambda person: -len(person.name))


def notify_unit(
    ctx: Context, call: Call, ticket: Ticket, person: Person, template: str = "event.dispatch_notice"
) -> None:
    """A unit is told in the units' group as well, where it lives."""
    if not person.has(Role.UNIT):
        return
    for place in units_group(ctx, ticket):
        text = ctx.texts(template, **facts(ctx, ticket), handler=at(person))
        say(
            ctx,
            place,
            text,
            key=f"m{call.incoming.row_id}:unit",
            ticket=ticket,
            message_id=call.incoming.row_id,
            mentions=[person],
            urgency=2,
        )


def units_group(ctx: Context, ticket: Ticket) -> list[Place]:
    """The nearest group of units, if there is one."""
    groups = ctx.organisation.groups_of(GroupKind.UNITS, ticket.area)
    rooms = [room for group in groups if (room := room_of(ctx, ticket.account, group))]
    return [Place(ticket.account, room) for room in rooms[:1]]


def _can_return(ctx: Context, call: Call, ticket: Ticket) -> bool:
    """Whether this person can hand it back; what is checked goes back by 核查."""
    taken = orders.held(ctx, ticket) is not None and possible_for(ctx, call, ticket, "order_back")
    return taken or possible_for(ctx, call, ticket, "return")


@command(
    "退回",
    "return",
    "退单",
    usage="#退回 [号] 原因",
    permission=Permission.STAFF,
    help="派错了退回，或核实不属实退回再办",
    glued=True,
    fits=_can_return,
)
def give_back(ctx: Context, call: Call) -> Ticket | None:
    states = {State.DISPATCHED, State.PENDING_CHECK}
    ticket = target.find(ctx, call, lambda t: t.state in states or t.handler == call.actor.id)
    if ticket is None:
        return None
    if ticket.state in ACTIONS["order_back"].paths and (order := orders.held(ctx, ticket)):
        return offering.taken_back(ctx, call, ticket, order)
    action = "rework" if ticket.state == State.PENDING_CHECK else "return"
    if refused(ctx, call, ticket, action):
        return ticket
    if action == "rework":
        people = person_list(ctx, ticket.handler)
        return do(
            ctx, call, ticket, action, note=call.argument, mentions=people, values={"mention": at(people)}
        )
    joint.stand_down(ctx, ticket, ticket.handler or "", call.argument)
    nobody = {"handler": None, "handler_name": ""}
    owner = person_list(ctx, ticket.owner)
    return do(ctx, call, ticket, action, note=call.argument, mentions=owner, changes=nobody)
