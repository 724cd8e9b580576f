"""Plays every conversation of this folder."""

from pathlib import Path

import pytest

from storage.database import Database
from tests.dialogs.script import Scene, Stage, scenes

SCENES = [scene for file in sorted(Path(__file__).parent.glob("*.txt")) for scene in scenes(file)]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.file}: {scene.title}")
def test_dialog(scene: Scene, sqlite_url: str) -> None:
    database = Database(sqlite_url, durable=False)
    try:
        Stage(scene, database).play()
    finally:
        database.close()
