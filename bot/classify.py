"""Texts in, verdicts out, as JSON lines."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.jsonlines import BadLine, parse
from bot.settings import Settings
from bot.world import load_world
from classifiers.context import MOST_TURNS, recent
from classifiers.verdict import Sample, Turn, Verdict
from handlers.opening import decide


def classify_lines(lines: Iterable[str], settings: Settings) -> Iterator[dict[str, Any]]:
    """One verdict a line, in order; {"error": ...} for a line that is not {"text": ...}.

    Lines with group, sender and time are read as a chat: each with what was said before it in its group.
    """
    classifier = load_world(settings).classifier
    groups: defaultdict[str, deque[_Said]] = defaultdict(lambda: deque(maxlen=MOST_TURNS))
    for number, raw in enumerate(lines, 1):
        try:
            sample, group, at = _sample(raw, number)
        except BadLine as error:
            yield {"error": str(error)}
            continue
        if at is not None:
            said = groups[group]
            yield _shown(classifier.classify(replace(sample, before=_before(said, at))))
            said.append(_Said(at, sample))
        else:
            yield _shown(classifier.classify(sample))


@dataclass(frozen=True, slots=True)
class _Said:
    at: datetime
    sample: Sample


def _before(said: Iterable[_Said], at: datetime) -> tuple[Turn, ...]:
    ages = [((at - one.at).total_seconds(), one.sample) for one in said]
    return recent(Turn(one.sender, age, one.text, one.role) for age, one in ages)


def explained(text: str, role: str, kind: str, settings: Settings) -> Iterator[str]:
    """The verdict on one text, for people: what it is taken for, what would come of it, and why."""
    world = load_world(settings)
    verdict = world.classifier.classify(Sample(text, role, kind))
    yield f"label      {verdict.label}, urgency {verdict.urgency}, confidence {verdict.confidence:.2f}"
    yield f"chance     {verdict.chance:.2f} that it is a report; most likely {verdict.leaning}"
    found = verdict.as_report()
    if found.is_report:
        needed = world.rules.opening.of(found.label, found.urgency, kind)
        asked = f"opens a ticket from {needed.open:.2f}, goes to the review list from {needed.review:.2f}"
        yield f"decision   {decide(world.rules.opening, verdict, kind)}: {asked}"
    else:
        yield "decision   nothing"
    yield f"place      {verdict.place or '-'}"
    yield f"evidence   {' '.join(verdict.evidence) or '-'}"


def _sample(raw: str, number: int) -> tuple[Sample, str, datetime | None]:
    """The line's message, its group and, where it stands in a chat, when it was said."""
    content = parse(raw, number)
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        raise BadLine(f'line {number}: must be an object with a "text"')
    role, kind, group, sender, time = (
        str(content.get(key) or "") for key in ("role", "kind", "group", "sender", "time")
    )
    sample = Sample(content["text"], role, kind, sender)
    if not (group and sender and time):
        return sample, group, None
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        raise BadLine(f"line {number}: time: {time!r} is not like 2026-07-12T21:40:00") from None
    return sample, group, at if at.tzinfo else at.replace(tzinfo=UTC)  # only differences count


def _shown(verdict: Verdict) -> dict[str, Any]:
    return {
        "label": verdict.label,
        "urgency": verdict.urgency,
        "place": verdict.place,
        "confidence": round(verdict.confidence, 4),
        "chance": round(verdict.chance, 4),
        "leaning": verdict.leaning,
        "evidence": list(verdict.evidence),
    }
