"""`gridbot care`, and the bot with and without the register's key. All names are made up."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlmodel import select
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from bot.__main__ import cli
from bot.settings import load
from bot.world import Worlds
from handlers.files import ConfigError
from handlers.vault import Vault, new_key
from storage import care
from storage.database import Database
from storage.tables import ActionLog, CareRecord, CareVisit, Reply
from tests.bot.test_cli import CONFIG
from tests.support.classifier import WordClassifier
from tests.support.street import Street

HEAD = "姓名,类别,地址,网格,电话,微信,备注,走访间隔\n"
ZHANG = "张春花,独居老人、慢性病,江岸大厦3栋2单元501,滨江路网格,13900001234,tang,耳背,7\n"
LI = "李家旺,残疾,石梯坎5号,CTM-0201,,,,\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> Iterator[Path]:
    for name in os.environ:
        if name.startswith("GRIDBOT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GRIDBOT_CARE__KEY", new_key())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    before = logging.getLogger().handlers[:]
    yield tmp_path
    logging.getLogger().handlers[:] = before


def call(*args: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["care", *args])
    structlog.reset_defaults()  # the command has pointed the logs at a stream that is closed by now
    assert result.exit_code == code, result.output
    return result


def put(text: str, *args: str, code: int = 0, encoding: str = "utf-8") -> Result:
    Path("people.csv").write_bytes(text.encode(encoding))
    return call("import", "people.csv", *args, code=code)


def rows() -> list[CareRecord]:
    database = Database("sqlite:///gridbot.db")
    with database.reading() as session:
        found = list(session.exec(select(CareRecord).order_by(CareRecord.id)))
    database.close()
    return found


def test_a_key_is_made() -> None:
    result = call("key")
    Vault(result.stdout.strip())
    assert "GRIDBOT_CARE__KEY" in result.stderr


def test_first_it_only_says_what_would_change() -> None:
    lines = put(HEAD + ZHANG + LI).stdout.splitlines()
    assert lines[0] == "2 new, 0 changed, 0 as before, 0 not in the file (kept; --remove-missing)"
    assert "  CTM-0101 滨江路网格: 1" in lines
    assert lines[-1] == "nothing written; again with --apply"
    assert rows() == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_then_it_is_done_and_once(encoding: str) -> None:
    assert put(HEAD + ZHANG + LI, "--apply", encoding=encoding).stdout.splitlines()[-1] == "done"
    before = rows()
    assert [row.area for row in before] == ["CTM-0101", "CTM-0201"]
    again = put(HEAD + ZHANG + LI, "--apply", encoding=encoding).stdout
    assert again.startswith("0 new, 0 changed, 2 as before")
    assert [row.sealed for row in rows()] == [row.sealed for row in before]


def test_changes_and_who_is_gone() -> None:
    put(HEAD + ZHANG + LI, "--apply")
    (zhang, li) = rows()
    changed = ZHANG.replace("3栋", "三栋").replace(",7\n", ",14\n")
    assert put(HEAD + changed, "--apply").stdout.startswith(
        "0 new, 1 changed, 0 as before, 1 not in the file"
    )
    assert [row.id for row in rows()] == [zhang.id, li.id]
    database = Database("sqlite:///gridbot.db")
    with database.transaction() as session:
        care.plan(session, li.id, li.area, li.updated_at.date(), None)
    put(HEAD + changed, "--apply", "--remove-missing")
    assert [row.id for row in rows()] == [zhang.id]
    with database.reading() as session:
        assert list(session.exec(select(CareVisit))) == []
        log = [row.after for row in session.exec(select(ActionLog).order_by(ActionLog.id))]
    database.close()
    assert log[-1] == {"added": 0, "changed": 0, "removed": 1}


def test_every_wrong_row_is_named_and_nothing_of_it_repeated() -> None:
    wrong = (
        "赵,独居老人,某某路1号,CTM-0101,,,,\n"
        "钱满仓,特困,某某路2号,CTM-0101,,,,\n"
        "孙有余,残疾,某某路3号,CTM-01,,,,\n"
        "周有福,残疾,某某路4号,没有的网格,,,,随时\n"
    )
    said = put(HEAD + ZHANG + wrong + ZHANG, "--apply", code=2).stderr
    assert said.splitlines() == [
        "people.csv: row 3, 姓名: is missing or too short",
        "people.csv: row 4, 类别: write one or more of 独居老人、留守儿童、残疾、孕产妇、慢性病",
        "people.csv: row 5, 网格: is no grid; write the grid or the micro-grid",
        "people.csv: row 6, 网格: there is no such grid",
        "people.csv: row 6, 走访间隔: write days between two visits, 0 (no visits) to 366",
        "people.csv: row 7: the same name and address as row 2",
    ]
    assert rows() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: the table is empty"),
        ("姓名,地址\n甲乙,某某路1号\n", "row 1, 类别: there is no such column"),
    ],
)
def test_tables_that_are_none(text: str, said: str) -> None:
    assert said in put(text, code=2).stderr


def test_a_file_that_is_not_there() -> None:
    assert "nowhere.csv: cannot be read" in call("import", "nowhere.csv", code=2).stderr


def test_without_a_key_the_register_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRIDBOT_CARE__KEY")
    said = put(HEAD + ZHANG, "--apply", code=2).stderr
    assert "`gridbot care key` makes a key" in said
    monkeypatch.setenv("GRIDBOT_CARE__KEY", "none at all")
    said = put(HEAD + ZHANG, "--apply", code=2).stderr
    assert "GRIDBOT_CARE__KEY" in said
    assert "none at all" not in said


def test_a_key_in_a_file_is_refused(folder: Path) -> None:
    (folder / "config.yaml").write_text(CONFIG + f"care: {{key: {new_key()}}}\n")
    with pytest.raises(ConfigError, match="only as GRIDBOT_CARE__KEY"):
        load()


def test_count() -> None:
    put(HEAD + ZHANG + LI + "吴有德,孕产妇,某某路9号,码头网格,,,,\n", "--apply")
    lines = call("count").stdout.splitlines()
    assert lines[0] == "3 people"
    assert "  独居老人: 1" in lines
    assert "  CTM-0101 滨江路网格: 1" in lines
    assert "  CTM-0102 码头网格: 1 (no grid owner or worker there to be told)" in lines


def test_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = os.environ["GRIDBOT_CARE__KEY"], new_key()
    put(HEAD + ZHANG + LI, "--apply")
    before = rows()
    monkeypatch.setenv("GRIDBOT_CARE__KEY", f"{new},{old}")
    # With both keys an import before the rotation still knows everybody.
    assert put(HEAD + ZHANG, "--apply").stdout.startswith("0 new, 0 changed, 1 as before")
    assert call("rotate").stdout.startswith("2 people")
    monkeypatch.setenv("GRIDBOT_CARE__KEY", new)
    assert put(HEAD + ZHANG, "--apply").stdout.startswith("0 new, 0 changed, 1 as before")
    assert {row.fingerprint for row in rows()}.isdisjoint({row.fingerprint for row in before})
    monkeypatch.setenv("GRIDBOT_CARE__KEY", old)
    assert "is not the key" in call("rotate", code=2).stderr
    assert "is not the key" in call("count").stdout


def worlds() -> Worlds:
    return Worlds(load(), WordClassifier(), Database("sqlite:///gridbot.db"))


def test_the_bot_takes_an_import_over() -> None:
    put(HEAD + ZHANG, "--apply")
    running = worlds()
    assert len(running().care) == 1
    put(HEAD + ZHANG + LI, "--apply")
    assert running.reload()
    assert len(running().care) == 2
    assert not running().care.trouble
    street = Street(Database("sqlite:///gridbot.db"), running())
    told = [reply for reply in street.say("river", "tang", "门口路灯坏了") if reply.sealed]
    assert [reply.person for reply in told] == ["zhou"]
    assert "张春花" in told[0].text


@pytest.mark.parametrize("keys", ["", "none at all", new_key()], ids=["none", "word", "another"])
def test_with_a_wrong_key_the_bot_does_its_other_work(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(HEAD + ZHANG, "--apply")
    monkeypatch.setenv("GRIDBOT_CARE__KEY", keys)
    with capture_logs() as logs:
        running = worlds()
    assert "GRIDBOT_CARE__KEY" in running().care.trouble
    assert [line["event"] for line in logs] == ["care_register_off"]
    street = Street(Database("sqlite:///gridbot.db"), running())
    assert len(street.say("river", "tang", "门口路灯坏了")) == 1
    with street.reading() as session:
        assert [reply for reply in session.exec(select(Reply)) if reply.sealed] == []


def test_without_people_no_key_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRIDBOT_CARE__KEY")
    Database("sqlite:///gridbot.db").upgrade()
    assert worlds()().care.trouble == ""
