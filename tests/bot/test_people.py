"""`gridbot person export|erase`."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from sqlmodel import select
from typer.testing import CliRunner

from bot.__main__ import cli
from storage.database import Database
from storage.tables import ActionLog, Message
from tests.support.street import ROOT, Street

ID, NAME = "wxid_lan5588", "兰小丽"


@pytest.fixture
def config(sqlite_url: str, tmp_path: Path) -> Path:
    database = Database(sqlite_url)
    street = Street(database)
    street.say("river", ID, "门口路灯坏了，打我电话13800001234", sender_name=NAME)
    street.say("river", "zhou", "#接单")
    street.say("river", ID, "早上好", sender_name=NAME)
    database.close()
    file = tmp_path / "config.yaml"
    file.write_text(
        f"organisation: {ROOT / 'organisation.yaml'}\nstorage: {{url: '{sqlite_url}'}}\n", "utf-8"
    )
    return file


def run(config: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(cli, ["person", *words, "--config", str(config)], input=given)


def kept(sqlite_url: str) -> tuple[set[str], list[str]]:
    """Senders of the messages, and what the action log holds."""
    database = Database(sqlite_url)
    with database.reading() as session:
        found = (
            set(session.exec(select(Message.sender))),
            [row.action for row in session.exec(select(ActionLog))],
        )
    database.close()
    return found


def test_everything_goes_into_a_file(config: Path, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "her.json"
    done = run(config, "export", ID, "--to", str(file))
    assert done.exit_code == 0, done.output
    told = json.loads(file.read_text("utf-8"))
    assert (told["person"], told["names"]) == (ID, [NAME])
    assert [row["text"] for row in told["tables"]["message"]] == [
        "门口路灯坏了，打我电话13800001234",
        "早上好",
    ]
    assert kept(sqlite_url)[1] == ["person_export"]


def test_a_dry_run_changes_nothing(config: Path, sqlite_url: str) -> None:
    before = kept(sqlite_url)
    done = run(config, "erase", ID, "--dry-run")
    assert done.exit_code == 0
    assert "2 message" in done.output
    assert kept(sqlite_url) == before


def test_it_asks_before_it_removes(config: Path, sqlite_url: str) -> None:
    before = kept(sqlite_url)
    assert run(config, "erase", ID, given="n\n").exit_code == 1
    assert kept(sqlite_url) == before
    done = run(config, "erase", ID, given="y\n")
    assert done.exit_code == 0
    assert "done: " in done.output and "2 message" in done.output
    senders, log = kept(sqlite_url)
    assert ID not in senders
    assert log == ["erase"]
    again = run(config, "erase", ID, "--yes")
    assert (again.exit_code, again.output.strip()) == (0, f"nothing is kept about {ID}")
    assert kept(sqlite_url) == (senders, log)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("erase", "zhou", "--yes"), "zhou is in the organisation (滨江路网格网格长): take the person out"),
        (("export", "wxid_nobody", "--to", "x.json"), "nothing is kept about wxid_nobody"),
        (("export", ID, "--to", "no/such/folder/x.json"), "--to no/such/folder/x.json: No such file"),
    ],
    ids=["post", "nobody", "folder"],
)
def test_why_not_is_said_in_a_sentence(config: Path, words: tuple[str, ...], why: str) -> None:
    done = run(config, *words)
    assert done.exit_code == 2
    assert why in done.output
