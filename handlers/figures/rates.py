"""How soon and how well: durations and shares. A share tells beside it how many it leaves out."""

from collections.abc import Callable, Iterable, Sequence
from math import ceil
from statistics import median

from handlers import deadlines
from handlers.context import Context
from handlers.figures.facts import BACK, Fact, is_open, is_overdue
from handlers.figures.model import Durations, Period, Share
from handlers.lifecycle import Resolution, State


def durations(minutes: Iterable[float]) -> Durations:
    """Median (the mean of the middle two), and the smallest that nine tenths do not exceed."""
    ordered = sorted(minutes)
    if not ordered:
        return Durations()
    return Durations(len(ordered), median(ordered), ordered[ceil(len(ordered) * 9 / 10) - 1])


def answered(matters: Iterable[Fact], period: Period) -> Durations:
    """From opening to the first answer of a person, of those who got it in the period."""
    found = ((fact.answered, fact.stood.opened_at) for fact in matters)
    return durations(
        (first - opened).total_seconds() / 60
        for first, opened in found
        if first is not None and period.start <= first < period.end
    )


def closing(closed: Iterable[Fact]) -> Durations:
    """From opening to the last closing, of what was a matter."""
    return durations(
        (fact.stood.closed_at - fact.stood.opened_at).total_seconds() / 60
        for fact in closed
        if fact.real and fact.stood.closed_at is not None
    )


def response(opened: Sequence[Fact], period: Period) -> Share:
    """Left out: who nobody has to answer any more (withdrawn), or not yet (the promise still runs)."""
    answered = [fact.answered is not None for fact in opened]
    waits = [
        not done and (not is_open(fact.stood) or not is_overdue(fact.stood, period.end))
        for done, fact in zip(answered, opened, strict=True)
    ]
    return Share(sum(answered), len(opened) - sum(waits), sum(waits))


def solution(closed: Sequence[Fact]) -> Share:
    return _share(closed, lambda fact: fact.stood.resolution == Resolution.FIXED)


def rework(closed: Sequence[Fact]) -> Share:
    return _share(closed, lambda fact: fact.had(*BACK))


def extension(closed: Sequence[Fact]) -> Share:
    return _share(closed, lambda fact: fact.stood.extensions > 0)


def on_time(ctx: Context, closed: Sequence[Fact]) -> Share:
    """Left out also: what had no limit."""
    dues = [(fact.stood.closed_at, deadlines.solved_by(ctx, fact.stood)) for fact in closed if fact.real]
    kept = [at <= due for at, due in dues if at is not None and due is not None]
    return Share(sum(kept), len(kept), len(closed) - len(kept))


def satisfaction(matters: Iterable[Fact], closed: Sequence[Fact]) -> Share:
    """Of what its reporters spoke of in the period the share of those whose last word was 满意.

    Left out: what was closed in the period without such a word, and what was no matter.
    """
    words = {}
    for fact in matters:
        said = [event.action for event in fact.within if event.action in {"satisfied", "reopen"}]
        if said and fact.real:
            words[fact.stood.id] = said[-1] == "satisfied"
    silent = sum(fact.stood.id not in words for fact in closed)
    return Share(sum(words.values()), len(words), silent)


def was_reopened(fact: Fact) -> bool:
    """Whether a closed one was taken up again in the period."""
    return any(event.from_state == State.CLOSED and event.action in BACK for event in fact.within)


def _share(closed: Sequence[Fact], is_one: Callable[[Fact], bool]) -> Share:
    """Of what was a matter; false alarms and what was withdrawn are left out."""
    real = [fact for fact in closed if fact.real]
    return Share(sum(bool(is_one(fact)) for fact in real), len(real), len(closed) - len(real))
