"""Plays every conversation of this folder."""

import re
from pathlib import Path
from string import Formatter

import pytest

from handlers.texts import load_texts
from storage.database import Database
from tests.dialogs.script import Scene, Stage, scenes

TEXTS = load_texts()
SCENES = [scene for file in sorted(Path(__file__).parent.glob("*.txt")) for scene in scenes(file)]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.file}: {scene.title}")
def test_dialog(scene: Scene, sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    try:
        Stage(scene, database).play()
    finally:
        database.close()


# Said only where the program itself fails, or by others than the conversations have.
UNHEARD = {"command.failed", "care.stand_in"}


def _sentences() -> list[str]:
    return [key for key in TEXTS.keys() if key.split(".")[0] != "names" and key not in UNHEARD]  # noqa: SIM118


@pytest.mark.parametrize("key", _sentences())
def test_every_sentence_is_heard(key: str) -> None:
    """Each template stands, filled in, in some answer of some conversation."""
    names = {name: "\0" for _, name, _, _ in Formatter().parse(TEXTS.template(key)) if name}
    pattern = ".*".join(re.escape(part) for part in TEXTS(key, **names).split("\0"))
    said = [text for scene in SCENES for step in scene.steps for _, text in step.answers]
    assert any(re.search(pattern, text, re.DOTALL) for text in said), TEXTS.template(key)
