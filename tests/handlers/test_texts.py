"""Every sentence the bot says: used, short, with the fields it is given, and a street's own over it."""

import re
import string
from pathlib import Path

import pytest

from classifiers.verdict import Label
from handlers.care import CareKind
from handlers.files import ConfigError
from handlers.joint import PartState
from handlers.lifecycle import ACTIONS, Resolution, State
from handlers.organisation import GroupKind, Level, Role
from handlers.texts import load_texts
from tests.support.street import ROOT

TEXTS = load_texts()
CODE = "\n".join(
    file.read_text(encoding="utf-8")
    for folder in ("handlers", "bot")
    for file in sorted((ROOT / folder).rglob("*.py"))
)
# texts("report.opened") and texts(f"event.{action}"), wherever the key is spelt out.
LITERALS = set(re.findall(r'"([a-z_]+\.[a-z_.]+)"', CODE))
PATTERNS = [
    re.sub(r"\\{[^}]*\\}", "[a-z_0-9]+", re.escape(found))
    for found in re.findall(r'f"([a-z_]+\.[a-z_.]*\{[^"]*)"', CODE)
]
# What goes around in a reply; everything else is the user's own words and bounded elsewhere.
SAMPLE = {
    "number": "CTM0713-001",
    "short": "1",
    "label": "汛情",
    "state": "已受理",
    "place": "，江岸大厦",
    "hotline": "119和120",
    "owner": "@周网格长 ",
    "who": "@周网格长 ",
}


def _fields(key: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(_raw(key)) if name}


def _raw(key: str) -> str:
    return TEXTS.template(key)


def test_every_text_is_used() -> None:
    unused = [
        key
        for key in TEXTS.keys()  # noqa: SIM118  a method of Texts
        if key not in LITERALS and not any(re.fullmatch(pattern, key) for pattern in PATTERNS)
    ]
    assert unused == []


def test_every_name_has_its_text() -> None:
    tables = {
        "label": Label,
        "state": State,
        "resolution": Resolution,
        "level": Level,
        "part": PartState,
        "role": Role,
        "kind": GroupKind,
        "care": CareKind,
        "urgency": ("1", "2", "3"),
    }
    for table, members in tables.items():
        found = {key.split(".")[2] for key in TEXTS.keys() if key.startswith(f"names.{table}.")}  # noqa: SIM118
        assert found == {str(member) for member in members}, table


def test_every_literal_key_exists() -> None:
    spelt = re.findall(r'texts\(\s*"([a-z_.]+)"', CODE)
    assert spelt
    assert [key for key in spelt if not TEXTS.has(key)] == []


@pytest.mark.parametrize("key", [k for k in TEXTS.keys() if not k.startswith("names.")])  # noqa: SIM118
def test_is_short_and_whole(key: str) -> None:
    text = TEXTS(key, **{name: SAMPLE.get(name, "甲") for name in _fields(key)})
    assert len(text) <= 120, text
    assert not text.endswith(("发", "回", "（"))  # YAML cuts an unquoted text at " #"
    assert "。。" not in text


@pytest.mark.parametrize(
    "key",
    [k for k in TEXTS.keys() if k.split(".")[0] in {"report", "event", "remind"} and "{" in _raw(k)],  # noqa: SIM118
)
def test_the_number_comes_first(key: str) -> None:
    assert _raw(key).startswith("{number} ")


def test_the_bot_never_claims_to_have_called() -> None:
    for key in TEXTS.keys():  # noqa: SIM118
        assert not re.search(r"(已|帮您|替您|为您|我).{0,4}(拨打|报警|打了|呼叫)", _raw(key)), key
    for kind in ("urgent", "urgent_alone", "raised", "raised_alone", "joined_urgent"):
        assert "{hotline}" in _raw(f"report.{kind}")


def test_every_told_action_has_its_text() -> None:
    silent = {"auto_accept", "wake", "join", "raise", "remind", "picture", "take", "check", "absorb"}
    silent |= {"joint", "excuse", "part_received", "part_on_scene", "part_done"}  # in texts of their own
    silent |= {"remark", "recur", "offer", "order", "order_back", "unclaimed"}
    assert [name for name in ACTIONS if name not in silent and not TEXTS.has(f"event.{name}")] == []


def test_a_street_words_it_its_own_way(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("event:\n  accept: '{number} {actor}来咯'\n", encoding="utf-8")
    texts = load_texts(file)
    assert texts("event.accept", number="CTM0713-001", actor="周网格长") == "CTM0713-001 周网格长来咯"
    assert texts("report.nobody") == "网格长"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("event:\n  acept: x", "event.acept: there is no such text"),
        ("event:\n  accept: '{nummer}'", "event.accept: {nummer} is not known here"),
        ("event:\n  accept: '{number.x}'", "event.accept: only plain names in braces"),
        ("event:\n  accept: '{number'", "event.accept: "),
        ("event: [1]", "event: there is no such text"),
        ("- event", "must be a mapping"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, content: str, wanted: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_texts(file)
    assert str(file) in str(caught.value)
    assert wanted in str(caught.value)
