"""How units answer: 收到, 到场, 完成, with the number, quoting the bot, or bare where one is meant."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from handlers import joint, sides
from handlers.commands.parsing import FULL_NUMBER, Parsed
from handlers.context import Context
from handlers.incoming import Incoming, MessageKind
from handlers.joint import PartState
from handlers.joint_telling import since, tell_step
from handlers.organisation import GroupKind, Organisation, Person, Role, Unit
from handlers.replies import answer, place_of
from handlers.tickets import actor_of
from handlers.wording import clock_of, facts
from storage import joint as store
from storage import tickets as ticket_store
from storage.tables import Ticket, TicketUnit

_WORDS = {
    PartState.RECEIVED: (
        *("收到", "已收到", "收悉", "知道了", "好的收到", "马上到", "马上来", "在路上", "已出发", "出发了"),
    ),
    PartState.ON_SCENE: (
        *("到场", "到场了", "已到场", "已经到场", "到了", "已到", "到位", "已到位", "到现场了", "已到现场"),
        *("到达现场", "已到达现场", "抵达现场", "已抵达", "人到了"),
    ),
    PartState.DONE: (
        *(
            "完成",
            "完成了",
            "已完成",
            "已经完成",
            "办完",
            "办完了",
            "已办完",
            "处理完",
            "处理完了",
            "处理完毕",
        ),
        *(
            "已处理完毕",
            "处置完毕",
            "已处置完毕",
            "处置完成",
            "处理好了",
            "办好了",
            "已办结",
            "搞定",
            "搞定了",
        ),
    ),
}
_MEANING = {word: step for step, words in _WORDS.items() for word in words}
_ANY_WORD = "|".join(sorted(_MEANING, key=len, reverse=True))
# The commands that a unit may type for the same.
_COMMANDS = {"接单": PartState.RECEIVED, "到场": PartState.ON_SCENE, "办结": PartState.DONE}
_TICKET = rf"(?:{FULL_NUMBER}|[0-9]{{1,5}})"
_SAID = re.compile(
    rf"^(?:[#＃]?(?P<before>{_TICKET})[号单]?[\s,，:：、]*)?(?P<word>{_ANY_WORD})"
    rf"(?:[\s#＃]*(?P<after>{_TICKET})[号单]?)?(?P<note>$|[\s,，。.!！:：;；~～、].*$)",
    re.DOTALL,
)
_MENTIONS = re.compile(r"^(?:@[^\s\u2005]+[\s\u2005]+)+")
_NUMBER = re.compile(FULL_NUMBER)
_AROUND = " \t\n　,，。.!！:：;；~～、"
_ASKS = re.compile(r"[?？]|吗\s*$|没有\s*$")
_LONGEST = 300  # characters: whoever writes more tells something else


@dataclass(frozen=True, slots=True)
class Answer:
    """What a unit's member seems to answer.

    loose: the short number stands behind the word, and may belong to the note (完成 3 处).
    """

    step: PartState
    number: str
    note: str
    unit: str = ""  # code of the unit that is named
    loose: bool = False


def heard(organisation: Organisation, incoming: Incoming, command: Parsed | None) -> Answer | None:
    """Whether the message looks like such an answer. Asked of every message: no look into the database."""
    person = organisation.person(incoming.sender)
    if person is None or not person.has(Role.UNIT) or incoming.kind is not MessageKind.TEXT:
        return None
    if command is not None and command.command.name in _COMMANDS:
        return Answer(_COMMANDS[command.command.name], command.number, command.argument)
    if command is not None or len(incoming.text) > _LONGEST:
        return None
    own, text = _without_name(organisation, person, _MENTIONS.sub("", incoming.text.strip()))
    found = _SAID.match(text)
    if found is None or _ASKS.search(text):
        return None
    number, note = (found["before"] or found["after"] or "").upper(), found["note"].strip(_AROUND)
    if found["before"] and found["after"]:
        note = f"{found['after']} {note}".strip()  # CTM0713-031 完成 3 处接头
    group = organisation.group(incoming.room, incoming.room_topic)
    here = incoming.is_private or group.kind is GroupKind.UNITS
    if not (here or number or incoming.quote or incoming.account in incoming.mentions):
        return None
    code = own.code if own else ""
    loose = here and not found["before"] and number.isdigit()
    return Answer(_MEANING[found["word"]], number, note, code, loose=loose)


def _without_name(organisation: Organisation, person: Person, text: str) -> tuple[Unit | None, str]:
    """ "燃气公司已到场": people begin with whom they speak for."""
    for unit in organisation.units_of(person):
        for name in sorted((unit.name, *unit.aliases), key=len, reverse=True):
            if text.startswith(name):
                return unit, text[len(name) :].lstrip(_AROUND)
    return None, text


def handle(ctx: Context, incoming: Incoming, said: Answer) -> Ticket | None:
    """Takes the answer; None where no part of the sender's units is meant: it is read as anything else."""
    person = ctx.organisation.person(incoming.sender)
    assert person is not None
    units = [unit.code for unit in ctx.organisation.units_of(person) if said.unit in {"", unit.code}]
    mine = store.of_units(ctx.session, incoming.account, units)
    if said.loose and not _numbered(mine, said.number):
        said = replace(said, number="", note=f"{said.number} {said.note}".strip())
    meant = _meant(ctx, incoming, said, mine)
    open_ = [(part, ticket) for part, ticket in meant if PartState(part.state).rank < said.step.rank]
    found = {ticket.id: ticket for _, ticket in open_}
    if len(found) > 1:
        return _ask_which(ctx, incoming, list(found.values()))
    if not found:
        explicit = said.number or incoming.quote
        return _repeated(ctx, incoming, meant) if meant and explicit else None
    ticket = ticket_store.locked(ctx.session, next(iter(found)))
    sides.watch(ctx, ticket)
    some = [
        part
        for part in joint.parts(ctx, ticket)
        if part.unit in units and PartState(part.state).rank < said.step.rank
    ]
    if not some:  # somebody else of the unit was quicker
        return ticket
    actor = actor_of(ctx, incoming)
    event = joint.advance(ctx, ticket, some, said.step, actor, said.note, incoming.row_id)
    tell_step(ctx, ticket, some, event, place_of(incoming))
    return ticket


