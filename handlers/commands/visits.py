"""The commands of those who visit people of the care register: 已访 看护名单. In private only."""

import re
from dataclasses import dataclass

from handlers import care, care_visits, records
from handlers.care import Entry
from handlers.care_visits import Line, shown
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.organisation import Level, Role
from handlers.permissions import Permission
from handlers.replies import answer
from handlers.whispers import whisper_back
from storage import care as store
from storage.tables import CareVisit, Ticket

_NUMBERS = re.compile(r"\d{1,3}(?:[\s,，、和]+\d{1,3})*(?=$|[\s,，、:：;；。])")
_AROUND = " \t\n　,，:：、;；。"
_MOST_NOTE = 500  # characters


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom the words name, with what is said of the visit. `lines`: of the list; `entry`: not on it."""

    lines: tuple[Line, ...] = ()
    entry: Entry | None = None
    note: str = ""


@command(
    "已访",
    "visited",
    usage="#已访 序号|名字 [情况]",
    permission=Permission.GRID,
    help="走访过了（请私聊我）",
    glued=True,
    numbered=False,
    clings=True,
)
def visited(ctx: Context, call: Call) -> Ticket | None:
    if not _may(ctx, call):
        return None
    if not call.argument:
        raise UsageError
    chosen = _chosen(ctx, call)
    if chosen is None:
        return None
    fresh: list[Entry] = []
    for visit, entry in _visits(ctx, call, chosen):
        if care_visits.visited(ctx, visit, call.actor, chosen.note[:_MOST_NOTE]):
            fresh.append(entry)
            subject, row_id = f"care:{entry.id}", call.incoming.row_id
            records.note(
                ctx, call.actor, "visited", subject, after={"day": f"{visit.day}"}, message_id=row_id
            )
    _tell(ctx, call, chosen, fresh)
    return None


@command(
    "看护名单",
    "visits",
    usage="#看护名单",
    permission=Permission.GRID,
    help="还有哪几户要走访（请私聊我）",
    numbered=False,
)
def visits(ctx: Context, call: Call) -> Ticket | None:
    """What is still to be visited, with the numbers of the morning's list."""
    if not _may(ctx, call):
        return None
    found = care_visits.list_of(ctx, call.actor)
    left = [line for line in found if not line.done]
    if left:
        text = ctx.texts("care.left", count=len(left), lines=shown(ctx, left), first=left[0].number)
    else:
        text = ctx.texts("care.all_visited" if found else "care.none_due")
    whisper_back(ctx, call.incoming, text)
    return None


def _may(ctx: Context, call: Call) -> bool:
    """In private, one of some grid's own people, with a register in use; else the answer says so."""
    if call.command.name == "已访":
        # Whatever was typed may name somebody: of the message only that it came is kept.
        store.cover(ctx.session, call.incoming.row_id, f"#{call.command.name} …")
    if not call.incoming.is_private:
        answer(ctx, call.incoming, ctx.texts("care.in_private"))
    elif not _of_some_grid(ctx, call):
        answer(ctx, call.incoming, _refusal(ctx, call))
    elif not ctx.care.entries:
        answer(ctx, call.incoming, ctx.texts("care.none_due"))
    else:
        return True
    return False


def _of_some_grid(ctx: Context, call: Call) -> bool:
    return any(care.sees(ctx.organisation, call.actor, post.area) for post in call.actor.posts if post.area)


def _refusal(ctx: Context, call: Call) -> str:
    """Who oversees grids hears numbers; anybody else only whose list it is."""
    posts = [post for post in call.actor.posts if post.role in {Role.COORDINATOR, Role.GRID_OWNER}]
    wide = [post.area or ctx.organisation.root for post in posts]
    areas = [code for code in wide if ctx.organisation.level_of(code) is not Level.GRID]
    if not areas:
        return ctx.texts("care.not_yours")
    due, still_open = care_visits.numbers(
        ctx, frozenset().union(*(ctx.organisation.all_within(code) for code in areas))
    )
    return ctx.texts("care.numbers", due=due, open=still_open)


def _chosen(ctx: Context, call: Call) -> Chosen | None:
    """None where the answer has said why."""
    lines = care_visits.list_of(ctx, call.actor)
    if found := _NUMBERS.match(call.argument):
        return _by_number(ctx, call, lines, found[0], call.argument[found.end() :].strip(_AROUND))
    return _by_name(ctx, call, lines)


def _by_number(ctx: Context, call: Call, lines: list[Line], typed: str, note: str) -> Chosen | None:
    """All of them or none: a wrong number may be a slip for another."""
    wanted = dict.fromkeys(int(number) for number in re.findall(r"\d+", typed))
    by_number = {line.number: line for line in lines}
    if unknown := [number for number in wanted if number not in by_number]:
        _no_such(ctx, call, "、".join(map(str, unknown)))
        return None
    return Chosen(tuple(by_number[number] for number in wanted), note=note)


def _by_name(ctx: Context, call: Call, lines: list[Line]) -> Chosen | None:
    """Somebody of the own grid whose name the words begin with, on the list or not."""
    own = [e for e in ctx.care.entries if care.sees(ctx.organisation, call.actor, e.area)]
    named = [entry for entry in own if call.argument.startswith(entry.name)]
    longest = max((len(entry.name) for entry in named), default=0)
    named = [entry for entry in named if len(entry.name) == longest]
    note = call.argument[longest:].strip(_AROUND)
    ids = {entry.id for entry in named}
    listed = [line for line in lines if line.entry.id in ids]
    if not named:
        _no_such(ctx, call, re.split(rf"[{_AROUND}]", call.argument)[0][:20])
        return None
    if len(named) > 1:
        template = "care.several" if listed else "care.several_not_due"
        whisper_back(ctx, call.incoming, ctx.texts(template, asked=named[0].name, lines=shown(ctx, listed)))
        return None
    return Chosen(tuple(listed), None if listed else named[0], note)


def _no_such(ctx: Context, call: Call, asked: str) -> None:
    whisper_back(ctx, call.incoming, ctx.texts("care.no_such", asked=asked))


def _visits(ctx: Context, call: Call, chosen: Chosen) -> list[tuple[CareVisit, Entry]]:
    if chosen.entry is not None:
        visit = care_visits.extra(ctx, chosen.entry)
        return [(visit, chosen.entry)] if visit is not None else []
    return [(line.visit, line.entry) for line in chosen.lines if not line.done]


def _tell(ctx: Context, call: Call, chosen: Chosen, fresh: list[Entry]) -> None:
    """What was noted now, what had been noted before, how many are left."""
    new = {entry.id for entry in fresh}
    meant = [*(line.entry for line in chosen.lines), *([chosen.entry] if chosen.entry else [])]
    before = [entry.name for entry in meant if entry.id not in new]
    parts = []
    if fresh:
        parts.append(ctx.texts("care.visited", names="、".join(entry.name for entry in fresh)))
    if before:
        parts.append(ctx.texts("care.visited_before", names="、".join(before)))
    left = sum(not line.done for line in care_visits.list_of(ctx, call.actor))
    parts.append(ctx.texts("care.still", left=left) if left else ctx.texts("care.all_visited"))
    whisper_back(ctx, call.incoming, "".join(parts))
