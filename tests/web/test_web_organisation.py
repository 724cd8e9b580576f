"""The organisation on the board: searched, edited with the checks of an import, in force at once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import select

from bot.web.app import make_app
from bot.world import Worlds
from handlers.organisation import Organisation, Post, Role
from storage.tables import ActionLog, OrgArea, OrgPerson
from tests.support.classifier import WordClassifier
from tests.web.conftest import Browser
from tests.web.street import ROOT, Street

EVIL = "<script>alert(1)</script>"


class Board:
    """Pages over a world that is read anew, as in the running bot."""

    def __init__(self, browser: Browser, street: Street, worlds: Worlds) -> None:
        self.browser, self.street, self.worlds = browser, street, worlds

    @property
    def organisation(self) -> Organisation:
        return self.worlds().organisation

    async def get(self, path: str, status: int = 200) -> str:
        return unescape(await self.browser.get(path, status))

    async def save(self, table: str, status: int = 200, **cells: str) -> str:
        """With the form's stamp, as a browser sends it."""
        if cells.get("key") and "stamp" not in cells:
            shown = await self.get(f"/organisation/{table}/entry?key={cells['key']}")
            cells["stamp"] = shown.partition('name="stamp" value="')[2].partition('"')[0]
        return unescape(await self.browser.post(f"/organisation/{table}/entry", status, data=cells))

    def log(self) -> list[ActionLog]:
        with self.street.database.reading() as session:
            return list(session.exec(select(ActionLog).where(ActionLog.action != "sign_in")))

    def stored(self) -> tuple[int, int]:
        """Areas and people in the database."""
        with self.street.database.reading() as session:
            return len(session.exec(select(OrgArea)).all()), len(session.exec(select(OrgPerson)).all())