_Found = list[tuple[TicketUnit, Ticket]]


def _numbered(found: _Found, number: str) -> _Found:
    """By short or whole number; of a number that came again in another year the newest."""
    named = [
        (part, ticket)
        for part, ticket in found
        if (ticket.running == int(number) if number.isdigit() else ticket.number == number)
    ]
    return named if number.isdigit() else named[:1]


def _meant(ctx: Context, incoming: Incoming, said: Answer, found: _Found) -> _Found:
    """By number, by quote, else any of them."""
    if said.number:
        return _numbered(found, said.number)
    if incoming.quote is None:
        return found
    ids: Iterable[int] = []
    if incoming.quote.id:
        ids = ticket_store.of_quoted(ctx.session, incoming.account, incoming.quote.id)
    numbers = _NUMBER.findall(incoming.quote.text.upper())
    return [(part, t) for part, t in found if t.id in set(ids) or t.number in numbers]


def _ask_which(ctx: Context, incoming: Incoming, found: list[Ticket]) -> Ticket:
    listed = "\n".join(ctx.texts("joint.which_line", **facts(ctx, ticket)) for ticket in found[:8])
    answer(ctx, incoming, ctx.texts("joint.which", lines=listed))
    return found[0]


def _repeated(ctx: Context, incoming: Incoming, meant: _Found) -> Ticket:
    part, ticket = meant[0]
    values = facts(ctx, ticket) | {
        "names": part.name,
        "at": clock_of(ctx, since(part)),
        "state": ctx.texts(f"names.part.{part.state}"),
    }
    answer(ctx, incoming, ctx.texts("joint.repeated", **values), ticket=ticket)
    return ticket
