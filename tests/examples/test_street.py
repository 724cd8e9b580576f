"""The made-up street: as large as a real one, as its script makes it, and imported without a mistake."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import importing
from bot.settings import Settings, StorageSettings, load
from handlers.directory import load_organisation
from handlers.organisation import GroupKind, Organisation, Role, UnitKind
from storage.database import Database
from tests.support.street import ROOT

STREET = ROOT / "examples" / "street"
SHEETS = sorted(STREET.glob("*.csv"))


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    url = f"sqlite:///{tmp_path_factory.mktemp('street') / 'gridbot.db'}"
    settings = Settings(organisation=STREET / "organisation.yaml", storage=StorageSettings(url=url))
    lines = list(importing.run(settings, SHEETS, apply=True))
    assert lines[-1].startswith("written")
    assert list(importing.run(settings, SHEETS, apply=True))[-1] == "nothing to change"
    database = Database(url)
    with database.reading() as session:
        yield load_organisation(settings.organisation, session)
    database.close()


def test_script_and_files_agree(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "examples" / "make_street.py", tmp_path], check=True)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert made == {file.name: file.read_bytes() for file in SHEETS}


def test_it_is_as_large_as_a_real_one(organisation: Organisation) -> None:
    depths = Counter(len(organisation.upwards(code)) for code in organisation.areas)
    assert depths == {1: 1, 2: 10, 3: 60, 4: 279}
    assert len(organisation.groups) == 73
    assert {group.kind for group in organisation.groups} == set(GroupKind)
    assert len(organisation.people) == 1863
    assert sum(bool(person.also) for person in organisation.people.values()) > 100
    assert {unit.kind for unit in organisation.units.values()} == set(UnitKind)
    assert len(organisation.units) == 25
    assert len(organisation.risk_points) == 58


def test_every_grid_has_its_owner_and_every_unit_its_people(organisation: Organisation) -> None:
    for code in organisation.areas:
        if len(organisation.upwards(code)) == 3:
            assert organisation.staff(code, Role.GRID_OWNER)
    for unit in organisation.units:
        assert len(organisation.members(unit)) == 2


def test_nobody_is_real() -> None:
    text = "".join(file.read_text("utf-8-sig") for file in SHEETS)
    assert not re.search(r"\d{7,}", text)
    assert all("某" in line.split(",")[1] for line in text.splitlines() if line.startswith("yb0"))


def test_the_settings_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = load(STREET / "config.yaml")
    assert settings.organisation.is_file()
    assert settings.rules.serve == "bound"
