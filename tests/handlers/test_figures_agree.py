"""Days of made-up events: every figure is counted once more, the slow way.

The tables are copied at each evening and each Monday's midnight, before anybody knows what comes later. Long
after, the figures of those days are asked for, and have to be what the copies say.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from handlers import deadlines
from handlers.context import Context
from handlers.figures import periods
from handlers.figures.counting import count, gather
from handlers.figures.model import (
    Counts,
    DigestKind,
    Durations,
    Figures,
    GroupTrouble,
    Helpers,
    Judgement,
    Loss,
    Period,
    Share,
    Usual,
)
from handlers.lists import place_of
from storage.database import Database
from storage.ids import new_id
from storage.tables import Correction, Message, Room, Ticket, TicketEvent, TicketReport
from tests.support.street import ZONE, Street

FIRST = date(2026, 7, 6)  # a Monday
DAYS = 31
TOLD = (
    ("river", "tang", "门口路灯坏了"),
    ("river", "tang", "江岸大厦负二楼车库进水了"),
    ("stairs", "peng", "石梯坎3号水管爆了"),
    ("stairs", "he", "石梯坎5号电线掉了"),
    ("homestay", "ye", "客人吵架"),
    ("couriers", "xiong", "二码头路灯坏了"),
    ("couriers", "wxid_7", "望江楼有人打起来了"),
    ("", "ye", "民宿街水管爆了"),
)
ORDERS = (
    "接单", "到场", "办结 修好了", "办结 已解释 没办法", "办结 已转办 12345", "误报", "改类 安全",
    "派单 何志愿", "核查 不通过 还在漏", "挂起 等材料", "恢复", "延期 2天 等材料", "重开 没弄完",
)  # fmt: skip
step = st.tuples(
    st.integers(0, DAYS - 1),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(("tell", "tell", "order", "order", "order", "own", "merge", "split", "undo", "quick")),
    st.integers(0, 40),
    st.integers(0, 40),
)


@dataclass
class Copy:
    """All there was at an instant."""

    at: datetime
    tickets: list[Ticket]
    events: dict[int, list[TicketEvent]]
    reports: list[TicketReport]
    corrections: list[tuple[Correction, Message | None]]
    rooms: list[Room]


@dataclass
class Days:
    """Lives through them, and keeps a copy of each evening."""

    street: Street
    copies: dict[datetime, Copy] = field(default_factory=dict)

    def live(self, steps: Sequence[tuple[int, int, str, int, int]]) -> None:
        marks = [datetime.combine(FIRST + timedelta(days=n), time(18), ZONE) for n in range(DAYS)]
        marks += [datetime.combine(FIRST + timedelta(days=n), time(), ZONE) for n in range(0, DAYS, 7)]
        told = [
            (datetime.combine(FIRST + timedelta(days=day), time(minute // 60, minute % 60, 30), ZONE), *what)
            for day, minute, *what in steps
        ]
        for at, *what in sorted([*told, *((mark, None, 0, 0) for mark in marks)], key=lambda one: one[0]):
            self.street.clock.now = at.astimezone(UTC)
            if what[0] is None:
                self.copies[at] = self.copy(at)
            else:
                self.do(*what)  # type: ignore[arg-type]
                self.street.sweep()
        # What is told as it stands now: groups, corrections, reports.
        self.copies[self.street.clock().astimezone(ZONE)] = self.copy(self.street.clock())

    def copy(self, at: datetime) -> Copy:
        with self.street.reading() as session:
            events: dict[int, list[TicketEvent]] = {}
            for event in session.exec(select(TicketEvent)):
                events.setdefault(event.ticket_id, []).append(event)
            corrections = [
                (one, session.get(Message, one.message_id)) for one in session.exec(select(Correction))
            ]
            found = (list(session.exec(select(table))) for table in (Ticket, TicketReport, Room))
            tickets, reports, rooms = found
            session.expunge_all()
        for trail in events.values():
            trail.sort(key=lambda event: event.id)
        return Copy(at, tickets, events, reports, corrections, rooms)  # type: ignore[arg-type]

    def do(self, what: str, one: int, two: int) -> None:
        say, known = self.street.say, self.street.tickets()
        if what == "tell" or not known:
            say(*TOLD[one % len(TOLD)])
            return
        ticket, other = known[-1 - one % min(6, len(known))], known[-1 - two % min(6, len(known))]
        if what == "order":
            say("command", "pu", f"#{_with_number(ORDERS[two % len(ORDERS)], ticket.number)}")
        elif what == "own":
            words = ("撤回", "满意", "不满意 又坏了")[two % 3]
            say(ticket.room, ticket.reporter, f"#{_with_number(words, ticket.number)}")
        elif what == "merge" and ticket.id != other.id:
            say("command", "pu", f"#并案 {ticket.number} {other.number}")
        elif what == "split":
            say("command", "pu", f"#拆分 {ticket.number}")
        elif what == "undo":
            say("command", "pu", f"#办结 {ticket.number} 弄好了")
            self.street.clock.move(minutes=two % 2)
            say("command", "pu", "#撤销")
        elif what == "quick":
            say(*TOLD[two % len(TOLD)])
            say("command", "pu", f"#办结 {self.street.tickets()[-1].number} 弄好了")


def _with_number(order: str, number: str) -> str:
    name, _, rest = order.partition(" ")
    return f"{name} {number} {rest}".strip()


@dataclass
class Slow:
    """The figures of a period by looking at each ticket of the copy, one by one."""

    ctx: Context
    copies: dict[datetime, Copy]
    period: Period
    area: str

    def here(self, area: str) -> bool:
        return self.ctx.organisation.within(area, self.area)

    def matters(self, copy: Copy) -> Iterator[Ticket]:
        return (t for t in copy.tickets if self.here(t.area) and t.resolution != "duplicate")

    def inside(self, at: datetime | None) -> bool:
        return at is not None and self.period.start <= at < self.period.end

    def counts(self, copy: Copy, start: datetime, label: str = "") -> Counts:
        found = Counts()
        for ticket in self.matters(copy):
            if label in {"", ticket.label}:
                closed = ticket.state == "closed"
                late = not closed and ticket.deadline_at is not None and ticket.deadline_at < copy.at
                found += Counts(
                    opened=int(ticket.opened_at >= start),
                    closed=int(closed and ticket.closed_at is not None and ticket.closed_at >= start),
                    open=int(not closed),
                    overdue=int(late),
                )
        return found

    def usual(self, label: str = "") -> Usual:
        sums = []
        firsts = [room.first_seen_at for room in self.end.rooms] + [t.opened_at for t in self.end.tickets]
        began = min(firsts, default=None)
        for week in range(1, 5):
            copy = self.copies.get(self.period.end.astimezone(ZONE) - timedelta(days=7 * week))
            start = self.period.start.astimezone(ZONE) - timedelta(days=7 * week)
            if copy is not None and began is not None and began <= start:
                sums.append(self.counts(copy, start, label))
        if not sums:
            return Usual()
        whole, weeks = sum(sums, Counts()), len(sums)
        return Usual(weeks, *(getattr(whole, name) / weeks for name in Counts.__slots__))

    @property
    def end(self) -> Copy:
        return self.copies[self.period.end.astimezone(ZONE)]

    @property
    def last(self) -> Copy:
        return self.copies[max(self.copies)]

    def trail(self, ticket: Ticket) -> list[TicketEvent]:
        trail = self.end.events.get(ticket.id, [])
        undone = [id for event in trail if event.action == "undo" for id in event.data["undone"]]
        return [event for event in trail if event.id not in undone and "implied" not in event.data]

    def opened(self) -> list[Ticket]:
        return [ticket for ticket in self.matters(self.end) if self.inside(ticket.opened_at)]

    def closed(self) -> list[Ticket]:
        return [t for t in self.matters(self.end) if t.state == "closed" and self.inside(t.closed_at)]

    def real(self) -> list[Ticket]:
        return [t for t in self.closed() if t.resolution not in {"false_alarm", "withdrawn"}]

    def answer(self, ticket: Ticket) -> datetime | None:
        beside = "open join picture withdraw report_withdrawn satisfied reopen settled remark review undo"
        for event in self.trail(ticket):
            if event.actor not in {"bot", "opinion"} and event.action not in beside.split():
                return event.at
        return None

    def answered(self) -> Durations:
        minutes = []
        for ticket in self.matters(self.end):
            first = self.answer(ticket)
            if self.inside(first):
                assert first is not None
                minutes.append((first - ticket.opened_at).total_seconds() / 60)
        return spread(minutes)

    def closing(self) -> Durations:
        return spread([(t.closed_at - t.opened_at).total_seconds() / 60 for t in self.real() if t.closed_at])

    def response(self) -> Share:
        yes = no = out = 0
        for ticket in self.opened():
            if self.answer(ticket) is not None:
                yes += 1
            elif ticket.state != "closed" and ticket.deadline_at and ticket.deadline_at < self.end.at:
                no += 1
            else:
                out += 1
        return Share(yes, yes + no, out)

    def of_real(self, yes: int) -> Share:
        return Share(yes, len(self.real()), len(self.closed()) - len(self.real()))

    def on_time(self) -> Share:
        yes = no = 0
        for ticket in self.real():
            due = deadlines.solved_by(self.ctx, ticket)
            if due is not None and ticket.closed_at is not None:
                yes, no = (yes + 1, no) if ticket.closed_at <= due else (yes, no + 1)
        return Share(yes, yes + no, len(self.closed()) - yes - no)

    def back(self, ticket: Ticket) -> bool:
        return any(event.action in ("rework", "reopen", "restore", "redo") for event in self.trail(ticket))

    def reopened(self) -> int:
        return sum(
            any(
                self.inside(event.at) and event.from_state == "closed" and event.to_state != "closed"
                for event in self.trail(ticket)
                if event.action not in ("unmerge", "undo")
            )
            for ticket in self.matters(self.end)
        )

    def satisfaction(self) -> Share:
        happy = spoken = silent = 0
        closed = [ticket.id for ticket in self.closed()]
        for ticket in self.matters(self.end):
            words = [
                event.action
                for event in self.trail(ticket)
                if self.inside(event.at) and event.action in ("satisfied", "reopen")
            ]
            none = ticket.resolution in ("false_alarm", "withdrawn")
            if words and not none:
                spoken += 1
                happy += words[-1] == "satisfied"
            elif ticket.id in closed:
                silent += 1
        return Share(happy, spoken, silent)

    def places(self) -> list[tuple[str, str, int]]:
        counted: Counter[tuple[str, str]] = Counter()
        for ticket in self.opened():
            if place := place_of(self.ctx, ticket.place, ticket.summary):
                counted[place, ticket.area] += 1
        return [(*key, number) for key, number in counted.items()]

    def days(self) -> list[tuple[date, dict[str, int]]]:
        last = (self.period.end.astimezone(ZONE) - timedelta(seconds=1)).date()
        found = []
        for ago in range(13, -1, -1):
            day = last - timedelta(days=ago)
            labels = Counter(
                t.label for t in self.matters(self.end) if t.opened_at.astimezone(ZONE).date() == day
            )
            found.append((day, dict(labels)))
        return found

    def helper(self, person: str, room: str, role: str) -> bool:
        known = self.ctx.organisation.person(person)
        return (known is not None and known.role == role) or self.ctx.organisation.group(room).kind == role

    def helpers(self) -> Helpers:
        areas = {ticket.id: ticket.area for ticket in self.end.tickets}
        found = {}
        for role in ("courier", "volunteer"):
            found[f"{role}_reports"] = len(
                {
                    report.message_id
                    for report in self.last.reports
                    if self.inside(report.at)
                    and report.ticket_id in areas
                    and self.here(areas[report.ticket_id])
                    and self.helper(report.reporter, report.room, role)
                }
            )
            found[f"{role}_matters"] = sum(self.helper(t.reporter, t.room, role) for t in self.opened())
        return Helpers(**found)

    def judgement(self) -> Judgement:
        areas = {ticket.id: ticket.area for ticket in self.last.tickets}
        kinds: Counter[str] = Counter()
        for one, message in self.last.corrections:
            room = message.room if message else ""
            area = areas.get(message.ticket_id or 0) if message else None
            if self.inside(one.at) and self.here(area or self.ctx.organisation.group(room).area):
                kinds[one.kind] += 1
        right = own = 0
        for ticket in self.end.tickets:
            if self.here(ticket.area) and self.inside(ticket.opened_at):
                own += 1
                wrong = ticket.resolution in ("false_alarm", "duplicate")
                right += not wrong and not any(e.action == "relabel" for e in self.trail(ticket))
        return Judgement(dict(sorted(kinds.items())), Share(right, own, 0))

    def promised(self, ahead: Period) -> list[str]:
        found = [
            (ticket.deadline_at, ticket.id, ticket.number)
            for ticket in self.matters(self.end)
            if ticket.state != "closed"
            and ticket.deadline_at
            and ahead.start <= ticket.deadline_at < ahead.end
        ]
        return [number for _, _, number in sorted(found)]

    def oldest(self) -> list[str]:
        found = [(t.opened_at, t.id, t.number) for t in self.matters(self.end) if t.state != "closed"]
        return [number for _, _, number in sorted(found)][:5]

    def groups(self) -> list[GroupTrouble]:
        """Of what the groups' rows say at last: nothing else is known of them."""
        found = []
        for room in self.last.rooms:
            group = self.ctx.organisation.bound_group(room.id, room.topic)
            last = room.last_message_at or room.first_seen_at
            if group and self.here(group.area) and self.inside(last + timedelta(days=3)):
                found.append(GroupTrouble(room.topic, group.area, Loss.QUIET, last))
        return sorted(found, key=lambda one: (one.since, one.topic))


