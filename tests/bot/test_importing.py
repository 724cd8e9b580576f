"""Sheets in and out: what is understood, what is refused with its place, what comes back unchanged."""

import csv
import string
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import update
from sqlmodel import select

from bot import exporting, importing
from bot.settings import Settings, StorageSettings
from bot.spreadsheets import guarded, unguarded
from handlers.directory import TABLES, Content, merged, read_file, stored
from handlers.files import ConfigError
from handlers.organisation import (
    Area,
    Group,
    GroupKind,
    Person,
    Post,
    RiskKind,
    RiskPoint,
    Role,
    Unit,
    UnitKind,
)
from handlers.reorganise import difference
from handlers.sheet_columns import SHEETS
from handlers.sheets import Reader, made_id
from storage import organisation as store
from storage.database import Database
from storage.tables import ActionLog, Joining, OrgPerson, OrgPost
from tests.support.street import ROOT

AREAS = "编码,名称,上级\nHX,花溪街道,\nHX-01,甲社区,HX\nHX-0101,一网格,HX-01\nHX-0102,二网格,甲社区\n"


@pytest.fixture
def street(tmp_path: Path, sqlite_url: str) -> Settings:
    return Settings(organisation=ROOT / "organisation.yaml", storage=StorageSettings(url=sqlite_url))


