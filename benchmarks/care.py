"""The care register at a street's size: how long it loads, what looking up a report costs."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from benchmarks.load import texts
from bot.importing import run as import_sheets
from bot.settings import CareSettings, Settings, StorageSettings
from bot.world import care_register
from handlers.care import CareKind, Entry, Told
from handlers.directory import load_organisation
from handlers.organisation import Level
from handlers.vault import Vault, new_key
from storage import care
from storage.care import Sealed
from storage.database import Database

STREET = Path(__file__).parents[1] / "examples" / "street"
PEOPLE = 1_914  # registered by one real street
MESSAGES = 2_000


def made_up(areas: list[str]) -> list[Entry]:
    """Names of three characters, addresses of some eighty compounds."""
    pick = random.Random(1)
    given = "春夏秋冬有余满仓家旺德福小安平顺和乐明远"
    found = []
    for number in range(PEOPLE):
        name = f"{pick.choice('赵钱孙李周吴郑王')}{pick.choice(given)}{pick.choice(given)}"
        compound = f"{pick.choice(given)}{pick.choice(given)}苑"
        address = (
            f"{compound}{pick.randint(1, 30)}栋{pick.randint(1, 4)}单元{pick.randint(1, 30)}{number % 8:02d}"
        )
        found.append(
            Entry(
                0,
                pick.choice(areas),
                name,
                (CareKind.ELDERLY_ALONE,),
                address,
                chat=f"x{number}",
                note="耳背",
            )
        )
    return list({entry.identity: entry for entry in found}.values())


def best(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the quickest of some runs."""
    spans = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spans.append(time.perf_counter() - start)
    return min(spans)


def main() -> None:
    key = new_key()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'care.db'}"
        settings = Settings(care=CareSettings(key=SecretStr(key)), storage=StorageSettings(url=url))
        list(import_sheets(settings, sorted(STREET.glob("*.csv")), apply=True))
        database = Database(url)
        with database.reading() as session:
            organisation = load_organisation(settings.organisation, session)
            whole = best(lambda: load_organisation(settings.organisation, session))
        grids = [code for code in organisation.areas if organisation.level_of(code) is Level.GRID]
        vault, entries = Vault(key), made_up(grids)
        rows = [Sealed(0, e.area, e.sealed(vault), vault.fingerprint(*e.identity)) for e in entries]
        with database.transaction() as session:
            care.save(session, rows, datetime.now(UTC))
        with database.reading() as session:
            loading = best(lambda: care_register(settings, organisation, session))
            register = care_register(settings, organisation, session)
        database.close()
    said = [Told("x", text, grids[0], False) for text in texts(MESSAGES)]
    nobody = best(lambda: [register.find(told) for told in said]) / len(said)
    door = Told("x", f"{entries[7].address}漏水", entries[7].area, False)
    assert register.find(door)
    named = best(lambda: [register.find(door) for _ in range(1000)]) / 1000
    print("| care register | figure | target |")
    print("| --- | --- | --- |")
    print(f"| loading {len(register)} people: ms | {loading * 1000:.0f} | < 1,000 |")
    print(f"| of loading the organisation ({len(organisation.people)} people) | {loading / whole:.1f} | |")
    print(f"| looking up a report of nobody: us | {nobody * 1e6:.0f} | <= 50 |")
    print(f"| one that names a door: us | {named * 1e6:.0f} | |")


if __name__ == "__main__":
    main()
