"""A classifier whose mind can be read: the first word found decides. Tests then try the bot, not a model."""

from collections.abc import Sequence

from classifiers.verdict import NOTHING, Label, Sample, Verdict

# word, label, urgency
WORDS = (
    ("被困", Label.FLOOD, 3),
    ("冒烟", Label.SAFETY, 3),
    ("蛀空", Label.SAFETY, 3),
    ("打起来", Label.DISPUTE, 3),
    ("进水", Label.FLOOD, 2),
    ("水深", Label.FLOOD, 2),
    ("电线", Label.SAFETY, 2),
    ("吵架", Label.DISPUTE, 1),
    ("路灯", Label.SERVICE, 1),
    ("水管", Label.SERVICE, 1),
)
PLACES = ("江岸大厦负二楼车库", "江岸大厦", "石梯坎3号", "石梯坎5号", "石梯坎", "望江楼", "二码头")


# Words that the bot is not sure of: text, label, urgency, chance that it is a report.
UNSURE = (
    ("焦味", Label.SAFETY, 2, 0.6),
    ("怪味", Label.SAFETY, 2, 0.6),
    ("喊叫", Label.DISPUTE, 3, 0.4),
    ("有点水", Label.FLOOD, 1, 0.6),
)


class WordClassifier:
    def classify(self, sample: Sample) -> Verdict:
        place = next((place for place in PLACES if place in sample.text), "")
        for word, label, urgency in WORDS:
            if word in sample.text:
                reasons = (f"word:{word}",)
                known = {"chance": 0.97, "leaning": label, "leaning_urgency": urgency}
                return Verdict(label, urgency, 0.95, place, reasons, **known)
        for word, label, urgency, chance in UNSURE:
            if word in sample.text:
                known = {"chance": chance, "leaning": label, "leaning_urgency": urgency}
                return Verdict(Label.NONE, 0, 1 - chance, place, **known)
        return NOTHING

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [self.classify(sample) for sample in samples]