def sheet(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def book(folder: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    file = folder / "街道.xlsx"
    made.save(file)
    return file


def run(street: Settings, *files: Path, apply: bool = True, remove: bool = False) -> list[str]:
    return list(importing.run(street, files, apply=apply, remove=remove))


def refused(street: Settings, *files: Path, remove: bool = False) -> list[str]:
    """The mistakes; nothing of it is written."""
    before = content(street)
    with pytest.raises(ConfigError) as caught:
        run(street, *files, remove=remove)
    assert content(street) == before
    return str(caught.value).splitlines()


def content(street: Settings) -> Content:
    database = Database(street.storage.url)
    try:
        with database.reading() as session:
            return merged(read_file(street.organisation), stored(session))
    finally:
        database.close()


def version(street: Settings) -> int:
    database = Database(street.storage.url)
    try:
        with database.reading() as session:
            return store.version(session)
    finally:
        database.close()


def log(street: Settings) -> list[ActionLog]:
    database = Database(street.storage.url)
    try:
        with database.reading() as session:
            return list(session.exec(select(ActionLog).order_by(ActionLog.id)))  # type: ignore[arg-type]
    finally:
        database.close()


# What comes in


def test_without_apply_it_is_only_shown(street: Settings, tmp_path: Path) -> None:
    rows = "编号,姓名,角色,区域\nnew,甲,网格员,CTM-0101\nzhou,周网格长,网格长,CTM\n"
    people = sheet(tmp_path, "人员.csv", rows)
    before = content(street)
    lines = run(street, people, apply=False)
    assert lines == [
        "people: 1 added, 1 changed, 0 unchanged, 11 missing, kept",
        "  + new 甲",
        "  ~ zhou 周网格长: 区域",
        "nothing is written yet: --apply writes it",
    ]
    assert content(street) == before


def test_what_is_applied_counts_beside_the_file(street: Settings, tmp_path: Path) -> None:
    run(street, sheet(tmp_path, "people.csv", "id,name,role,area\nnew,甲,grid_worker,CTM-0101\n"))
    found = content(street)
    assert len(found.people) == 13
    assert len(found.areas) == 7
    database = Database(street.storage.url)
    with database.reading() as session:
        assert [row.id for row in session.exec(select(OrgPerson))] == ["new"]  # the file's stay there
    database.close()


def test_the_same_again_changes_nothing(street: Settings, tmp_path: Path) -> None:
    files = [
        sheet(tmp_path, "areas.csv", AREAS),
        sheet(tmp_path, "people.csv", "姓名,角色,区域\n甲,网格长,一网格\n乙,,\n"),
        sheet(tmp_path, "groups.csv", "群名,群类型,区域\n一网格群,居民,HX-0101\n"),
    ]
    run(street, *files)
    once, at = content(street), version(street)
    assert run(street, *files)[-1] == "nothing to change"
    assert (content(street), version(street), len(log(street))) == (once, at, 1)


def test_several_rows_are_several_posts(street: Settings, tmp_path: Path) -> None:
    rows = "编号,姓名,角色,区域,单位\na,甲,网格长,CTM-0101,\na,,志愿者,江岸社区,\na,甲,联动单位,,派出所\n"
    units = sheet(tmp_path, "单位.csv", "单位编码,单位名称,单位类型,别名\npcs,花溪派出所,公安,派出所\n")
    run(street, units, sheet(tmp_path, "人员.csv", rows))
    person = next(p for p in content(street).people if p.id == "a")
    assert person.posts == (
        Post(role=Role.GRID_OWNER, area="CTM-0101"),
        Post(role=Role.VOLUNTEER, area="CTM-01"),
        Post(role=Role.UNIT, unit="pcs"),
    )


def test_another_street_takes_the_place_of_the_sample(street: Settings, tmp_path: Path) -> None:
    lines = run(street, sheet(tmp_path, "网格.csv", AREAS))
    assert "is left out" in lines[0]
    found = content(street)
    assert [area.code for area in found.areas] == ["HX", "HX-01", "HX-0101", "HX-0102"]
    assert (found.groups, found.people) == ((), ())


def test_the_same_street_keeps_what_the_file_says(street: Settings, tmp_path: Path) -> None:
    run(street, sheet(tmp_path, "areas.csv", "code,name,parent\nCTM,新名街道,\nCTM-03,新社区,CTM\n"))
    found = content(street)
    assert len(found.areas) == 8
    assert len(found.people) == 12
    assert log(street)[-1].after["adopted"] is True


def test_who_joined_by_a_code_stays_one_person(street: Settings, tmp_path: Path) -> None:
    people = sheet(tmp_path, "people.csv", "编号,姓名,角色,区域\n17,甲,网格员,CTM-0101\n,乙,志愿者,CTM\n")
    run(street, people)
    database = Database(street.storage.url)
    with database.transaction() as session:
        for sheet_id, real in (("17", "wx-17"), (made_id("乙"), "wx-18")):
            person = session.get(OrgPerson, sheet_id)
            assert person is not None
            session.add(OrgPerson(id=real, name=person.name))
            session.flush()
            session.execute(update(OrgPost).where(OrgPost.person_id == sheet_id).values(person_id=real))  # type: ignore[arg-type]
            session.delete(person)
            at = datetime(2026, 7, 12, tzinfo=UTC)
            spent = {"made_by": "board", "made_at": at, "expires_at": at, "used_at": at}
            session.add(Joining(code_hash=real, kind="person", person_id=sheet_id, used_by=real, **spent))
    database.close()
    assert run(street, people)[-1] == "nothing to change"


def test_a_column_that_is_not_there_is_left_alone(street: Settings, tmp_path: Path) -> None:
    run(
        street,
        sheet(tmp_path, "areas.csv", "编码,名称\nCTM-0101,江边网格\n"),
        sheet(tmp_path, "people.csv", "编号,姓名\nzhou,周大网格长\n"),
    )
    area = next(area for area in content(street).areas if area.code == "CTM-0101")
    assert (area.name, area.parent, len(area.places)) == ("江边网格", "CTM-01", 2)
    person = next(person for person in content(street).people if person.id == "zhou")
    assert (person.name, person.role, person.area) == ("周大网格长", Role.GRID_OWNER, "CTM-0101")


def test_missing_rows_go_only_when_asked(street: Settings, tmp_path: Path) -> None:
    people = sheet(tmp_path, "people.csv", "编号,姓名,角色,区域\nzhou,周网格长,网格长,CTM-0101\n")
    assert "nothing to change" in run(street, people)
    lines = run(street, people, remove=True)
    assert "people: 0 added, 0 changed, 1 unchanged, 11 removed" in lines
    assert [person.id for person in content(street).people] == ["zhou"]
    assert len(content(street).groups) == 5  # of another table
    assert {row.action for row in log(street)} == {"import", "import_remove"}
    assert next(row for row in log(street) if row.subject == "person:deng").before["name"] == "邓网格长"


def test_a_group_that_was_bound_keeps_its_id(street: Settings, tmp_path: Path) -> None:
    run(street, sheet(tmp_path, "群.csv", "群名,群类型,区域\n滨江路网格群,业主,CTM-0102\n"))
    group = next(g for g in content(street).groups if g.topic == "滨江路网格群")
    assert (group.id, group.kind, group.area) == ("river", GroupKind.OWNERS, "CTM-0102")


def test_an_id_that_becomes_known_is_no_second_group(street: Settings, tmp_path: Path) -> None:
    run(street, sheet(tmp_path, "群.csv", "群编号,群名\n,新群\n"))
    run(street, sheet(tmp_path, "群.csv", "群编号,群名\nwx-9,新群\n"))
    assert [g.id for g in content(street).groups if g.topic == "新群"] == ["wx-9"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(street: Settings, tmp_path: Path, encoding: str) -> None:
    run(street, sheet(tmp_path, "人员.csv", "姓名,角色,区域\n甲,骑手,朝天街道\n", encoding))
    assert "甲" in {person.name for person in content(street).people}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_delimiters_and_a_title_above(street: Settings, tmp_path: Path, delimiter: str) -> None:
    rows = [
        "朝天街道名册",
        "",
        delimiter.join(["姓名*", "岗位（必填）", "电话"]),
        delimiter.join(["甲", "网格员", "1"]),
    ]
    lines = run(street, sheet(tmp_path, "2026.csv", "\n".join(rows)))
    assert lines[0].endswith("not used: 电话")
    assert "甲" in {person.name for person in content(street).people}


def test_a_book_of_sheets(street: Settings, tmp_path: Path) -> None:
    risks = [
        ["编码", "名称", "类型", "区域", "纬度", "经度"],
        [101.0, "江边步道", "内涝", "码头网格", 29.5, 106.5],
    ]
    file = book(tmp_path, 风险点=risks, 说明=[["怎么填"]], 人员=[["姓名", "角色"], ["甲", "小红伞"]])
    lines = run(street, file)
    assert "no table of the organisation" in lines[0]
    [point] = content(street).risk_points
    assert point == RiskPoint(
        code="101", name="江边步道", kind=RiskKind.FLOODING, area="CTM-0102", latitude=29.5, longitude=106.5
    )


# What is refused


def test_every_wrong_row_is_named_with_how_to_mend_it(street: Settings, tmp_path: Path) -> None:
    rows = [
        "编号,姓名,角色,区域,单位",
        "a,甲,网格王,CTM,",
        "b,乙,网格长,火星,",
        "c,,网格长,,",
        ",丁,,,",
        ",丁,,,",
        "f,己,联动单位,,太空署",
        "a,庚,居民,,",
    ]
    found = refused(street, sheet(tmp_path, "人员.csv", "\n".join(rows)))
    at = str(tmp_path / "人员.csv")
    for row, column, what in [
        (2, "角色", "网格王 is not known; write one of 居民、"),
        (3, "区域", "there is no area 火星; write the code"),
        (4, "姓名", "is empty; fill it in"),
        (5, "编号", "the name 丁 stands in several rows without an id; write an id into each"),
        (6, "编号", "the name 丁 stands in several rows"),
        (7, "单位", "there is no unit 太空署; write"),
        (8, "编号", "the id a has another name"),
    ]:
        start = f"{at}: row {row}, column {column}: {what}"
        assert any(line.startswith(start) for line in found), found
    assert found[-1] == "nothing was written"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("areas.csv", AREAS + "HX,又一个,\n", "row 6, column 编码: HX stands twice; keep one"),
        ("areas.csv", AREAS + "HX-02,乙社区,HX-09\n", "row 6, column 上级: there is no area HX-09"),
        ("areas.csv", AREAS + "HX-02,乙社区,HX-02\n", "row 6, column 上级: HX-02 lies below itself"),
        ("areas.csv", AREAS + "HX-02,乙社区,\n", "row 6, column 上级: exactly one area has no parent"),
        ("areas.csv", AREAS + "H X,乙社区,HX\n", "row 6, column 编码: H X is no code; use up to 32"),
        ("areas.csv", "编码,名称,上级,地点\nHX,甲,,坎\n", "row 2, column 地点: is too short (at least 2)"),
        (
            "areas.csv",
            "编码,名称,上级,地点\nHX,甲,,三号楼\nHX1,乙,HX,3号楼\n",
            "row 3, column 地点: both HX and HX1 claim the place 3号楼",
        ),
        ("groups.csv", "群编号,群名\n,\nx,\n,\n,群", ""),
        (
            "groups.csv",
            "群名,类型\n新群,卡拉OK\n",
            "row 2, column 类型: 卡拉OK is not known; write one of 居民群",
        ),
        ("units.csv", "单位编码,单位名称\na,甲\na,乙\n", "row 3, column 单位编码: a stands twice"),
        ("风险点.csv", "编码,名称,纬度\na,甲,北\n", "row 2, column 纬度: 北 is no number; write degrees"),
        ("风险点.csv", "编码,名称,纬度\na,甲,291\n", "row 2, column 纬度: 291 is out of range; latitude"),
        ("people.csv", "编号,姓名,角色\na,甲,居民\na,甲,住户\n", "the same post stands twice"),
        ("people.csv", "编号,姓名\na," + "甲" * 61, "row 2, column 姓名: is too long (at most 60)"),
        ("people.csv", '编号,姓名\na,"甲', "line 2: not a CSV table"),
        ("people.csv", "编号,角色\na,居民\n", "no header with the columns 姓名"),
        (
            "list.csv",
            "甲,乙\n1,2\n",
            "cannot tell which table this is: call the file or the sheet 区域 or areas",
        ),
        ("people.xls", "\xd0\xcf\x11\xe0", "an old .xls"),
        ("people.xlsx", "PK\x03\x04", "not a whole XLSX file"),
    ],
)
def test_mistakes(street: Settings, tmp_path: Path, name: str, text: str, said: str) -> None:
    file = sheet(tmp_path, name, text, "latin-1" if name.startswith("people.xls") else "utf-8")
    if said:
        assert any(said in line for line in refused(street, file))
    else:
        run(street, file)


def test_what_would_break_elsewhere_is_named(street: Settings, tmp_path: Path) -> None:
    rows = "code,name,parent\nCTM,朝天街道,\nCTM-01,江岸社区,CTM\nCTM-0101,滨江路网格,CTM-01\n"
    found = refused(street, sheet(tmp_path, "areas.csv", rows), remove=True)
    assert any("not in the sheets: people deng, area: there is no area CTM-0201" in line for line in found)


def test_formulas_and_errors_are_named(street: Settings, tmp_path: Path) -> None:
    file = book(tmp_path, people=[["姓名", "角色"], ["=A1", "居民"], ["#N/A", "居民"]])
    found = refused(street, file)
    assert "row 2, column 姓名: is a formula, which is not evaluated; paste it as a value" in found[0]
    assert "row 3, column 姓名: holds the error #N/A" in found[1]


def test_a_file_that_is_not_there_or_not_text(street: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        run(street, tmp_path / "nowhere.csv")
    bad = tmp_path / "people.csv"
    bad.write_bytes(b"\x81\xff\xff\xff")
    with pytest.raises(ConfigError, match="neither UTF-8 nor GB18030"):
        run(street, bad)


def test_limits(street: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = sheet(tmp_path, "people.csv", "姓名\n" + "甲\n" * 5)
    monkeypatch.setattr("bot.spreadsheets.MOST_ROWS", 3)
    with pytest.raises(ConfigError, match="more than 3 rows; divide it"):
        run(street, file)
    monkeypatch.setattr("bot.spreadsheets.MOST_BYTES", 3)
    with pytest.raises(ConfigError, match="larger than"):
        run(street, file)
    monkeypatch.undo()
    packed = book(tmp_path, people=[["姓名"]])
    monkeypatch.setattr("bot.spreadsheets.MOST_UNPACKED", 3)
    with pytest.raises(ConfigError, match="when unpacked"):
        run(street, packed)


# What goes out and comes back

ANY = some.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])
AWKWARD = ["=1+1", "'=x", "'", "-", "+甲乙", "@甲", "甲\\乙", "甲、乙；丙", "a=b", '"', '甲,"乙"']
LINE = some.text(ANY, min_size=2, max_size=12) | some.sampled_from(AWKWARD)
CODE = some.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=8)


