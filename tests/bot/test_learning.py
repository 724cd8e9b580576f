"""A street's own model: learned from what people put right, refused when worse, undone when unwanted."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

pytest.importorskip("sklearn")

from bot import learning
from bot.learning import Refused, go_back, model_in_use, teach, teach_aside
from bot.settings import LearningSettings, Settings, StorageSettings
from bot.world import Worlds
from classifiers import dataset, default, learn, linear
from classifiers.learn import Mark
from classifiers.verdict import Label, Sample
from handlers.files import ConfigError
from storage import corrections
from storage.database import Database
from storage.tables import Correction, CorrectionKind

LOVED = "王婆婆的凉面今天又卖得飞快"
START = datetime(2026, 7, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A corpus small enough to learn in a second, and the mark that a model of it has."""
    whole = dataset.load()
    small = [one for one in whole if one.author in {"a2", "a4"}][::6]
    small += [one for one in whole if one.author == "a3"][::4]
    monkeypatch.setattr(dataset, "load", lambda paths=None: small)
    shipped = tmp_path / "shipped.npz"
    learn.save(learn.Learned(learn.learn(), learn.mark_of()), shipped)
    monkeypatch.setattr(linear, "MODEL", shipped)
    # A corpus so small is judged on so little that chance moves the figures.
    monkeypatch.setattr(learn, "_SLACK", {"macro_f1": 0.05, "false_reports": -0.05, "urgent_named": 0.1})
    return Settings(
        storage=StorageSettings(url=f"sqlite:///{tmp_path / 'x.db'}"),
        learning=LearningSettings(folder=tmp_path / "model"),
        organisation=Path(__file__).parents[2] / "organisation.yaml",
    )


def put_right(settings: Settings, *rows: tuple[str, Label, int]) -> None:
    database = Database(settings.storage.url)
    database.upgrade()
    with database.transaction() as session:
        for number, (text, label, urgency) in enumerate(rows):
            at = START + timedelta(minutes=number)
            session.add(
                Correction(
                    at=at,
                    kind=CorrectionKind.REVIEW,
                    text=text,
                    role="resident",
                    label=label,
                    urgency=urgency,
                )
            )
    database.close()


def chance(settings: Settings, text: str) -> float:
    return default.load(model=model_in_use(settings)).classify(Sample(text, "resident")).chance


def test_it_learns_what_people_put_right(settings: Settings) -> None:
    assert model_in_use(settings) == linear.MODEL
    put_right(settings, *[(LOVED + "!" * number, Label.SERVICE, 1) for number in range(6)])
    before = chance(settings, LOVED)
    told = list(teach(settings))
    assert told[0] == "6 corrections"
    assert any("macro-F1" in line for line in told)
    assert chance(settings, LOVED) > before + 0.2
    assert learn.mark_in(model_in_use(settings)).corrections == 6


def test_a_worse_model_is_refused_and_the_old_one_stays(settings: Settings) -> None:
    lies = [one for one in dataset.load() if one.label is not Label.NONE][:150]
    put_right(settings, *[(one.sample.text, Label.NONE, 0) for one in lies])
    with pytest.raises(Refused, match=r"macro_f1 0\.\d+ -> 0\.\d+"):
        list(teach(settings))
    assert model_in_use(settings) == linear.MODEL
    with pytest.raises(ConfigError, match="no earlier model"):
        go_back(settings)


def test_going_back_and_forth(settings: Settings) -> None:
    list(teach(settings))
    own = model_in_use(settings)
    learned, shipped = own.read_bytes(), linear.MODEL.read_bytes()
    go_back(settings)
    assert own.read_bytes() == shipped
    go_back(settings)
    assert own.read_bytes() == learned


def test_a_running_bot_takes_it_over(settings: Settings) -> None:
    worlds = Worlds(settings)
    before = worlds.current
    assert not worlds.reload()
    list(teach(settings))
    assert worlds.reload()
    assert worlds.current.classifier is not before.classifier


def test_a_damaged_model_does_not_stop_the_bot(settings: Settings) -> None:
    settings.learning.folder.mkdir()
    model_in_use(settings)
    (settings.learning.folder / "model.npz").write_bytes(b"broken")
    with capture_logs() as logs:
        assert Worlds(settings).current.classifier.classify(Sample("收到")).label is Label.NONE
    assert [entry["event"] for entry in logs] == ["model_refused"]


def test_the_last_word_on_a_message_counts(settings: Settings) -> None:
    database = Database(settings.storage.url)
    database.upgrade()
    with database.transaction() as session:
        for minute, label in enumerate((Label.SERVICE, Label.NONE)):
            at = START + timedelta(minutes=minute)
            session.add(Correction(at=at, kind=CorrectionKind.RELABEL, text="灯", label=label, urgency=0))
        session.add(Correction(at=START, kind=CorrectionKind.MERGE, text="并", label="flood", urgency=1))
    with database.reading() as session:
        # Without a message id each stands for itself: nobody knows that they are about one message.
        assert [one.label for one in corrections.to_learn_from(session)] == ["service", "none"]
    database.close()


def test_without_the_means_it_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"gridbot\[train\]"):
        next(teach(settings))


@pytest.mark.parametrize(
    ("fresh", "lost"),
    [
        (Mark(0.80, 0.02, 0.70), []),
        (Mark(0.796, 0.022, 0.69), []),
        (Mark(0.79, 0.02, 0.70), ["macro_f1 0.800 -> 0.790"]),
        (Mark(0.80, 0.03, 0.70), ["false_reports 0.020 -> 0.030"]),
        (Mark(0.90, 0.01, 0.60), ["urgent_named 0.700 -> 0.600"]),
    ],
)
def test_what_counts_as_worse(fresh: Mark, lost: list[str]) -> None:
    assert learn.worse(fresh, Mark(0.80, 0.02, 0.70)) == lost


def test_the_shipped_model_has_its_mark() -> None:
    assert learn.mark_in(linear.MODEL).corrections == 0


def test_at_night_it_learns_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text('#!/bin/sh\necho "learning $*"\necho refused\nexit 1\n')
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with capture_logs() as logs:
        asyncio.run(teach_aside(tmp_path / "config.yaml"))
    assert [(entry["event"], entry["code"], entry["told"]) for entry in logs] == [
        ("nightly_training", 1, "refused")
    ]
