"""The joining codes' page: made, shown once, listed, revoked; and what has become of groups."""

import re
from datetime import timedelta

from sqlmodel import select

from storage import joining as store
from storage.tables import ActionLog, Joining, OrgPerson
from tests.web.conftest import Browser
from tests.web.street import NOON, Street, room

CODE = re.compile(r'<output class="code">([^<]+)</output>')
EVIL = "<script>alert(1)</script>\"'"


def codes(street: Street) -> list[Joining]:
    with street.database.reading() as session:
        return list(session.exec(select(Joining)))


async def test_a_person_s_code_is_shown_once_and_listed(browser: Browser, street: Street) -> None:
    text = await browser.post(
        "/joining", data={"what": "person", "role": "grid_worker", "area": "CTM-0101", "name": "小秦"}
    )
    (code,) = CODE.findall(text)
    with street.database.reading() as session:
        found = store.find(session, store.spelt(code))
        assert found is not None
        assert (found.role, found.area, found.name, found.made_by) == (
            "grid_worker",
            "CTM-0101",
            "小秦",
            "operator",
        )
    (noted,) = session.exec(select(ActionLog).where(ActionLog.action == "invite")).all()
    assert (noted.action, noted.actor) == ("invite", "operator")
    assert code not in str(noted) and code.replace("-", "") not in str(noted)
    again = await browser.get("/joining")
    assert code not in again
    for words in ("滨江路网格网格员", "小秦", "收回", "7月15日 12:00"):
        assert words in again, words


async def test_a_group_s_and_an_imported_person_s_code(browser: Browser, street: Street) -> None:
    street.keep(OrgPerson(id="made-1", name="刘网格长"))
    text = await browser.post("/joining", data={"what": "group", "kind": "owners", "area": "CTM-0101"})
    assert "绑群码" in text and CODE.search(text)
    text = await browser.post("/joining", data={"what": "imported", "person": "刘网格长"})
    assert CODE.search(text)
    text = await browser.get("/joining")
    assert "滨江路网格 · 业主群" in text and "刘网格长" in text
    assert {row.kind: row.person_id for row in codes(street)} == {"group": "", "person": "made-1"}


async def test_what_cannot_be_made_is_said(browser: Browser, street: Street) -> None:
    for data, said in (
        ({"what": "person", "role": "king"}, "请选一个身份"),
        ({"what": "person", "role": "bot"}, "请选一个身份"),
        ({"what": "person", "role": "volunteer", "area": "X"}, "没有这个片区"),
        ({"what": "person", "role": "volunteer", "unit": "powerco"}, "没有这个单位"),
        ({"what": "person", "role": "volunteer", "name": "长" * 99}, "名字太长"),
        ({"what": "imported", "person": "没这人"}, "名册里没有这个人"),
        ({"what": "imported"}, "名册里没有这个人"),
        ({"what": "group", "kind": "x"}, "请选群的类型"),
    ):
        assert said in await browser.post("/joining", 422, data=data), data
    text = await browser.post("/joining", 422, data={"what": "imported", "person": EVIL})
    assert "<script>alert" not in text
    assert codes(street) == []


async def test_revoking(browser: Browser, street: Street) -> None:
    await browser.post("/joining", data={"what": "person", "role": "volunteer", "name": EVIL})
    (row,) = codes(street)
    assert "<script>alert" not in await browser.get("/joining")
    text = await browser.post(f"/joining/{row.id}/revoke")
    assert "没有还能用的码" in text
    await browser.post(f"/joining/{row.id}/revoke")
    await browser.post(f"/joining/{2**63}/revoke", 404)
    assert codes(street) == []


async def test_strangers_and_other_sites(stranger: Browser, browser: Browser, street: Street) -> None:
    await browser.post("/joining", 403, data={"what": "group"}, Origin="http://evil.example")
    await browser.get("/joining/1/revoke", 405)
    assert codes(street) == []


async def test_nobody_who_is_not_signed_in(stranger: Browser, street: Street) -> None:
    await stranger.get("/joining", 401)
    await stranger.post("/joining", 401, data={"what": "group", "kind": "owners"})
    assert codes(street) == []


async def test_groups_say_what_became_of_them(browser: Browser, street: Street) -> None:
    hour = timedelta(hours=1)
    gone = room("river", "滨江路平安群")
    gone.former_topic, gone.renamed_at, gone.owner_left_at = "滨江路网格群", NOON - hour, NOON - 2 * hour
    gone.silent_until = NOON + hour
    removed = room("nowhere", "散伙群", present=False)
    removed.left_at = NOON - 3 * hour
    street.keep(gone, removed)
    text = await browser.get("/groups")
    for words in (
        "改了名，原来叫“滨江路网格群”",
        "11:00",
        "绑定按群号还在",
        "负责人退群",
        "请补一位网格长进群",
        "10:00",
        "机器人被移出",
        "9:00",
        "静默到 13:00",
    ):
        assert words in text, words