@some.composite
def streets(draw: some.DrawFn) -> Content:
    codes = draw(some.lists(CODE, min_size=1, max_size=6, unique=True))
    areas = [
        Area.model_validate(
            {
                "code": code,
                "name": draw(LINE),
                "parent": draw(some.sampled_from(codes[:index])) if index else None,
                # one place each, which names its area: no two areas may claim the same
                "places": [{"name": f"{code}{draw(LINE)}第{index}"}] if draw(some.booleans()) else [],
                "neighbours": draw(some.lists(some.sampled_from(codes), unique=True, max_size=2)),
            }
        )
        for index, code in enumerate(codes)
    ]
    anywhere = some.sampled_from(["", *codes])
    aliases = some.lists(LINE, max_size=2).map(tuple)
    units = draw(
        some.lists(
            some.builds(
                Unit, code=LINE, name=LINE, kind=some.sampled_from(UnitKind), area=anywhere, aliases=aliases
            ),
            max_size=3,
            unique_by=lambda unit: unit.code,
        )
    )
    posts = some.builds(
        Post,
        role=some.sampled_from(Role),
        area=anywhere,
        unit=some.sampled_from(["", *(unit.code for unit in units)]),
    )
    people = draw(some.lists(_people(posts), max_size=4, unique_by=lambda person: person.id))
    groups = draw(
        some.lists(
            some.builds(
                Group, id=LINE | some.just(""), topic=LINE, kind=some.sampled_from(GroupKind), area=anywhere
            ),
            max_size=4,
            unique_by=(lambda group: group.id or group.topic, lambda group: group.topic),
        )
    )
    points = draw(
        some.lists(
            some.builds(
                RiskPoint,
                code=LINE,
                name=LINE,
                kind=some.sampled_from(RiskKind),
                area=anywhere,
                place=LINE | some.just(""),
                aliases=aliases,
                latitude=some.none() | some.floats(-90, 90),
                longitude=some.none() | some.floats(-180, 180),
            ),
            max_size=3,
            unique_by=lambda point: point.code,
        )
    )
    return Content(
        areas=tuple(areas),
        groups=tuple(groups),
        people=tuple(people),
        units=tuple(units),
        risk_points=tuple(points),
    )


