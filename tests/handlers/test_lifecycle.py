"""The lifecycle table against the design's, and driven at random through the commands."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import select

from handlers import ladder
from handlers.lifecycle import ACTIONS, NEXT, OPEN_STATES, Resolution, State, path, possible
from handlers.organisation import Person, Role
from handlers.permissions import Permission
from storage.database import Database
from storage.tables import Reply, Ticket, TicketEvent, TicketReport
from tests.support.street import Street

# The design's table, written out once more.
DESIGN = {
    "reported": {"accepted", "closed"},
    "accepted": {"dispatched", "in_progress", "closed"},
    "dispatched": {"in_progress", "accepted"},
    "in_progress": {"suspended", "pending_check", "closed"},
    "suspended": {"in_progress"},
    "pending_check": {"closed", "in_progress"},
    "closed": {"in_progress"},
}


def test_edges_are_those_of_the_design() -> None:
    assert {state: set(targets) for state, targets in NEXT.items()} == DESIGN


@pytest.mark.parametrize("name", ACTIONS)
def test_every_step_of_an_action_is_an_edge(name: str) -> None:
    for start, steps in ACTIONS[name].paths.items():
        for before, after in zip((start, *steps), steps, strict=False):
            assert after in NEXT[before], f"{name}: {before} -> {after}"


def test_every_edge_is_walked_by_some_action() -> None:
    walked = {
        edge
        for action in ACTIONS.values()
        for start, steps in action.paths.items()
        for edge in zip((start, *steps), steps, strict=False)
    }
    assert walked == {(before, after) for before, targets in NEXT.items() for after in targets}


def test_every_action_is_reachable_and_closing_needs_a_resolution() -> None:
    reached = {State.REPORTED}
    while (
        more := {s for a in ACTIONS.values() for f, p in a.paths.items() if f in reached for s in p} - reached
    ):
        reached |= more
    assert reached == set(State)
    for action in ACTIONS.values():
        assert reached & set(action.paths), action.name
        ends = {steps[-1] for steps in action.paths.values() if steps}
        assert (action.resolution is not None) == (State.CLOSED in ends), action.name


def test_every_open_state_can_be_left_by_people() -> None:
    for state in OPEN_STATES:
        assert any(path(name, state) for name in possible(state)), state


PEOPLE = ("tang", "peng", "zhou", "deng", "pu", "fan", "he", "qin", "powerco", "路人")
ROOMS = ("river", "stairs", "couriers", "")
REPORTS = ("江岸大厦负二楼车库进水了", "江岸大厦有人被困", "石梯坎3号水管爆了", "门口路灯坏了", "两家吵架")
# What makes sense in a state, and from whom.
SENSIBLE = {
    "reported": (
        *("owner 接单", "owner 派单 何志愿", "owner 派单 @供电所", "owner 派单 自来水公司", "owner 到场"),
        *("worker 到场", "owner 误报", "reporter 撤回", "owner 改类 安全", "owner 大事"),
        *("owner 升级 办不了", "street 转街道", "owner 交回 归网格", "worker 备注 难说话"),
    ),
    "accepted": (
        *("owner 派单 何志愿", "owner 派单 彭师傅", "owner 到场", "worker 到场", "owner 接单"),
        *("owner 办结 已解释 说清了", "owner 改类 服务", "owner 延期 2小时 等料", "street 延期 同意"),
    ),
    "dispatched": (
        *("handler 接单", "handler 到场", "handler 退回 不归我", "handler 办结 好了", "owner 派单 何志愿"),
        *("reporter 撤回", "owner 误报 看错", "owner 改派 供电所", "owner 转街道 缺人"),
    ),
    "in_progress": (
        *("street 挂起 等料", "worker 挂起 等料", "handler 办结 好了", "worker 办结 好了"),
        *("handler 反馈 在办", "owner 办结 已转办 明天来", "reporter 撤回"),
        *("owner 大事 要盯住", "street 小事", "owner 改派 何志愿", "owner 改派 自来水公司"),
        *("owner 升级 办不了", "street 转区 没有设备", "street 交回 归网格", "owner 接单"),
        *("handler 延期 2小时 等料", "street 延期 1小时 等料", "street 延期 同意", "street 延期 不同意 抓紧"),
        *("owner 大事 要盯住", "street 小事"),
    ),
    "suspended": ("handler 恢复", "street 恢复", "worker 反馈 等料", "owner 办结 好了", "street 挂起 再等"),
    "pending_check": (
        *("owner 核查 通过", "street 核查 通过 看过了", "street 核查 返工 没修好", "worker 核查 通过"),
        "owner 办结 属实",
        "street 办结 属实",
        "owner 退回 没修好",
        "handler 反馈 再看看",
    ),
    "closed": (
        "reporter 满意",
        "reporter 不满意 没修好",
        "reporter 不满意",
        "street 恢复",
        "owner 误报",
        "owner 重开 没好",
        "worker 备注 难说话",
    ),
}
ANYTHING = (
    *("派单", "反馈", "退回", "办结", "改类 什么", "进度", "帮助", "报 门口堆了东西", "撤销"),
    *sorted({words.partition(" ")[2] for some in SENSIBLE.values() for words in some}),
)
_STAFF_ROLES = {Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR}
_OWNER_ROLES = {Role.GRID_OWNER, Role.COORDINATOR}


class Lifecycle(RuleBasedStateMachine):
    """Anybody says anything anywhere at any time; whatever they do, the promises hold."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        file = Path(self.folder.name) / "machine.db"
        file.write_bytes(self.template.read_bytes())
        self.database = Database(f"sqlite:///{file}", durable=False)
        self.street = Street(self.database)
        self.trail: list[dict[str, Any]] = []
        self.handlers: dict[int, str | None] = {}
        self.tracks: dict[int, str] = {}
        self.reporters: dict[int, set[str]] = {}

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(room=st.sampled_from(ROOMS), who=st.sampled_from(PEOPLE), text=st.sampled_from(REPORTS))
    def report(self, room: str, who: str, text: str) -> None:
        self._remember()
        self.street.say(room, who, text)
        self._look()

    @precondition(lambda self: self.trail)
    @rule(data=st.data(), steps=st.integers(3, 8))
    def do_what_makes_sense(self, data: st.DataObject, steps: int) -> None:
        last = "zhou"
        for _ in range(steps):
            ticket = self.street.tickets()[-1]
            if data.draw(st.integers(0, 5)) == 0:
                self._type(ticket, last, "撤销", ticket.room, ticket.number)
            who, _, words = data.draw(st.sampled_from(SENSIBLE[ticket.state])).partition(" ")
            people = {
                "owner": ticket.owner,
                "handler": ticket.handler,
                "reporter": ticket.reporter,
                "worker": "qin",
                "street": "pu",
            }
            last = people[who] or "zhou"
            self._type(ticket, last, words, ticket.room, ticket.number)

    @precondition(lambda self: self.trail)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE), words=st.sampled_from(ANYTHING))
    def do_anything(self, data: st.DataObject, who: str, words: str) -> None:
        ticket = data.draw(st.sampled_from(self.street.tickets()[-4:]))
        room = data.draw(st.sampled_from((ticket.room, "command", "stairs", "")))
        self._type(
            ticket, who, words, room, data.draw(st.sampled_from((ticket.number, str(ticket.running), "")))
        )

    def _type(self, ticket: Ticket, who: str, words: str, room: str, number: str) -> None:
        name, _, rest = words.partition(" ")
        self._remember()
        self.street.say(room, who, f"#{name} {'' if name == '报' else number} {rest}")
        self._look()

    @rule(room=st.sampled_from(ROOMS), who=st.sampled_from(PEOPLE))
    def show(self, room: str, who: str) -> None:
        self._remember()
        self.street.picture(room, who)
        self._look()

    @rule(minutes=st.sampled_from((1, 20, 61, 8 * 60, 25 * 60, 73 * 60)))
    def wait(self, minutes: int) -> None:
        self._remember()
        self.street.clock.move(minutes=minutes)
        self.street.sweep()
        self._look()

    def _remember(self) -> None:
        self.handlers = {ticket.id: ticket.handler for ticket in self.street.tickets()}
        self.tracks = {ticket.id: ticket.track for ticket in self.street.tickets()}

    def _look(self) -> None:
        """What was newly done: by whom, and who was told."""
        events = self.street.events()
        fresh = events[len(self.trail) :]
        before = [event.model_dump() for event in events[: len(self.trail)]]
        assert before == self.trail, "an event was changed or lost"
        self.trail += [event.model_dump() for event in fresh]
        with self.street.reading() as session:
            reports = list(session.exec(select(TicketReport)))
            replies = list(session.exec(select(Reply)))
        tickets = {ticket.id: ticket for ticket in self.street.tickets()}
        self._hold(list(tickets.values()), events)
        for event in fresh:
            told_before = {r.reporter for r in reports if r.ticket_id == event.ticket_id}
            assert self._may(event, tickets[event.ticket_id], told_before), event
            self._checked(event)
            if event.to_state and not event.data.get("implied") and event.action in ACTIONS:
                _told_once(event, [r for r in reports if r.ticket_id == event.ticket_id], replies)

    def _may(self, event: TicketEvent, ticket: Ticket, reporters: set[str]) -> bool:
        """The rules of who may do what, put in other words than the program's."""
        if event.action == "undo":
            undone = [e for e in self.street.events(ticket.id) if e.id in event.data["undone"]]
            return bool(undone) and {e.actor for e in undone} <= {event.actor, "bot"}
        if event.action in {"open", "join", "picture"} or event.actor == "bot":
            return event.action not in ACTIONS or ACTIONS[event.action].permission is Permission.BOT
        permission = Permission.REPORTER
        if event.action != "report_withdrawn":
            permission = ACTIONS[event.action].permission
        if permission is Permission.REPORTER:
            return event.actor in reporters
        person = self.street.world.organisation.person(event.actor)
        handles = self.handlers.get(ticket.id) == event.actor
        covers = person is not None and _covers(person, ticket.area)
        role = person.role if person else Role.RESIDENT
        return {
            Permission.STAFF: handles or (covers and role in _STAFF_ROLES),
            Permission.OWNER: covers and role in _OWNER_ROLES,
            Permission.CHECKER: covers and role in _OWNER_ROLES and not handles,
            Permission.STREET: covers and role is Role.COORDINATOR,
        }[permission]

    def _checked(self, event: TicketEvent) -> None:
        """A large matter is closed by somebody other than who did it, if there is anybody."""
        handler = self.handlers.get(event.ticket_id)
        if event.action in {"close", "check"} and self.tracks.get(event.ticket_id) == "large":
            assert event.actor != handler
            assert not event.data.get("unchecked")  # in the sample street there is always somebody

    def _hold(self, tickets: list[Ticket], events: list[TicketEvent]) -> None:
        """What holds at any time."""
        assert self.street.intake.failed == 0
        for ticket in tickets:
            _events_tell_the_state(ticket, [e for e in events if e.ticket_id == ticket.id and e.to_state])
            closed = ticket.state == State.CLOSED
            assert closed == (ticket.resolution is not None) == (ticket.closed_at is not None)
            assert ticket.resolution is None or Resolution(ticket.resolution)
            self._something_is_due(ticket)
        days: dict[str, list[int]] = {}
        for ticket in tickets:
            assert ticket.number == f"CTM{ticket.day:%m%d}-{ticket.running:03d}"
            days.setdefault(ticket.number[:7], []).append(ticket.running)
        assert all(running == list(range(1, len(running) + 1)) for running in days.values())

    def _something_is_due(self, ticket: Ticket) -> None:
        """Until it is over, or until everybody above has been told more than once."""
        if ticket.state in {State.CLOSED, State.SUSPENDED}:
            assert (ticket.due_at, ticket.deadline_at, ticket.due_kind) == (None, None, None)
            return
        assert ticket.due_kind and ticket.deadline_at
        if ticket.due_at is None:
            with self.street.context() as ctx:
                assert ticket.reminders >= ctx.rules.reminders.most
                assert ladder.above(ctx, ticket) is None


