"""The classifier that the bot uses: rules, then a linear model over words and characters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from classifiers import linear
from classifiers.concepts import concepts
from classifiers.context import STAFF, Heard, heard, numbers, recent
from classifiers.features import Reading, read, rows, word_row
from classifiers.linear import LABELS, NONE, Floats, LinearModel, Scores, Told
from classifiers.place import Places
from classifiers.rules import Findings, find
from classifiers.segment import Segmenter, segmenter
from classifiers.verdict import NOTHING, Label, Sample, Turn, Verdict

# Staff who tell a group what is being done name the danger too ("119已到，火已扑灭"): there a danger rule
# overrules the model only where the model itself finds a report likely.
STAFF_FLOOR = 0.25
RESIDENT_FLOOR = 0.04
RULE_CONFIDENCE = 0.85  # measured: the share of right reports among those that a strong rule made
RULE_CHANCE = 0.9  # that such a message is a report of something
_WORDS_SHOWN = 4
_KEPT = 4096  # messages whose own part is kept


@dataclass(frozen=True, slots=True)
class _Alone:
    """A message by itself."""

    reading: Reading
    sums: Floats
    scores: Scores
    heard: Heard


class GridClassifier:
    """Implements classifiers.verdict.Classifier. Made by `load`."""

    def __init__(self, model: LinearModel, words: Segmenter, places: Places) -> None:
        self._model = model
        self._segmenter = words
        self._places = places
        # What was said before was mostly classified a moment ago: its own part is kept.
        self._heard = lru_cache(maxsize=_KEPT)(self._hear)

    def classify(self, sample: Sample) -> Verdict:
        """Never raises for a text: where nothing is said, nothing is found."""
        alone = self._heard(sample.text, sample.role, sample.group_kind)
        reading = alone.reading
        if not reading.words:
            return NOTHING
        scores = alone.scores if sample.before is None else self._in_talk(sample, alone, sample.before)
        chatter, likeliest = scores.labels[NONE], scores.likeliest
        if chatter > 1 - RESIDENT_FLOOR:  # no rule could overrule that: most chatter ends here
            return Verdict(Label.NONE, 0, chatter, chance=1 - chatter, leaning=likeliest, leaning_urgency=1)
        findings = find(reading)
        if findings.never:
            reasons = (f"rule:{findings.never}",)
            return Verdict(Label.NONE, 0, RULE_CONFIDENCE, "", reasons, chance=0.0, leaning=likeliest)
        label = self._label(sample, findings, scores)
        leaning = label if label is not Label.NONE else findings.label if findings.strong else likeliest
        urgency, sure = _urgency(findings, scores), findings.strong and label is not Label.NONE
        confidence = float(scores.labels[LABELS.index(label)])
        return Verdict(
            label,
            urgency if label is not Label.NONE else 0,
            max(confidence, RULE_CONFIDENCE) if sure else confidence,
            self._places.find(sample.text),
            self._evidence(reading, findings, leaning),
            chance=max(1 - chatter, RULE_CHANCE) if sure else 1 - chatter,
            leaning=leaning,
            leaning_urgency=urgency,
        )

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [self.classify(sample) for sample in samples]

    def _hear(self, text: str, role: str, group_kind: str) -> "_Alone":
        reading = read(Sample(text, role, group_kind), self._segmenter)
        sums = self._model.sums(rows(reading))
        scores = self._model.alone(sums, Told.IN_GROUP if group_kind else Told.SINGLE)
        return _Alone(reading, sums, scores, heard(reading.plain, scores.labels))

    def _in_talk(self, sample: Sample, alone: "_Alone", before: Sequence[Turn]) -> Scores:
        said = [(turn, self._heard(turn.text, turn.role, sample.group_kind).heard) for turn in recent(before)]
        told, hot = numbers(alone.heard, sample.sender, sample.role in STAFF, said)
        return self._model.in_talk(alone.sums, told, hot)

    def _label(self, sample: Sample, findings: Findings, scores: Scores) -> Label:
        label = scores.likeliest if scores.is_report else Label.NONE
        if label is Label.NONE and findings.strong:
            floor = STAFF_FLOOR if sample.role in STAFF else RESIDENT_FLOOR
            return findings.label if 1 - scores.labels[NONE] >= floor else label
        # A request for service is never a danger to life: the rule knows better what it is.
        if findings.strong and (label is Label.SERVICE or findings.firm):
            return findings.label
        return label

    def _evidence(self, reading: Reading, findings: Findings, label: Label) -> tuple[str, ...]:
        # 了, 在, 的 weigh something too, but tell a person nothing.
        telling = concepts()
        words = list(dict.fromkeys(word for word in reading.words if len(word) > 1 or word in telling))
        support = self._model.support([word_row(word) for word in words], LABELS.index(label))
        ranked = sorted(zip(support, words, strict=True), key=lambda pair: -pair[0])
        strongest = [word for worth, word in ranked if worth > 0]
        named = [] if findings.trap else [f"rule:{name}" for name in findings.danger]
        return (*named, *(f"word:{word}" for word in strongest[:_WORDS_SHOWN]))


def _urgency(findings: Findings, scores: Scores) -> int:
    if scores.urgency[2] >= linear.DANGER_FROM:
        return 3
    likely = 2 if scores.urgency[1] + scores.urgency[2] >= scores.urgency[0] else 1
    return max(likely, findings.urgency)


def load(
    words: Iterable[str] = (), *, model: Path = linear.MODEL, fast: bool | None = None
) -> GridClassifier:
    """`words`: the street's own names of areas and buildings, kept whole and recognised as places.

    Loads everything, so that the first message is answered as fast as the next. Raises linear.BadModel.
    """
    names = tuple(words)
    classifier = GridClassifier(linear.load(model), segmenter(names, fast=fast), Places(names))
    classifier.classify(Sample("負二楼進水了，快来人"))
    return classifier