def _people(posts: some.SearchStrategy[Post]) -> some.SearchStrategy[Person]:
    def made(id: str, name: str, held: Sequence[Post]) -> Person:
        return Person(id=id, name=name, **held[0].model_dump(), also=tuple(held[1:]))

    return some.builds(made, LINE, LINE, some.lists(posts, min_size=1, max_size=3, unique=True))


def files_of(content: Content, folder: Path, format: str) -> list[Path]:
    if format == "xlsx":
        exporting.write_xlsx(
            folder / "all.xlsx", [(sheet.title, exporting.rows_of(sheet, content)) for sheet in SHEETS]
        )
        return [folder / "all.xlsx"]
    for sheet_ in SHEETS:
        exporting.write_csv(folder / f"{sheet_.table}.csv", exporting.rows_of(sheet_, content))
    return [folder / f"{sheet_.table}.csv" for sheet_ in SHEETS]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=streets())
def test_what_goes_out_comes_back(format: str, content: Content) -> None:
    with TemporaryDirectory() as folder:
        rows = importing.gather(files_of(content, Path(folder), format)).rows
    again = Reader(content, rows)
    for table in TABLES:
        found = difference(content, table, again.read(table))
        assert (found.added, found.changed, found.missing) == ((), (), ()), again.wrong
    fresh = Reader(Content(), rows)
    for table in TABLES:
        assert tuple(read.entry for read in fresh.read(table)) == getattr(content, table)
    assert not again.wrong
    assert not fresh.wrong


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=streets(), second=streets())
def test_the_tables_hold_what_was_written(sqlite_template: Path, first: Content, second: Content) -> None:
    """Whatever stood there before."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "gridbot.db"
        file.write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite:///{file}", durable=False)
        for wanted in (first, second):
            with database.transaction() as session:
                _replace(session, wanted)
            with database.reading() as session:
                assert _sorted(stored(session)) == _sorted(wanted)
        database.close()


def _replace(session: object, wanted: Content) -> None:
    from handlers.reorganise import rows_of

    store.replace(session, **{table: rows_of(getattr(wanted, table)) for table in TABLES})  # type: ignore[arg-type]


def _sorted(content: Content) -> dict[str, object]:
    return {table: sorted(getattr(content, table), key=repr) for table in TABLES}


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_export_then_import_changes_nothing(street: Settings, tmp_path: Path, format: str) -> None:
    out = tmp_path / "out"
    list(exporting.run(street, out, format))
    assert run(street, *sorted(out.iterdir()))[-1] == "nothing to change"
    assert version(street) == 0


def test_excel_opens_the_export(street: Settings, tmp_path: Path) -> None:
    list(exporting.run(street, tmp_path, "csv"))
    written = (tmp_path / "people.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(written.decode("utf-8-sig").splitlines()))
    assert rows[0] == ["编号", "姓名", "角色", "区域", "单位"]
    assert rows[1] == ["zhou", "周网格长", "网格长", "CTM-0101", ""]


def test_no_format_but_two(street: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--format: 'ods' is not csv or xlsx"):
        list(exporting.run(street, tmp_path, "ods"))


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "'=1", "''@x", "＝1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["", "甲", "'甲", "1=1"])
def test_other_cells_stay(cell: str) -> None:
    assert guarded(cell) == cell == unguarded(cell)


def test_words_are_clear() -> None:
    """No word means two things in one column, and each code has its word."""
    for sheet_ in SHEETS:
        for column in sheet_.columns:
            words = [word for said in column.words.values() for word in said]
            assert len(words) == len(set(words)), (sheet_.table, column.key)
    kinds: Iterable[tuple[str, str, Iterable[str]]] = [
        ("people", "role", Role),
        ("groups", "kind", GroupKind),
        ("units", "kind", UnitKind),
        ("risk_points", "kind", RiskKind),
    ]
    for table, key, members in kinds:
        column = next(s for s in SHEETS if s.table == table).column(key)
        assert set(column.words) == set(members)
