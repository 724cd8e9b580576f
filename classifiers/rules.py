"""The few rules beside the model, read from lexicon/rules.yaml."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classifiers.features import Reading
from classifiers.verdict import Label

_TABLE = Path(__file__).parent / "lexicon" / "rules.yaml"
_WATER = frozenset({"water", "rain", "flooding", "slope", "river"})
# Rules read a message's beginning: patterns with gaps are slow on pages, and a report comes to the point.
_MAX_READ = 240


class RuleError(ValueError):
    """An entry of rules.yaml is not a rule; the message names it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """label: what a danger rule says the message is; water: the same where water or weather is named.

    unless: a trap does not count where this reads too; urgency: at least this.
    firm: its label stands against the model's, who is mostly right where both name one.
    weak: it raises the urgency of a report, but makes no report of what the model calls none.
    """

    name: str
    pattern: re.Pattern[str]
    whole: bool = False
    label: Label = Label.NONE
    water: Label | None = None
    weak: bool = False
    firm: bool = False
    urgency: int = 3
    unless: re.Pattern[str] | None = None

    def reads(self, text: str) -> bool:
        if self.unless and self.unless.search(text):
            return False
        return bool(self.pattern.fullmatch(text) if self.whole else self.pattern.search(text))


@dataclass(frozen=True, slots=True)
class Rules:
    never: tuple[Rule, ...]
    masks: tuple[Rule, ...]
    traps: tuple[Rule, ...]
    danger: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules say of a message.

    never: why no ticket is due, "" if nothing speaks against one. danger: rules that call it danger to life.
    trap: why the danger rules do not count, "" if they do. label: the label of the first danger rule.
    strong: at least one of them overrules the model; firm: its label too. urgency: the least they ask for.
    """

    never: str = ""
    trap: str = ""
    danger: tuple[str, ...] = ()
    label: Label = Label.NONE
    strong: bool = False
    firm: bool = False
    urgency: int = 0


def _rule(entry: Any) -> Rule:
    try:
        return Rule(
            name=str(entry["name"]),
            pattern=re.compile(entry["pattern"], re.I | re.S),
            whole=bool(entry.get("whole", False)),
            label=Label(entry.get("label", Label.NONE)),
            water=Label(entry["water"]) if "water" in entry else None,
            weak=bool(entry.get("weak", False)),
            firm=bool(entry.get("firm", False)),
            urgency=int(entry.get("urgency", 3)),
            unless=re.compile(entry["unless"], re.I | re.S) if "unless" in entry else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
        raise RuleError(f"{_TABLE.name}: {entry!r}: {error}") from error


@cache
def rules() -> Rules:
    """Raises RuleError naming the bad entry."""
    table = yaml.safe_load(_TABLE.read_text("utf-8"))
    parts = {
        part: tuple(_rule(entry) for entry in table[part]) for part in ("never", "masks", "traps", "danger")
    }
    return Rules(**parts)


def _danger(table: Rules, text: str) -> list[Rule]:
    hits = [rule for rule in table.danger if rule.reads(text)]
    if hits:  # only now: most messages name no danger, and masks take longer than all the rest
        for mask in table.masks:
            text = mask.pattern.sub(" ", text)
        hits = [rule for rule in hits if rule.reads(text)]
    return hits


def find(reading: Reading) -> Findings:
    """What the rules say."""
    table, text = rules(), reading.read[:_MAX_READ]
    never = next((rule.name for rule in table.never if rule.reads(text)), "")
    if never:
        return Findings(never=never)
    hits = _danger(table, text)
    if not hits:
        return Findings()
    trap = next((rule.name for rule in table.traps if rule.reads(text)), "")
    first = next((rule for rule in hits if not rule.weak), hits[0])
    label = first.water if first.water and not _WATER.isdisjoint(reading.about) else first.label
    return Findings(
        trap=trap,
        danger=tuple(rule.name for rule in hits),
        label=label,
        strong=not trap and any(not rule.weak for rule in hits),
        firm=not trap and first.firm,
        urgency=0 if trap else max(rule.urgency for rule in hits),
    )
