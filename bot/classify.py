"""Texts in, verdicts out, as JSON lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from bot.jsonlines import BadLine, parse
from bot.settings import Settings
from bot.world import load_world
from classifiers.verdict import Sample, Verdict


def classify_lines(lines: Iterable[str], settings: Settings) -> Iterator[dict[str, Any]]:
    """One verdict a line, in order; {"error": ...} for a line that is not {"text": ...}."""
    classifier = load_world(settings).classifier
    for number, raw in enumerate(lines, 1):
        try:
            sample = _sample(raw, number)
        except BadLine as error:
            yield {"error": str(error)}
        else:
            yield _shown(classifier.classify(sample))


def _sample(raw: str, number: int) -> Sample:
    content = parse(raw, number)
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        raise BadLine(f'line {number}: must be an object with a "text"')
    return Sample(content["text"], str(content.get("role") or ""), str(content.get("kind") or ""))


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