@pytest.fixture
async def board(street: Street, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Board]:
    settings = street.parts.settings.model_copy(update={"organisation": ROOT / "organisation.yaml"})
    worlds = Worlds(settings, WordClassifier(), street.database)
    parts = replace(street.parts, settings=settings, world=worlds, reload=worlds.reload)
    async with TestClient(TestServer(make_app(parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(client)
        await browser.sign_in(parts)
        yield Board(browser, street, worlds)


async def test_each_table_is_shown(board: Board) -> None:
    tree = await board.get("/organisation")
    assert "朝天街道" in tree
    assert tree.index("江岸社区") < tree.index("滨江路网格") < tree.index("石梯社区")
    assert 'aria-current="page"' in tree
    assert "滨江路网格群" in await board.get("/organisation?table=groups")
    assert "网格长 · 滨江路网格" in await board.get("/organisation?table=people")
    assert "还没有单位" in await board.get("/organisation?table=units")  # 供电所 is a person
    assert "还没有风险点" in await board.get("/organisation?table=risk_points")
    assert "江岸社区" in await board.get("/organisation?table=nonsense&area=nowhere")


async def test_search_and_area(board: Board) -> None:
    found = await board.get("/organisation?table=people&q=网格长")
    assert "周网格长" in found
    assert "蒲指挥" not in found
    found = await board.get("/organisation?table=people&area=CTM-02")
    assert "邓网格长" in found
    assert "周网格长" not in found
    assert "没有找到" in await board.get("/organisation?table=groups&q=火星")


async def test_a_long_list_is_paged(board: Board) -> None:
    with board.street.database.transaction() as session:
        session.add_all(OrgPerson(id=f"p{number:03}", name=f"某人{number:03}") for number in range(120))
    board.worlds.reload(only_changed=False)
    first, last = [await board.get(f"/organisation?table=people&q=某人&page={n}") for n in (1, 3)]
    assert "第 1 / 3 页" in first
    assert ("某人119" in last, "某人119" in first) == (True, False)
    assert "第 3 / 3 页" in await board.get("/organisation?table=people&q=某人&page=99")


async def test_a_person_is_added_changed_and_removed(board: Board) -> None:
    await board.save(
        "people", name="新人", **{"role-0": "网格员", "area-0": "滨江路网格", "role-1": "志愿者"}
    )
    [person] = [p for p in board.organisation.people.values() if p.name == "新人"]
    assert person.id.startswith("made-")
    assert person.posts == (Post(role=Role.GRID_WORKER, area="CTM-0101"), Post(role=Role.VOLUNTEER))
    assert board.stored() == (0, 1)  # the rest stays in the file

    await board.save(
        "people", key=person.id, id=person.id, name="新人甲", **{"role-0": "网格长", "area-0": "CTM"}
    )
    assert board.organisation.people[person.id].posts == (Post(role=Role.GRID_OWNER, area="CTM"),)

    shown = await board.get(f"/organisation/people/remove?key={person.id}")
    assert "确定删除" in shown
    done = await board.browser.post("/organisation/people/remove", data={"key": person.id})
    assert "已删除" in done
    assert person.id not in board.organisation.people

    actions = [(row.actor, row.action, row.subject) for row in board.log()]
    subject = f"person:{person.id}"
    assert actions == [
        ("operator", "organisation_add", subject),
        ("operator", "organisation_change", subject),
        ("operator", "organisation_remove", subject),
    ]
    changed = board.log()[1]
    assert (changed.before["name"], changed.after["name"]) == ("新人", "新人甲")


async def test_the_first_area_that_is_changed_takes_the_file_along(board: Board) -> None:
    done = await board.save("areas", key="CTM-0102", code="CTM-0102", name="新码头网格", parent="CTM-01")
    assert "已保存" in done
    assert board.organisation.area_name("CTM-0102") == "新码头网格"
    assert board.stored() == (7, 12)
    assert {row.action for row in board.log()} == {"organisation_change", "organisation_adopt"}


async def test_somebody_of_the_file_is_removed(board: Board) -> None:
    await board.browser.post("/organisation/people/remove", data={"key": "xiong"})
    assert "xiong" not in board.organisation.people
    assert len(board.organisation.people) == 11
    assert board.stored() == (7, 11)


@pytest.mark.parametrize(
    ("table", "cells", "said"),
    [
        ("areas", {"code": "N", "name": "", "parent": "CTM"}, "没有填，请填上"),
        ("areas", {"code": "N N", "name": "新", "parent": "CTM"}, "“N N”不能当编码"),
        ("areas", {"code": "N", "name": "新", "parent": "火星"}, "没有“火星”这个区域"),
        ("areas", {"code": "N", "name": "新", "parent": ""}, "只能有一个区域没有上级"),
        ("areas", {"code": "CTM-01", "name": "新", "parent": "CTM"}, "“新”已经有了"),
        ("areas", {"code": "N", "name": "新", "parent": "CTM", "places": "坎"}, "太短了，至少2个字"),
        ("groups", {"topic": ""}, "群名和群编号至少填一个"),
        ("groups", {"topic": "滨江路网格群"}, "已经有了"),
        ("people", {"name": ""}, "没有填，请填上"),
        ("people", {"name": "周网格长"}, "“周网格长”已经有了"),
        ("people", {"name": "新", "role-0": "皇帝"}, "不认识“皇帝”"),
        ("people", {"name": "新", "role-0": "居民", "area-0": "火星"}, "没有“火星”这个区域"),
        ("people", {"name": "新", "role-0": "居民", "role-1": "居民"}, "同样的角色写了两次"),
        ("people", {"name": "新", "role-0": "联动单位", "unit-0": "太空署"}, "没有“太空署”这个单位"),
        ("risk_points", {"code": "R", "name": "坎", "latitude": "北"}, "“北”不是数字"),
        ("units", {"code": "", "name": "所"}, "没有填，请填上"),
        ("units", {"code": "x" * 65, "name": "所"}, "太长了，最多64个字"),
    ],
)
async def test_mistakes_are_said_beside_the_field(
    board: Board, table: str, cells: dict[str, str], said: str
) -> None:
    before = board.organisation
    text = await board.save(table, 422, **cells)
    assert said in text
    assert "没有保存" in text
    assert all(value in text for value in cells.values())  # nothing has to be typed again
    assert board.organisation is before
    assert board.log() == []


async def test_what_is_needed_is_not_removed(board: Board) -> None:
    shown = await board.get("/organisation/areas/remove?key=CTM-0101")
    assert "现在不能删" in shown
    assert "群 river 的区域：没有“CTM-0101”这个区域" in shown
    assert "确定删除" not in shown
    await board.browser.post("/organisation/areas/remove", 409, data={"key": "CTM-0101"})
    assert "CTM-0101" in board.organisation.areas


async def test_two_who_edit_the_same_entry(board: Board) -> None:
    await board.save("groups", key="river", id="river", topic="江边群", kind="居民群", area="CTM-0101")
    text = await board.save("groups", 422, key="river", stamp="old", id="river", topic="别的群")
    assert "刚被别人改过" in text
    assert board.organisation.group("river").topic == "江边群"


async def test_a_group_whose_id_becomes_known(board: Board) -> None:
    await board.save("groups", topic="新群", kind="业主群", area="CTM")
    await board.save("groups", key="新群", id="wx-1", topic="新群", kind="业主群", area="CTM")
    assert [group.id for group in board.organisation.groups if group.topic == "新群"] == ["wx-1"]


async def test_what_people_write_stays_text(board: Board) -> None:
    await board.save("units", code="evil", name=EVIL, aliases=EVIL)
    for path in ("/organisation?table=units", "/organisation/units/entry?key=evil"):
        assert "<script>alert" not in await board.browser.get(path)


async def test_entries_and_tables_that_are_not(board: Board) -> None:
    for path in ("people/entry?key=nobody", "kings/entry", "people/remove?key=nobody"):
        await board.browser.get(f"/organisation/{path}", 404)
    await board.browser.post("/organisation/people/remove", 404, data={"key": "nobody"})
    await board.browser.post(
        "/organisation/people/entry", 404, data={"key": "nobody", "id": "x", "name": "x"}
    )


async def test_strangers_see_nothing(stranger: Browser) -> None:
    await stranger.get("/organisation", 401)
    await stranger.post("/organisation/people/entry", 401, data={"name": "x"})