def _events_tell_the_state(ticket: Ticket, changes: list[TicketEvent]) -> None:
    assert [event.action for event in changes].index("open") == 0
    assert (changes[0].from_state, changes[0].to_state) == (None, "reported")
    by_id = {event.id: event for event in changes}
    for before, after in pairwise(changes):
        assert after.from_state == before.to_state
        if after.action == "undo":  # the one way back: to where the undone command had begun
            undone = [by_id[id] for id in after.data["undone"] if id in by_id]
            assert after.to_state == undone[0].from_state
            continue
        assert after.to_state in DESIGN[str(after.from_state)]
    assert changes[-1].to_state == ticket.state


def _covers(person: Person, area: str) -> bool:
    """Areas of the sample street are codes that begin with the code above them: CTM, CTM-01, CTM-0102."""
    return area.startswith(person.area)


def _told_once(event: TicketEvent, reports: list[TicketReport], replies: list[Reply]) -> None:
    """In every group, and every private chat, that had reported it."""
    places = {(report.room, "" if report.room else report.reporter) for report in reports}
    if event.action in {"auto_accept", "wake"}:
        told = [r for r in replies if r.ticket_id == event.ticket_id and r.message_id == event.message_id]
    else:
        told = [r for r in replies if r.key.startswith(f"e{event.id}:")]
    for room, person in places:
        there = [r for r in told if (r.room, r.person) == (room, person) and ":street" not in r.key]
        assert len(there) == 1, f"{event.action} was told {len(there)} times in {room or person}"


def test_whatever_people_do(sqlite_template: Path) -> None:
    machine: Callable[[], Lifecycle] = type("Machine", (Lifecycle,), {"template": sqlite_template})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=timedelta(seconds=20),
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
