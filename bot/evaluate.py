"""`gridbot evaluate`: how well labelled chat is understood, and what tickets and replies come of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot import evaluate_incidents
from bot.learning import model_in_use
from bot.settings import Settings
from classifiers import dataset, default, evaluate
from classifiers.dataset import BadCorpus, Example
from classifiers.verdict import Classifier
from handlers.files import ConfigError


def figures(file: Path | None, settings: Settings, mistakes: int) -> Iterator[str]:
    """The report, for people. Raises ConfigError naming file and line of what cannot be read.

    file: labelled messages as in classifiers/corpus, judged by the model in use; None: the development split,
    judged by a model that learned from the rest of the corpus.
    """
    examples, classifier, title = _task(file, settings)
    yield title
    for known in (True, False):
        verdicts = evaluate.judged(classifier, examples, hints=known)
        yield f"\n== {'with' if known else 'without'} the senders' roles and the kind of group"
        yield from evaluate.lines(examples, verdicts)
        yield from _tickets(examples, classifier, settings, known)
        if known:
            worst = list(evaluate.worst(examples, verdicts, mistakes))
    if worst:
        yield "\n== worst mistakes: labelled -> called, chance of a report, text, [what spoke for it]"
        yield from worst


def _task(file: Path | None, settings: Settings) -> tuple[list[Example], Classifier, str]:
    try:
        if file is None:
            known, unseen = dataset.split(dataset.load())
            title = f"development split: {len(unseen)} messages, by a model of {len(known)} others"
            return unseen, evaluate.classifier_of(known), title
        examples = dataset.load([file])
    except BadCorpus as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    if not examples:
        raise ConfigError(f"{file}: holds no message")
    model = model_in_use(settings)
    return examples, default.load(model=model), f"{file}: {len(examples)} messages, by {model}"


def _tickets(
    examples: list[Example], classifier: Classifier, settings: Settings, known: bool
) -> Iterator[str]:
    lines = [evaluate_incidents.line_of(one) for one in examples if not one.single and one.at]
    if not known:
        lines = [replace(line, role="", kind="") for line in lines]
    if lines:
        yield "tickets, by the opening thresholds of the settings"
        played = evaluate_incidents.play(lines, classifier, settings.rules)
        for line in evaluate_incidents.report(evaluate_incidents.figures(played)):
            yield f"  {line}"