def spread(minutes: list[float]) -> Durations:
    if not minutes:
        return Durations()
    minutes.sort()
    middle = (minutes[(len(minutes) - 1) // 2] + minutes[len(minutes) // 2]) / 2
    rank = ceil(0.9 * len(minutes) - 1e-9)
    return Durations(len(minutes), middle, minutes[rank - 1])


def agree(found: Figures, slow: Slow) -> None:
    start = slow.period.start
    assert found.total == slow.counts(slow.end, start)
    assert found.usual == slow.usual()
    for label in found.labels:
        assert label.counts == slow.counts(slow.end, start, label.label), label
        assert label.usual == slow.usual(label.label), label
        urgent = [t for t in slow.opened() if t.urgency == 3 and t.label == label.label]
        assert label.urgent == len(urgent)
    assert sum((label.counts for label in found.labels), Counts()) == found.total
    assert sum((area.counts for area in found.areas), Counts()) == found.total
    assert found.urgent == sum(label.urgent for label in found.labels)
    assert found.explained == sum(ticket.resolution == "explained" for ticket in slow.closed())
    merged = [t for t in slow.end.tickets if t.resolution == "duplicate" and slow.here(t.area)]
    assert found.duplicates == sum(slow.inside(ticket.closed_at) for ticket in merged)
    assert found.reopened == slow.reopened()
    assert found.answered == slow.answered()
    assert found.closing == slow.closing()
    assert found.response == slow.response()
    assert found.solution == slow.of_real(sum(t.resolution == "fixed" for t in slow.real()))
    assert found.satisfaction == slow.satisfaction()
    assert found.on_time == slow.on_time()
    assert found.rework == slow.of_real(sum(slow.back(t) for t in slow.real()))
    assert found.extension == slow.of_real(sum(t.extensions > 0 for t in slow.real()))
    _lists_agree(found, slow)


def _lists_agree(found: Figures, slow: Slow) -> None:
    places = slow.places()
    shown = [(one.place, one.area, one.matters) for one in found.places]
    assert set(shown) <= set(places) and len(shown) == min(5, len(places))
    assert [number for *_, number in shown] == sorted((number for *_, number in places), reverse=True)[:5]
    assert {line.number for line in found.recurring} <= {t.number for t in slow.opened() if t.recurring}
    assert len(found.recurring) == min(5, sum(ticket.recurring for ticket in slow.opened()))
    assert [line.number for line in found.oldest] == slow.oldest()
    assert found.ahead is not None
    promised = slow.promised(found.ahead)
    assert (found.promises, [line.number for line in found.promised]) == (len(promised), promised[:5])
    assert found.helpers == slow.helpers()
    assert found.judgement == slow.judgement()
    assert list(found.groups) == slow.groups()
    assert [(day.day, dict(day.opened)) for day in found.days] == slow.days()


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a month is long: making it shorter takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(step, min_size=8, max_size=45))
def test_every_figure_is_what_the_slow_way_finds(
    sqlite_url: str, tmp_path: Path, steps: list[tuple[int, int, str, int, int]]
) -> None:
    fresh = Path(shutil.copy(sqlite_url.removeprefix("sqlite:///"), tmp_path / f"{new_id()}.db"))
    database = Database(f"sqlite:///{fresh}", durable=False)
    try:
        days = Days(Street(database))
        days.live(steps)
        with days.street.context() as ctx:
            for window in _windows(ctx, steps):
                gathered = gather(ctx, window.period, ahead=window.ahead, kind=window.kind)
                for area in ("CTM", "CTM-01", "CTM-0201"):
                    agree(count(gathered, area), Slow(ctx, days.copies, window.period, area))
    finally:
        database.close()
        fresh.unlink()


def _windows(ctx: Context, steps: Sequence[tuple[int, int, str, int, int]]) -> Iterator[periods.Window]:
    """The days on which something happened, those after them, the weeks."""
    busy = {min(day + more, DAYS - 1) for day, *_ in steps for more in (0, 1)}
    for number in sorted(busy):
        yield periods.window(ctx, DigestKind.EVENING, FIRST + timedelta(days=number))
    for number in range(7, DAYS, 7):
        yield periods.window(ctx, DigestKind.WEEKLY, FIRST + timedelta(days=number))


def test_periods_of_following_digests_meet(sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    with Street(database).context() as ctx:
        for kind, days in ((DigestKind.EVENING, 1), (DigestKind.WEEKLY, 7)):
            windows = [
                periods.window(ctx, kind, FIRST + timedelta(days=days * number)) for number in range(60)
            ]
            assert all(one.period.end == other.period.start for one, other in pairwise(windows))
    database.close()
