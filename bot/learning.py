"""The street's own model: learned from corpus and corrections, taken into use only if it is no worse.

In the folder `learning.folder`: model.npz is in use, previous.npz what was before; without them the model
that gridbot ships with.
"""

import asyncio
import importlib.util
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bot.clock import utc_now
from bot.settings import Settings
from classifiers import linear
from classifiers.dataset import STREET, Example
from classifiers.verdict import Label, Sample
from handlers.files import ConfigError
from handlers.permissions import OPERATOR
from handlers.records import noted
from storage import corrections as store
from storage.database import Database

if TYPE_CHECKING:  # it needs the extra `train`
    from classifiers.learn import Learned

log = structlog.get_logger(__name__)

_IN_USE, _PREVIOUS = "model.npz", "previous.npz"


class Refused(Exception):
    """The new model is worse than the one in use, which stays."""


def model_in_use(settings: Settings) -> Path:
    """The street's own model, or the shipped one."""
    own = settings.learning.folder / _IN_USE
    return own if own.exists() else linear.MODEL


def needs_sklearn() -> None:
    """Raises ConfigError where the extra `train` is not installed."""
    if importlib.util.find_spec("sklearn") is None:
        raise ConfigError("this needs scikit-learn: pip install 'gridbot[train]'")


def teach(settings: Settings) -> Iterator[str]:
    """Learns anew and tells each step. Raises ConfigError without the means to learn, Refused."""
    needs_sklearn()
    from classifiers import learn

    examples = _corrections(settings)
    yield f"{len(examples)} corrections"
    used = learn.mark_in(model_in_use(settings))
    yield f"in use: {used.line()}"
    fresh = learn.mark_of(examples)
    yield f"new:    {fresh.line()}"
    if lost := learn.worse(fresh, used):
        raise Refused(f"refused, the new model is worse: {'; '.join(lost)}")
    _take(settings.learning.folder, learn.Learned(learn.learn(examples), fresh))
    _note(settings, "train", {"mark": used.line()}, {"mark": fresh.line(), "corrections": len(examples)})
    yield f"taken into use: {settings.learning.folder / _IN_USE}; `gridbot train --back` undoes it"


def _take(folder: Path, learned: "Learned") -> None:
    from classifiers import learn

    folder.mkdir(parents=True, exist_ok=True)
    fresh, in_use, previous = folder / "fresh.npz", folder / _IN_USE, folder / _PREVIOUS
    learn.save(learned, fresh)
    for suffix in (".json", ".npz"):  # the weights last: they are what a running bot looks at
        source = in_use.with_suffix(suffix) if in_use.exists() else linear.MODEL.with_suffix(suffix)
        shutil.copyfile(source, previous.with_suffix(suffix))
    for suffix in (".json", ".npz"):
        fresh.with_suffix(suffix).replace(in_use.with_suffix(suffix))


def go_back(settings: Settings) -> str:
    """Exchanges the model in use with the one before. Raises ConfigError where there is none."""
    folder = settings.learning.folder
    in_use, previous, aside = folder / _IN_USE, folder / _PREVIOUS, folder / "aside.npz"
    if not previous.exists():
        raise ConfigError(f"{folder}: no earlier model to go back to")
    for suffix in (".json", ".npz"):
        in_use.with_suffix(suffix).replace(aside.with_suffix(suffix))
        previous.with_suffix(suffix).replace(in_use.with_suffix(suffix))
        aside.with_suffix(suffix).replace(previous.with_suffix(suffix))
    _note(settings, "train_back", {"model": "latest"}, {"model": "earlier"})
    return f"the earlier model is in use again: {in_use}"


def _note(settings: Settings, action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    database = Database(settings.storage.url)
    database.upgrade()
    try:
        with database.transaction() as session:
            noted(session, utc_now(), OPERATOR, action, "model", before=before, after=after)
    finally:
        database.close()


def _corrections(settings: Settings) -> list[Example]:
    database = Database(settings.storage.url)
    database.upgrade()
    try:
        with database.reading() as session:
            kept = store.to_learn_from(session)
    finally:
        database.close()
    return [
        Example(
            Sample(one.text, one.role, one.group_kind),
            Label(one.label),
            one.urgency or 0,
            STREET,
            f"{STREET}-{one.message_id or one.id}",
            single=True,
        )
        for one in kept
        if one.label is not None
    ]


async def teach_aside(config: Path | None) -> None:
    """Learns in a process of its own, so that the bot goes on listening; tells the log how it went."""
    arguments = [sys.executable, "-m", "bot", "train", *(["--config", str(config)] if config else [])]
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        told, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    lines = told.decode("utf-8", "replace").strip().splitlines()
    level = log.info if process.returncode == 0 else log.warning
    level("nightly_training", code=process.returncode, told=lines[-1] if lines else "")
