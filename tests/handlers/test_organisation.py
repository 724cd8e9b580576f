"""The organisation file: each kind of mistake is named with file and key."""

import re
from pathlib import Path

import pytest

from handlers.directory import load_organisation
from handlers.files import ConfigError
from handlers.organisation import GroupKind, Level, Role
from tests.support.street import ROOT

STREET = "areas:\n  - {code: S, name: 街}\n"
AREAS = f"{STREET}  - {{code: C, name: 社, parent: S}}\n  - {{code: G, name: 格, parent: C}}\n"
MISTAKES = [
    ("areas: [", ":1:9: not valid YAML"),
    ("- a\n- b", ": must be a mapping, not a list"),
    ("area: []", ": area: Extra inputs are not permitted"),
    ("areas: 3", ": areas: Input should be a valid tuple"),
    ("areas:\n  - {code: S}", ": areas[0].name: Field required"),
    ("areas:\n  - {code: 'S S', name: 街}", ": areas[0].code: String should match pattern"),
    (
        STREET + "  - {code: S, name: 街, parent: S}",
        ": areas[1].code: S stands twice",
    ),
    (
        STREET + "  - {code: C, name: 社, parent: X}",
        ": areas[1].parent: there is no area X",
    ),
    ("areas:\n  - {code: S, name: 街, parent: S}", ": areas[0].parent: S lies below itself"),
    (STREET + "  - {code: T, name: 街}", ": areas[1].parent: exactly one area has no parent"),
    (AREAS + "groups:\n  - {kind: residents}", ": groups[0]: a group needs an id or a topic"),
    (AREAS + "groups:\n  - {id: a, area: X}", ": groups[0].area: there is no area X"),
    (AREAS + "groups:\n  - {id: a}\n  - {id: a}", ": groups[1].id: a stands twice"),
    (AREAS + "groups:\n  - {id: a, colour: red}", ": groups[0].colour: Extra inputs"),
    (AREAS + "people:\n  - {id: a}", ": people[0].name: Field required"),
    (AREAS + "people:\n  - {id: a, name: 甲, role: king}", ": people[0].role: Input should be"),
    (AREAS + "people:\n  - {id: a, name: 甲, area: X}", ": people[0].area: there is no area X"),
    (AREAS + "people:\n  - {id: a, name: 甲}\n  - {id: a, name: 乙}", ": people[1].id: a stands twice"),
    (STREET.replace("}", ", neighbours: [X]}"), ": areas[0].neighbours: there is no area X"),
    (STREET.replace("}", ", places: [来]}"), ": areas[0].places[0].name: String should have at least 2"),
    (
        STREET.replace("}", ", places: [三号楼]}") + "  - {code: C, name: 社, parent: S, places: [3号楼]}",
        ": areas[1].places: both S and C claim the place 3号楼",
    ),
    (AREAS + "words: [[1]]", ": words[0]: Input should be a valid string"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "street.yaml"


@pytest.mark.parametrize(("content", "wanted"), MISTAKES)
def test_mistakes_are_named(file: Path, content: str, wanted: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_organisation(file)
    assert re.search(rf"^{re.escape(str(file))}(:\d+)?{re.escape(wanted)}", str(caught.value), re.MULTILINE)


def test_all_mistakes_are_named_at_once(file: Path) -> None:
    file.write_text(AREAS + "groups:\n  - {id: a, area: X}\npeople:\n  - {id: b, name: 乙, area: Y}", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_organisation(file)
    assert len(str(caught.value).splitlines()) == 2


MIXED = """areas:
  - {code: S, name: 街}
  - {code: B B, name: 社, parent: S}
groups:
  - {id: a, area: X}
people:
  - {id: b, name: 乙, nmae: 乙}
  - {id: c, name: 丙, area: Y}
  - {id: d, name: 丁, area: B B}
unts: []
"""


def test_what_is_wrong_in_entries_and_between_them_is_told_together_by_line(file: Path) -> None:
    file.write_text(MIXED, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_organisation(file)
    assert [line.removeprefix(str(file)) for line in str(caught.value).splitlines()] == [
        ":3: areas[1].code: String should match pattern '^[A-Za-z0-9_.-]{1,32}$'",
        ":7: people[0].nmae: Extra inputs are not permitted",
        ": unts: Extra inputs are not permitted",
        ":8: people[1].area: there is no area Y",  # and not B B, which is there once it is mended
        ":5: groups[0].area: there is no area X",
    ]


def test_who_is_meant_is_named_where_asked_for(file: Path) -> None:
    file.write_text(MIXED, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_organisation(file, named=True)
    assert "people[0].nmae: Extra inputs are not permitted (乙)" in str(caught.value)
    assert "people[1].area: there is no area Y (丙)" in str(caught.value)
    file.write_text(AREAS + "people:\n  - {id: c, name: 丙, area: Y}", "utf-8")
    with pytest.raises(ConfigError, match=r"there is no area Y \(丙\)$"):
        load_organisation(file, named=True)
    with pytest.raises(ConfigError, match=r"there is no area Y$"):  # as it goes into the log
        load_organisation(file)


def test_a_file_that_is_not_there_or_not_text(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_organisation(file)
    file.write_bytes("名字: 街".encode("gbk"))
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_organisation(file)


def test_an_unknown_kind_is_served_as_residents(file: Path) -> None:
    file.write_text(AREAS + "groups:\n  - {id: a, kind: karaoke}\n  - {id: b, kind: }\n  - {id: c}", "utf-8")
    assert [group.kind for group in load_organisation(file).groups] == [GroupKind.RESIDENTS] * 3


def test_an_empty_file_is_an_empty_street(file: Path) -> None:
    file.write_text("", encoding="utf-8")
    organisation = load_organisation(file)
    assert organisation.street_code == "GRID"
    assert organisation.group("r").kind is GroupKind.RESIDENTS
    assert organisation.role("x") is Role.RESIDENT
    assert organisation.staff("", Role.GRID_OWNER) == []
    assert organisation.level_of("") is Level.STREET


def test_groups_are_found_by_id_then_by_topic() -> None:
    organisation = load_organisation(ROOT / "organisation.yaml")
    assert organisation.group("river").topic == "滨江路网格群"
    assert organisation.group("wx-1", "滨江路网格群").area == "CTM-0101"
    assert organisation.bound_group("wx-1") is None
    assert organisation.group("wx-1", "谁家的群").area == "CTM"


def test_levels_and_staff() -> None:
    organisation = load_organisation(ROOT / "organisation.yaml")
    levels = [organisation.level_of(code) for code in ("CTM", "CTM-01", "CTM-0101", "nowhere")]
    assert levels == [Level.STREET, Level.COMMUNITY, Level.GRID, Level.STREET]
    assert [p.id for p in organisation.staff("CTM-0101", Role.COORDINATOR)] == ["fan", "pu"]
    assert [p.id for p in organisation.staff("CTM-0201", Role.COORDINATOR)] == ["pu"]
    assert organisation.within("CTM-0101", "CTM-01")
    assert not organisation.within("CTM-01", "CTM-0101")
    assert [level.above for level in Level] == [Level.COMMUNITY, Level.STREET, Level.DISTRICT, None]


def test_near_are_those_above_below_and_beside(file: Path) -> None:
    beside = "  - {code: H, name: 格二, parent: C}\n  - {code: D, name: 社二, parent: S, neighbours: [G]}\n"
    file.write_text(AREAS + beside + "  - {code: I, name: 格三, parent: D}\n", encoding="utf-8")
    organisation = load_organisation(file)
    assert organisation.near("G") == ["G", "C", "S", "H", "D"]
    assert set(organisation.near("I")) == {"I", "D", "S"}
    assert set(organisation.near("S")) == {"S", "C", "G", "H", "D", "I"}
    assert organisation.near("X") == ["X"]
