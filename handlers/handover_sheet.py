"""The hand-over sheet for the district's platforms (区平台, 12345, 数字城管), to be shown as page or text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.context import Context
from handlers.organisation import Level
from handlers.undo import undone
from handlers.wording import facts, label_of, shorten, state_of
from storage import joint as parts
from storage import tickets as store
from storage.tables import Ticket, TicketEvent, TicketReport, TicketUnit

_STEPS = 10  # of the latest: one page
_TOLD = 200  # characters of a report

# What is no step of the work, or is nobody's business outside the street.
_SILENT = frozenset(
    {
        "join",
        "picture",
        "remind",
        "remark",
        "raise",
        "wake",
        "settled",
        "review",
        "satisfied",
        "open",
        "undo",
        "recur",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`lines`: the steps taken, oldest first, each with time, who and what."""

    number: str
    title: str
    made: str
    sections: tuple[Section, ...]
    steps: tuple[str, ...]
    steps_title: str
    asked: str


def sheet(ctx: Context, ticket: Ticket) -> Sheet:
    """Everything the next platform asks for, as it stands now."""
    reports, events = store.reports(ctx.session, ticket.id), store.events(ctx.session, ticket.id)
    contact = _contact(ctx, ticket)
    sections = (
        ("matter", _matter(ctx, ticket)),
        ("when", _times(ctx, ticket, events)),
        ("what", _told(ctx, ticket, reports)),
        ("now", _now(ctx, ticket, events) | {"contact": contact}),
    )
    return Sheet(
        number=ticket.number,
        title=_name(ctx, "title", area=ctx.organisation.area_name(ctx.organisation.root)),
        made=_moment(ctx, ctx.now),
        sections=tuple(Section(_name(ctx, title), _rows(ctx, values)) for title, values in sections),
        steps=tuple(_steps(ctx, events)),
        steps_title=_name(ctx, "steps"),
        asked=_name(ctx, "asked", contact=contact),
    )


def sheet_text(made: Sheet) -> str:
    """The sheet as text to paste."""
    lines = [f"{made.title} {made.number}"]
    for section in made.sections:
        lines += [f"【{section.title}】", *(f"{row.name}：{row.value}" for row in section.rows)]
    lines += [f"【{made.steps_title}】", *made.steps, made.asked]
    return "\n".join(lines)


def _name(ctx: Context, key: str, **values: str) -> str:
    return ctx.texts(f"names.sheet.{key}", **values)


def _rows(ctx: Context, values: dict[str, str]) -> tuple[Row, ...]:
    """What is known; what is not is left out."""
    return tuple(Row(_name(ctx, key), value) for key, value in values.items() if value)


def _moment(ctx: Context, instant: datetime | None) -> str:
    return f"{ctx.local(instant):%Y-%m-%d %H:%M}" if instant else ""


def _matter(ctx: Context, ticket: Ticket) -> dict[str, str]:
    point = ctx.organisation.risk_points.get(ticket.risk_point or "")
    chain = [area.name for area in reversed(ctx.organisation.upwards(ticket.area))]
    kind = [label_of(ctx, ticket.label), ctx.texts(f"names.urgency.{ticket.urgency}")]
    return {
        "kind": " ".join([*kind, ctx.texts(f"names.track.{ticket.track}")]),
        "area": " > ".join(chain),
        "place": ticket.place,
        "point": f"{point.name}（{point.code}）" if point else "",
    }


def _times(ctx: Context, ticket: Ticket, events: Sequence[TicketEvent]) -> dict[str, str]:
    up = [event for event in events if event.action in {"climb", "escalate"}]
    rises = [f"{_moment(ctx, event.at)} {_level(ctx, event.data['after'])}" for event in up]
    return {
        "opened": _moment(ctx, ticket.opened_at),
        "accepted": _moment(ctx, ticket.accepted_at),
        "arrived": _moment(ctx, ticket.arrived_at),
        "escalated": "；".join(rises),
        "closed": _moment(ctx, ticket.closed_at),
    }


def _level(ctx: Context, level: str) -> str:
    return ctx.texts(f"names.level.{level}")


def _told(ctx: Context, ticket: Ticket, reports: Sequence[TicketReport]) -> dict[str, str]:
    first = shorten(reports[0].text, _TOLD) if reports else ""
    summary = shorten(ticket.summary, _TOLD)
    people = {report.reporter for report in reports}
    groups = {report.room for report in reports if report.room}
    pictures = store.count_pictures(ctx.session, ticket.id)
    return {
        "first": first,
        "summary": summary if summary != first else "",
        "reporters": _name(ctx, "counted", people=str(len(people)), groups=str(len(groups))),
        "pictures": _name(ctx, "pictured", count=str(pictures)) if pictures else "",
        "feedback": _feedback(ctx, ticket),
    }


def _feedback(ctx: Context, ticket: Ticket) -> str:
    if ticket.satisfied is None:
        return _name(ctx, "unjudged")
    return _name(ctx, "satisfied" if ticket.satisfied else "dissatisfied")


def _now(ctx: Context, ticket: Ticket, events: Sequence[TicketEvent]) -> dict[str, str]:
    reasons = [e.note for e in events if e.action == "escalate" and e.data.get("after") == Level.DISTRICT]
    return {
        "state": f"{state_of(ctx, ticket.state)}（{_level(ctx, ticket.level)}）",
        "handler": ticket.handler_name,
        "units": "；".join(_unit(ctx, unit) for unit in parts.of_ticket(ctx.session, ticket.id)),
        "reason": shorten(reasons[-1], _TOLD) if reasons else "",
    }


def _unit(ctx: Context, unit: TicketUnit) -> str:
    return f"{unit.name} {ctx.texts(f'names.part.{unit.state}')}"


def _contact(ctx: Context, ticket: Ticket) -> str:
    owner = ctx.organisation.person(ticket.owner or "")
    if owner is None:
        return facts(ctx, ticket)["who"]
    return f"{owner.name}（{ctx.texts(f'names.role.{owner.role}')}）"


def _steps(ctx: Context, events: Sequence[TicketEvent]) -> list[str]:
    gone = undone(list(events))
    done = [
        event
        for event in events
        if event.action not in _SILENT
        and event.id not in gone
        and not event.data.get("implied")
        and ctx.texts.has(f"names.event.{event.action}")
    ]
    return [_step(ctx, event) for event in done[-_STEPS:]]


def _step(ctx: Context, event: TicketEvent) -> str:
    who = "" if event.actor == "bot" else event.actor_name
    what = ctx.texts(f"names.event.{event.action}")
    note = f"：{shorten(event.note, 60)}" if event.note else ""
    return f"{_moment(ctx, event.at)} {who} {what}{note}".replace("  ", " ")
