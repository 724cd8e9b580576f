"""States of a ticket and the ways between them, as one table of data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.permissions import Permission


class State(StrEnum):
    REPORTED = "reported"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    PENDING_CHECK = "pending_check"
    CLOSED = "closed"


class Resolution(StrEnum):
    FIXED = "fixed"
    EXPLAINED = "explained"
    REFERRED = "referred"
    DUPLICATE = "duplicate"
    FALSE_ALARM = "false_alarm"
    WITHDRAWN = "withdrawn"


OPEN_STATES = tuple(state for state in State if state is not State.CLOSED)

# The edges the design allows; every step of every action below is one of them (a test holds it).
NEXT: Mapping[State, frozenset[State]] = {
    State.REPORTED: frozenset({State.ACCEPTED, State.CLOSED}),
    State.ACCEPTED: frozenset({State.DISPATCHED, State.IN_PROGRESS, State.CLOSED}),
    State.DISPATCHED: frozenset({State.IN_PROGRESS, State.ACCEPTED}),
    State.IN_PROGRESS: frozenset({State.SUSPENDED, State.PENDING_CHECK, State.CLOSED}),
    State.SUSPENDED: frozenset({State.IN_PROGRESS}),
    State.PENDING_CHECK: frozenset({State.CLOSED, State.IN_PROGRESS}),
    State.CLOSED: frozenset({State.IN_PROGRESS}),
}


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done to a ticket.

    paths: for each state it may start from, the states it passes through, the last one being where it ends.
    An empty path changes no state. A grid owner who sends someone out has thereby accepted: such implied
    steps stand in the path and each leaves its event.
    """

    name: str
    permission: Permission
    paths: Mapping[State, tuple[State, ...]]
    resolution: Resolution | None = None
    needs_note: bool = False


_R, _A, _D, _I, _S, _P, _C = State
_UNCHANGED: dict[State, tuple[State, ...]] = {state: () for state in OPEN_STATES}
# Closing from a state that cannot be left for `closed` directly takes the ticket back first.
_TO_CLOSED: Mapping[State, tuple[State, ...]] = {
    _R: (_C,),
    _A: (_C,),
    _D: (_A, _C),
    _I: (_C,),
    _S: (_I, _C),
    _P: (_C,),
}
# Who says that it is done has accepted it and been there.
_TO_CHECK: Mapping[State, tuple[State, ...]] = {
    _R: (_A, _I, _P),
    _A: (_I, _P),
    _D: (_I, _P),
    _I: (_P,),
    _S: (_I, _P),
}

# Somebody is there: work goes on, or begins.
_TO_WORK: Mapping[State, tuple[State, ...]] = _UNCHANGED | {_R: (_A, _I), _A: (_I,), _D: (_I,)}

ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("accept", Permission.OWNER, {_R: (_A,), _A: ()}),
        Action("take", Permission.STAFF, {_D: (_I,)}),
        Action("dispatch", Permission.OWNER, {_R: (_A, _D), _A: (_D,), _D: (_A, _D)}),
        Action("joint", Permission.OWNER, {_R: (_A, _D), _A: (_D,), _D: (), _I: ()}),
        Action("excuse", Permission.OWNER, _UNCHANGED),
        Action("offer", Permission.OWNER, {_R: (_A,), _A: (), _D: (_A,), _I: ()}),
        Action("arrive", Permission.STAFF, {_R: (_A, _I), _A: (_I,), _D: (_I,), _I: ()}),
        Action("feedback", Permission.STAFF, _UNCHANGED, needs_note=True),
        Action("return", Permission.STAFF, {_D: (_A,)}, needs_note=True),
        Action("order_back", Permission.STAFF, {_D: (_A,), _I: ()}, needs_note=True),
        Action("rework", Permission.CHECKER, {_P: (_I,)}, needs_note=True),
        Action("suspend", Permission.STREET, {_I: (_S,)}, needs_note=True),
        Action("suspend_request", Permission.STAFF, {_I: ()}, needs_note=True),
        Action("resume", Permission.STAFF, {_S: (_I,)}),
        # More time is for who is at it: before that it is to be accepted, then there is nothing left to do.
        Action("extend_request", Permission.STAFF, {_A: (), _D: (), _I: ()}, needs_note=True),
        Action("extend", Permission.STREET, {_A: (), _D: (), _I: ()}),
        Action("extend_refuse", Permission.STREET, {_A: (), _D: (), _I: ()}),
        Action("submit", Permission.STAFF, _TO_CHECK, needs_note=True),
        Action("close", Permission.OWNER, _TO_CLOSED, Resolution.FIXED, needs_note=True),
        Action("check", Permission.CHECKER, {_P: (_C,)}, Resolution.FIXED, needs_note=True),
        Action("false_alarm", Permission.OWNER, _TO_CLOSED, Resolution.FALSE_ALARM),
        Action("merge", Permission.OWNER, _TO_CLOSED, Resolution.DUPLICATE),
        Action("absorb", Permission.OWNER, _UNCHANGED),
        Action("split", Permission.OWNER, _UNCHANGED),
        Action("unmerge", Permission.OWNER, {_C: (_I,)}),
        Action("withdraw", Permission.REPORTER, _TO_CLOSED, Resolution.WITHDRAWN),
        Action("relabel", Permission.OWNER, _UNCHANGED),
        Action("escalate", Permission.OWNER, _UNCHANGED),
        Action("hand_back", Permission.OWNER, _UNCHANGED, needs_note=True),
        Action("take_up", Permission.OWNER, _UNCHANGED),
        # Who is on the scene is replaced there: the work goes on.
        Action("reassign", Permission.OWNER, {_D: (_A, _D), _I: ()}),
        Action("lift", Permission.OWNER, _UNCHANGED),
        Action("lower", Permission.OWNER, _UNCHANGED),
        Action("reopen", Permission.REPORTER, {_C: (_I,)}),
        Action("restore", Permission.STREET, {_C: (_I,)}),
        Action("redo", Permission.OWNER, {_C: (_I,)}, needs_note=True),
        Action("remark", Permission.STAFF, {state: () for state in State}, needs_note=True),
        Action("satisfied", Permission.REPORTER, {_C: ()}),
        Action("auto_accept", Permission.BOT, {_R: (_A,)}),
        # A unit of a joint dispatch says how far it is; who may is decided by its part in the ticket.
        Action("part_received", Permission.BOT, _UNCHANGED),
        Action("part_on_scene", Permission.BOT, _TO_WORK),
        Action("part_done", Permission.BOT, _TO_WORK),
        # Whoever of the volunteers' group is first: the open order decides.
        Action("order", Permission.BOT, {_A: (_D,), _I: ()}),
        Action("climb", Permission.BOT, _UNCHANGED),
        Action("recur", Permission.BOT, {state: () for state in State}),
        Action("remind", Permission.BOT, _UNCHANGED),
        Action("raise", Permission.BOT, _UNCHANGED),
        # What is put aside or thought done is taken up again when it becomes dangerous.
        Action("wake", Permission.BOT, {_S: (_I,), _P: (_I,)}),
        Action("join", Permission.BOT, _UNCHANGED),
        Action("picture", Permission.BOT, {state: () for state in State}),
    )
}


def path(action: str, state: State) -> tuple[State, ...] | None:
    """The states that `action` takes a ticket through from `state`; None where it is not possible."""
    return ACTIONS[action].paths.get(state)


def possible(state: State) -> list[str]:
    """Names of the actions that people can take in `state`."""
    return [a.name for a in ACTIONS.values() if state in a.paths and a.permission is not Permission.BOT]
