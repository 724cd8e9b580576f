"""Organisation, rules, texts and classifier, loaded together and replaced together on reload."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import structlog
from sqlmodel import Session

from bot.learning import model_in_use
from bot.settings import Settings
from classifiers.default import load as load_classifier
from classifiers.linear import MODEL, BadModel
from classifiers.verdict import NOTHING, Classifier, Sample, Verdict
from handlers.care import Register, unsealed
from handlers.context import World
from handlers.directory import load_organisation
from handlers.files import ConfigError
from handlers.organisation import Organisation
from handlers.rules import Rules
from handlers.texts import load_texts
from handlers.vault import VARIABLE, BadKey, Unreadable, Vault
from storage import care
from storage import organisation as stored
from storage.database import Database

log = structlog.get_logger(__name__)


class NoClassifier:
    """For what only reads the database: loading the real one would take a second."""

    def classify(self, sample: Sample) -> Verdict:
        return NOTHING

    def classify_many(self, samples: Sequence[Sample]) -> list[Verdict]:
        return [NOTHING for _ in samples]


def load_world(
    settings: Settings,
    classifier: Classifier | None = None,
    session: Session | None = None,
    *,
    live: bool = False,
) -> World:
    """With a session what the database holds of the organisation counts too.

    live: the gateway of the settings is listened to, which is not so where recorded chat is played.

    Raises ConfigError where organisation or texts cannot be used.
    """
    organisation = load_organisation(settings.organisation, session)
    register = care_register(settings, organisation, session) if session is not None else Register()
    return World(
        organisation=organisation,
        rules=_served(settings, live=live),
        texts=load_texts(settings.texts),
        classifier=classifier or _classifier(settings, organisation.gazetteer()),
        zone=settings.tz,
        care=register,
        pages=settings.web.base(),
    )


def _served(settings: Settings, *, live: bool) -> Rules:
    """The rules with `auto` decided: on a real network the bot leaves alone what nobody bound."""
    if settings.rules.serve != "auto":
        return settings.rules
    bound = live and settings.gateway.kind != "local"
    return settings.rules.model_copy(update={"serve": "bound" if bound else "all"})


def care_register(settings: Settings, organisation: Organisation, session: Session) -> Register:
    """Everybody of it, or nobody and why: with a wrong key the bot does its other work."""
    keys, rows = settings.care.key.get_secret_value(), care.records(session)
    if not keys:
        return Register(trouble=f"{VARIABLE} is not set, but the register has people" if rows else "")
    try:
        vault = Vault(keys)
        return Register([unsealed(vault, *row) for row in rows], organisation, vault)
    except (BadKey, Unreadable) as error:
        return Register(trouble=str(error))


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

    def __init__(
        self, settings: Settings, classifier: Classifier | None = None, database: Database | None = None
    ) -> None:
        self._settings = settings
        self._given = classifier
        self._database = database
        self._lock = threading.Lock()
        self._port = 0
        self._seen = self._stamp()
        self._learned: tuple[object, Classifier] | None = None
        self.current = self._load()
        self._say_of_care()
        self.trouble = ""  # why the last reload was refused; shown in /healthz

    def _load(self) -> World:
        with self._database.reading() if self._database else nullcontext() as session:
            world = load_world(self._settings, self._given or NoClassifier(), session, live=True)
        world = replace(world, pages=self._settings.web.base(self._port))
        if self._given is not None:
            return world
        # A person more changes nothing of what the classifier knows, and it takes half a second to load.
        names = world.organisation.gazetteer()
        model = model_in_use(self._settings)
        key = (model, _changed_at(model), names)
        if self._learned is None or self._learned[0] != key:
            self._learned = key, _classifier(self._settings, names)
        return replace(world, classifier=self._learned[1])

    def _say_of_care(self) -> None:
        if self.current.care.trouble:
            log.error("care_register_off", reason=self.current.care.trouble)

    def __call__(self) -> World:
        return self.current

    def served_at(self, port: int) -> None:
        """The port of the pages, where the settings leave it open."""
        with self._lock:
            self._port = port
            self.current = replace(self.current, pages=self._settings.web.base(port))

    def _stamp(self) -> tuple[tuple[Path | str, int], ...]:
        """When the files were changed last, 0 for one that cannot be seen; the database's version."""
        files = [self._settings.organisation, *([self._settings.texts] if self._settings.texts else [])]
        files.append(model_in_use(self._settings))
        stamps: list[tuple[Path | str, int]] = [(file, _changed_at(file)) for file in files]
        if self._database is not None:
            with self._database.reading() as session:
                stamps.append(("database", stored.version(session)))
        return tuple(stamps)

    def reload(self, *, only_changed: bool = True) -> bool:
        """Reads the files again where they have changed; True where the world was replaced."""
        with self._lock:
            stamp = self._stamp()
            if only_changed and stamp == self._seen:
                return False
            try:
                fresh = self._load()
            except ConfigError as error:
                self._seen = stamp
                self.trouble = str(error)
                log.error("reload_refused", reason=self.trouble)
                return False
            self._seen = stamp
            self.current, self.trouble = fresh, ""
            self._say_of_care()
            log.info("reloaded", people=len(fresh.organisation.people), groups=len(fresh.organisation.groups))
            return True


def _changed_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
