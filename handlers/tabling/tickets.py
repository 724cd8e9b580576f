"""A row a ticket: 事项明细, and the two ledgers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handlers import discretion
from handlers.context import Context
from handlers.courses import course_of, steps_of
from handlers.kinds import Kind, Sort, kind_of
from handlers.lifecycle import State
from handlers.lists import Asked, place_of
from handlers.tabling.base import BATCH, Row, columns, local, yes
from handlers.wording import label_of, state_of
from storage import lists as store
from storage.lists import Told
from storage.tables import Ticket, TicketEvent

COLUMNS = columns(
    "编号 16, 类别 8, 紧急程度 10, 大小事 8, 状态 10, 办结方式 14, 层级 8, 社区 12, 网格 14, "
    "地点 24, 内容 50, 来源 12, 反映人 10, 反映人数 9, 反映次数 9, 上报时间 17, 受理时间 17, "
    "到场时间 17, 办结时间 17, 办结期限 17, 按期 6, 负责人 12, 承办 14, 反复办 8, 延期次数 9, "
    "返工次数 9, 满意度 8, 并入 16"
)
LEDGER = columns(
    "编号 16, 类别 12, 社区 12, 网格 14, 地点 24, 内容 50, 来源 12, 反映人 10, 反映次数 9, "
    "首次反映 17, 最近反映 17, 状态 10, 受理人 12, 受理时间 17, 受理用时（分钟） 12, 承办 14, "
    "到场时间 17, 办结时间 17, 办理用时（分钟） 12, 办结期限 17, 按期 6, 办结方式 14, "
    "办理结果 40, 核查人 12, 满意度 8, 延期次数 9, 返工次数 9, 反复办 8, 办理经过 80"
)
_Write = Callable[[Context, Asked, Ticket, Sequence[TicketEvent], Told], Row | None]


@dataclass
class Tickets:
    """A row a ticket, or none where `write` leaves it out."""

    asked: Asked
    write: _Write
    sort: Sort | None = None
    seen: int = 0
    _after: int = 0

    def total(self, ctx: Context) -> int:
        return store.count(ctx.session, self.asked.wanted(ctx, self.sort))

    def batch(self, ctx: Context) -> list[Row] | None:
        found = store.tickets(ctx.session, self.asked.wanted(ctx, self.sort), self._after, BATCH)
        if not found:
            return None
        self.seen, self._after = self.seen + len(found), found[-1].id
        ids = [ticket.id for ticket in found]
        events, told = store.events(ctx.session, ids), store.told(ctx.session, ids)
        rows = (
            self.write(ctx, self.asked, ticket, events[ticket.id], told.get(ticket.id, Told()))
            for ticket in found
        )
        return [row for row in rows if row is not None]


def _said(ctx: Context, asked: Asked, ticket: Ticket) -> tuple[str, str, str]:
    """(place, what, reporter) as the reader may see them."""
    if ticket.area in asked.plain:
        return ticket.place, ticket.summary, ticket.reporter_name
    return (
        discretion.told(ctx, ticket.place),
        discretion.told(ctx, ticket.summary),
        discretion.reporter(ctx, ticket.reporter, ticket.reporter_name),
    )


def person_name(ctx: Context, person_id: str | None) -> str:
    person = ctx.organisation.person(person_id or "")
    return person.name if person else ""


def _result(ctx: Context, ticket: Ticket) -> str:
    return ctx.texts(f"names.resolution.{ticket.resolution}") if ticket.resolution else ""


def _content(ticket: Ticket) -> str:
    return {None: "", True: "满意", False: "不满意"}[ticket.satisfied]


def _where_from(ctx: Context, ticket: Ticket) -> str:
    """The kind of the group, not its name: that may hold a resident's."""
    return ctx.texts(f"names.kind.{ctx.organisation.group(ticket.room).kind}") if ticket.room else "私聊"


def ticket_row(ctx: Context, asked: Asked, ticket: Ticket, events: Sequence[TicketEvent], told: Told) -> Row:
    course = course_of(ctx, ticket, events)
    place, what, reporter = _said(ctx, asked, ticket)
    merged = [event.note for event in events if event.action == "merge"] if ticket.merged_into else []
    return (
        ticket.number,
        label_of(ctx, ticket.label),
        ctx.texts(f"names.urgency.{ticket.urgency}"),
        ctx.texts(f"names.track.{ticket.track}"),
        state_of(ctx, ticket.state),
        _result(ctx, ticket),
        ctx.texts(f"names.level.{ticket.level}"),
        ctx.organisation.community_name(ticket.area),
        ctx.organisation.area_name(ticket.area),
        place,
        what,
        _where_from(ctx, ticket),
        reporter,
        told.people,
        told.reports,
        local(ctx, ticket.opened_at),
        local(ctx, ticket.accepted_at),
        local(ctx, ticket.arrived_at),
        local(ctx, ticket.closed_at),
        local(ctx, course.due),
        yes(course.on_time),
        person_name(ctx, ticket.owner),
        ticket.handler_name,
        yes(ticket.recurring or None),
        ticket.extensions,
        course.times_back,
        _content(ticket),
        merged[-1] if merged else "",
    )


def ledger_row(sort: Sort) -> _Write:
    def write(
        ctx: Context, asked: Asked, ticket: Ticket, events: Sequence[TicketEvent], told: Told
    ) -> Row | None:
        kind = kind_of(ticket.label, ticket.summary, ticket.place)
        if kind is None or kind.sort is not sort or asked.kind not in {"", kind.code}:
            return None
        return _matter_row(ctx, asked, ticket, events, told, kind)

    return write


def _matter_row(
    ctx: Context, asked: Asked, ticket: Ticket, events: Sequence[TicketEvent], told: Told, kind: Kind
) -> Row:
    course = course_of(ctx, ticket, events)
    _, what, reporter = _said(ctx, asked, ticket)
    return (
        ticket.number,
        kind.name,
        ctx.organisation.community_name(ticket.area),
        ctx.organisation.area_name(ticket.area),
        place_of(ctx, ticket.place, ticket.summary),
        what,
        _where_from(ctx, ticket),
        reporter,
        max(told.reports, 1),
        local(ctx, ticket.opened_at),
        local(ctx, told.last or ticket.opened_at),
        state_of(ctx, ticket.state),
        course.accepted_by,
        local(ctx, ticket.accepted_at),
        course.accept_minutes,
        ticket.handler_name or (person_name(ctx, ticket.owner) if ticket.state != State.REPORTED else ""),
        local(ctx, ticket.arrived_at),
        local(ctx, ticket.closed_at),
        course.solve_minutes,
        local(ctx, course.due),
        yes(course.on_time),
        _result(ctx, ticket),
        course.ending,
        course.checked_by,
        _content(ticket),
        ticket.extensions,
        course.times_back,
        yes(ticket.recurring or None),
        steps_of(ctx, events),
    )
