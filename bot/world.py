"""Organisation, rules, texts and classifier, loaded together and replaced together on reload."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

from bot.learning import model_in_use
from bot.settings import Settings
from classifiers.default import load as load_classifier
from classifiers.linear import MODEL, BadModel
from classifiers.verdict import NOTHING, Classifier, Sample, Verdict
from handlers.context import World
from handlers.files import ConfigError
from handlers.organisation import load_organisation
from handlers.texts import load_texts

log = structlog.get_logger(__name__)


class NoClassifier:
    """For what only reads the database: loading the real one would take a second."""

    def classify(self, sample: Sample) -> Verdict:
        return NOTHING

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [NOTHING for _ in samples]


def load_world(settings: Settings, classifier: Classifier | None = None) -> World:
    """Raises ConfigError where organisation or texts cannot be used."""
    organisation = load_organisation(settings.organisation)
    return World(
        organisation=organisation,
        rules=settings.rules,
        texts=load_texts(settings.texts),
        classifier=classifier or _classifier(settings, organisation.gazetteer()),
        zone=settings.tz,
    )


def _classifier(settings: Settings, names: Iterable[str]) -> Classifier:
    """The street's own model; the shipped one where that is damaged or of another version of gridbot."""
    model = model_in_use(settings)
    try:
        return load_classifier(names, model=model)
    except BadModel as error:
        if model == MODEL:
            raise
        log.error("model_refused", reason=str(error), instead=MODEL.name)
        return load_classifier(names)


class Worlds:
    """The world in use. `reload` replaces it whole, or keeps it and says why not."""

    def __init__(self, settings: Settings, classifier: Classifier | None = None) -> None:
        self._settings = settings
        self._given = classifier
        self._lock = threading.Lock()
        self._files = self._stamp()
        self.current = load_world(settings, classifier)
        self.trouble = ""  # why the last reload was refused; shown in /healthz

    def __call__(self) -> World:
        return self.current

    def _stamp(self) -> tuple[tuple[Path, int], ...]:
        """When the files were changed last; 0 for one that cannot be seen."""
        files = [self._settings.organisation, *([self._settings.texts] if self._settings.texts else [])]
        files.append(model_in_use(self._settings))
        return tuple((file, _changed_at(file)) for file in files)

    def reload(self, *, only_changed: bool = True) -> bool:
        """Reads the files again where they have changed; True where the world was replaced."""
        with self._lock:
            stamp = self._stamp()
            if only_changed and stamp == self._files:
                return False
            self._files = stamp
            try:
                fresh = load_world(self._settings, self._given)
            except ConfigError as error:
                self.trouble = str(error)
                log.error("reload_refused", reason=self.trouble)
                return False
            self.current, self.trouble = fresh, ""
            log.info("reloaded", people=len(fresh.organisation.people), groups=len(fresh.organisation.groups))
            return True


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
