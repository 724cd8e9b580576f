"""The documentation says what is so: settings, commands, command line, links, the test command."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

from bot.__main__ import cli
from bot.settings import Settings, load, variables
from handlers.commands import all_commands
from handlers.commands.registry import Command
from handlers.permissions import Permission

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
CONFIG = ROOT / "config.yaml"
READMES = [ENGLISH, CHINESE]
FOLDERS = ["docs", "examples", "bot", "handlers", "classifiers", "storage", "benchmarks", "tests"]
PAGES = [*READMES, *sorted(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
WHO = {
    ENGLISH: {
        Permission.ANYONE: "anyone",
        Permission.REPORTER: "who reported it",
        Permission.STAFF: "who handles it, grid workers, owners",
        Permission.GRID: "grid workers, owners",
        Permission.OWNER: "owners",
    },
    CHINESE: {
        Permission.ANYONE: "谁都行",
        Permission.REPORTER: "反映的人",
        Permission.STAFF: "承办人、网格员、网格长",
        Permission.GRID: "网格员、网格长",
        Permission.OWNER: "网格长",
    },
}


@dataclass(frozen=True)
class Setting:
    """A key of config.yaml with the comment line above it. `default` is as written, "" for a part."""

    key: str
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        return "GRIDBOT_" + self.key.replace(".", "__").upper()

    @property
    def row(self) -> str:
        """Its line in README.md's table."""
        return f"| `{self.key}` | `{self.variable}` | `{self.default}` | {self.meaning} |"


def _in_config() -> Iterator[Setting]:
    parents: list[str] = []
    lines = CONFIG.read_text("utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if found := re.match(r"( *)(\w+):(?: (.+))?$", line):
            depth = len(found[1]) // 2
            parents[depth:] = [found[2]]
            comment = re.match(rf"{found[1]}# (.+)$", before)
            yield Setting(".".join(parents), found[3] or "", comment[1] if comment else "")


SETTINGS = list(_in_config())
LEAVES = [setting for setting in SETTINGS if setting.default]


def _in_code(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Keys of the settings that are no parts."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _in_code(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _keys(tree: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables(Settings, "GRIDBOT_"):
        monkeypatch.delenv(name, raising=False)


def test_config_has_every_setting_and_no_other() -> None:
    in_file = list(_keys(yaml.safe_load(CONFIG.read_text("utf-8"))))
    assert sorted(in_file) == sorted(_in_code(Settings))
    assert in_file == [setting.key for setting in LEAVES]


def test_config_holds_the_defaults() -> None:
    assert load(CONFIG) == Settings()


def test_config_explains_every_setting() -> None:
    assert [setting.key for setting in SETTINGS if not setting.meaning] == []


def test_readme_lists_every_setting_as_config_explains_it() -> None:
    lines = ENGLISH.read_text("utf-8").splitlines()
    rows = [line for line in lines if re.match(r"\| `[\w.]+` \| `GRID", line)]
    assert rows == [setting.row for setting in LEAVES]


def test_variables_are_those_the_program_reads() -> None:
    assert {setting.variable for setting in SETTINGS} == set(variables(Settings, "GRIDBOT_"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_in_the_text_exist(page: Path) -> None:
    known = set(variables(Settings, "GRIDBOT_"))
    assert set(re.findall(r"GRIDBOT_\w*[A-Z0-9]", page.read_text("utf-8"))) <= known


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
@pytest.mark.parametrize("command", all_commands(), ids=lambda command: command.name)
def test_chat_command_is_documented(page: Path, command: Command) -> None:
    rows = {usage: cells for usage, *cells in _command_rows(page)}
    assert command.usage in rows, f"{page.name}: no line for {command.usage}"
    aliases, who, meaning = rows[command.usage]
    assert aliases == " ".join(f"`#{alias}`" for alias in command.aliases)
    assert who == WHO[page][command.permission]
    assert meaning
    if page == CHINESE:
        assert meaning == command.help


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_no_other_chat_command_is_documented(page: Path) -> None:
    assert {row[0] for row in _command_rows(page)} == {command.usage for command in all_commands()}


def _command_rows(page: Path) -> Iterator[list[str]]:
    """Cells of the lines that begin with | `#..."""
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("| `#"):
            usage, *cells = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            yield [usage.strip("`").replace("\\|", "|"), *cells]


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_command_line_is_documented(page: Path) -> None:
    text = page.read_text("utf-8")
    programs = get_command(cli).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"`(?:\.venv/bin/)?gridbot (\w+)", text)) == set(programs)
    if page == ENGLISH:
        options = {o for p in programs.values() for x in p.params for o in x.opts if o.startswith("--")}
        assert options <= set(re.findall(r"--[a-z][a-z-]+", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    assert dead == []


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_paths_in_the_tree_exist() -> None:
    tree = re.search(r"```\n(bot/.+?)```", ENGLISH.read_text("utf-8"), re.DOTALL)
    assert tree is not None
    folder, missing = "", []
    for line in tree[1].splitlines():
        found = re.match(r"( *)(\S+)", line)
        assert found is not None
        if not found[1]:
            folder = found[2] if found[2].endswith("/") else ""
        path = ROOT / (folder if found[1] else "") / found[2]
        if not path.exists():
            missing.append(str(path))
    assert missing == []


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_ci_runs_the_command_that_readers_are_told(page: Path) -> None:
    steps = [line for line in (ROOT / ".ci/run").read_text("utf-8").splitlines() if line.startswith("make ")]
    assert steps == ["make check", "make test"]
    first_block = re.search(r"```sh\n(.+?)```", page.read_text("utf-8"), re.DOTALL)
    assert first_block is not None
    assert re.findall(r"^make \w+", first_block[1], re.MULTILINE) == ["make run", "make test"]
