"""`gridbot report`: options, the file, what is said meanwhile, Ctrl-C."""

import csv
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import cli
from storage.database import Database
from tests.storage.rows import NOON, keep, ticket
from tests.support.street import ROOT


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> Database:
    for name in [name for name in os.environ if name.startswith("GRIDBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    lines = [f"organisation: {ROOT / 'organisation.yaml'}", f"storage: {{url: {sqlite_url!r}}}"]
    (tmp_path / "config.yaml").write_text("\n".join(lines))
    return Database(sqlite_url, durable=False)


def call(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["report", *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def numbers(file: str) -> list[str]:
    with Path(file).open(encoding="utf-8-sig", newline="") as lines:
        return [row["编号"] for row in csv.DictReader(lines)]


def test_a_range_and_filters(database: Database) -> None:
    july = ticket(label="service", summary="路灯不亮")
    old = ticket(opened_at=NOON - timedelta(days=40), closed_at=NOON - timedelta(days=39), state="closed")
    stairs = ticket(label="service", summary="路灯不亮", area="CTM-0201")
    keep(database, july, old, stairs)
    result = call("tickets", "--from", "2026-07-01", "--to", "2026-07-31", "--to-file", "t.csv")
    assert result.stdout == "t.csv: 2 rows\n"
    assert "2 of 2 (100%), 2 rows" in result.stderr
    assert numbers("t.csv") == [july.number, stairs.number]
    call("facility-ledger", "--area", "石梯坎网格", "--kind", "lamp", "--to-file", "l.csv")
    assert numbers("l.csv") == [stairs.number]
    call("tickets", "--state", "closed", "--label", "flood", "--to-file", "c.csv")
    assert numbers("c.csv") == [old.number]
    for name in ("facilities", "services", "service-ledger", "audit", "digests"):
        call(name, "--to-file", f"{name}.xlsx")
        assert Path(f"{name}.xlsx").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["tickts", "--to-file", "a.csv"], "'tickts' is none of"),
        (["tickets", "--to-file", "a.pdf"], "--to-file a.pdf: the name must end in .csv or .xlsx"),
        (["tickets", "--to-file", "a.csv", "--from", "gestern"], "--from: 'gestern' is not a day"),
        (["tickets", "--to-file", "a.csv", "--from", "2026-07-02", "--to", "2026-07-01"], "is before --from"),
        (["tickets", "--to-file", "a.csv", "--area", "月球"], "--area: '月球' is no area"),
        (["tickets", "--to-file", "a.csv", "--label", "fire"], "--label: 'fire' is none of flood"),
        (["tickets", "--to-file", "a.csv", "--state", "x"], "--state: 'x' is none of open"),
        (["tickets", "--to-file", "a.csv", "--kind", "lamp"], "--kind: 'lamp' is of no use here"),
        (["services", "--to-file", "a.csv", "--kind", "lamp"], "--kind: 'lamp' is none of"),
    ],
    ids=lambda value: "-".join(value[:1]) if isinstance(value, list) else None,
)
def test_mistakes_are_named(database: Database, arguments: list[str], why: str) -> None:
    assert why in call(*arguments, code=2).stderr
    assert not Path("a.csv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_being_stopped_leaves_no_half_file(database: Database, tmp_path: Path, number: int) -> None:
    """A process that is held in its second batch."""
    keep(database, *(ticket() for _ in range(3)))
    script = (
        "import time, sys; from bot import tabulating; from bot.__main__ import main\n"
        "import handlers.tabling.tickets as tickets; tickets.BATCH = 1\n"
        "old = tickets.ticket_row\n"
        "real = tickets.store.tickets\n"
        "def slow(session, wanted, after, limit):\n"
        "    if after:\n"
        "        print('written', file=sys.stderr, flush=True); time.sleep(30)\n"
        "    return real(session, wanted, after, limit)\n"
        "tickets.store.tickets = slow\n"
        "sys.argv = ['gridbot', 'report', 'tickets', '--to-file', 'out/t.csv']\n"
        "main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("written"):
                break
        time.sleep(0.1)
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "stopped; nothing was written" in rest and "Traceback" not in rest
    assert list((tmp_path / "out").iterdir()) == []
