"""The organisation is read anew when it changes; what cannot be used is refused and said."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.settings import Settings
from bot.world import Worlds, load_world
from handlers.files import ConfigError
from tests.support.classifier import WordClassifier
from tests.support.street import ROOT

SAMPLE = (ROOT / "organisation.yaml").read_text()


class Files:
    def __init__(self, folder: Path) -> None:
        self.organisation, self.texts = folder / "organisation.yaml", folder / "texts.yaml"
        self._at = 1_000_000_000
        self.write(SAMPLE)
        self.texts.write_text("{}")
        settings = Settings(organisation=self.organisation, texts=self.texts)
        self.worlds = Worlds(settings, WordClassifier())

    def write(self, text: str, file: Path | None = None) -> None:
        """A change that shows in the time of the last one, however coarse the file system's clock is."""
        file = file or self.organisation
        file.write_text(text)
        self._at += 1
        os.utime(file, (self._at, self._at))

    @property
    def people(self) -> int:
        return len(self.worlds().organisation.people)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_what_has_not_changed_is_left_alone(files: Files) -> None:
    before = files.worlds()
    assert not files.worlds.reload()
    assert files.worlds() is before


def test_a_change_is_taken_up(files: Files) -> None:
    assert files.people == 12
    files.write(SAMPLE.replace("words:", "  - {id: new, name: 新人, role: resident}\nwords:"))
    assert files.worlds.reload()
    assert files.people == 13
    assert not files.worlds.reload()


def test_asked_for_it_is_read_anew_in_any_case(files: Files) -> None:
    before = files.worlds()
    assert files.worlds.reload(only_changed=False)
    assert files.worlds() is not before


@pytest.mark.parametrize("bad", ["areas: [", "people: [{id: x, role: emperor}]", "[]"])
def test_a_bad_file_keeps_the_old_one_and_says_so(files: Files, bad: str) -> None:
    before = files.worlds()
    files.write(bad)
    with capture_logs() as logs:
        assert not files.worlds.reload()
    assert files.worlds() is before
    assert str(files.organisation) in files.worlds.trouble
    assert [line["event"] for line in logs] == ["reload_refused"]
    assert not files.worlds.reload()  # said once
    files.write(SAMPLE)
    assert files.worlds.reload()
    assert files.worlds.trouble == ""


def test_a_missing_file_keeps_the_old_one(files: Files) -> None:
    files.organisation.unlink()
    with capture_logs():
        assert not files.worlds.reload()
    assert "cannot be read" in files.worlds.trouble
    assert files.people == 12
    files.write(SAMPLE)
    assert files.worlds.reload()


def test_texts_are_read_anew_as_well(files: Files) -> None:
    files.write("command: {hint: 请说哪里、怎么了。}", files.texts)
    assert files.worlds.reload()
    assert files.worlds().texts("command.hint") == "请说哪里、怎么了。"
    files.write("command: {nothing_like_it: x}", files.texts)
    with capture_logs():
        assert not files.worlds.reload()
    assert files.worlds().texts("command.hint") == "请说哪里、怎么了。"


def test_at_the_start_a_bad_file_is_an_error(files: Files) -> None:
    files.write("areas: [")
    with pytest.raises(ConfigError, match="organisation"):
        Worlds(Settings(organisation=files.organisation), WordClassifier())


@pytest.mark.parametrize(
    ("kind", "serve", "live", "played"),
    [
        ("local", "auto", "all", "all"),
        ("wechaty", "auto", "bound", "all"),
        ("wechaty", "all", "all", "all"),
        ("local", "bound", "bound", "bound"),
    ],
)
def test_which_groups_are_served(kind: str, serve: str, live: str, played: str) -> None:
    settings = Settings.model_validate(
        {
            "organisation": ROOT / "organisation.yaml",
            "gateway": {"kind": kind, "endpoint": "127.0.0.1:1", "token": "t"},
            "rules": {"serve": serve},
        }
    )
    assert Worlds(settings, WordClassifier())().rules.serve == live
    assert load_world(settings, WordClassifier()).rules.serve == played
