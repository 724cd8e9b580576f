"""Who may open what, and what of it belongs to somebody else's areas."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import select

from bot.exports import Exports
from bot.web.access import Need
from bot.web.app import ROUTES, make_app
from handlers.organisation import Person, Post, Role
from storage.tables import ActionLog, Export, ExportState, Joining, Reply, ReplyState, Review, ReviewState
from tests.web.conftest import Browser
from tests.web.street import NOON, Street, message, reply, some_tickets

# What everybody of the sample street may open, by the person's id; "" is the operator.
STAFF = {"qin": {Need.STAFF}, "zhou": {Need.STAFF}}
LEADS = {"fan": {Need.STAFF, Need.COORDINATOR}, "pu": {Need.STAFF, Need.COORDINATOR}}
MAY: dict[str | None, set[Need]] = {
    None: set(),
    **{who: set() for who in ("tang", "xiong", "he", "powerco", "nobody")},
    **STAFF,
    **LEADS,
    "": {Need.STAFF, Need.COORDINATOR, Need.OPERATOR},
}
_FILL = {
    "{number}": "CTM0712-001",
    "{table}": "areas",
    "{day}": "2026-07-12",
    "{kind}": "evening",
    "{name}": "0123456789abcdef",
    "{id}": "1",
    r"{id:\d{1,19}}": "1",
    r"{message:\d{1,19}}": "1",
}


def address(path: str) -> str:
    for name, value in _FILL.items():
        path = path.replace(name, value)
    assert "{" not in path
    return path


@pytest.fixture
async def people(street: Street) -> AsyncIterator[Any]:
    """browser(person) for a browser that is signed in as that one."""
    some_tickets(street)
    async with TestClient(TestServer(make_app(street.parts)), cookie_jar=CookieJar(unsafe=True)) as client:

        async def browser(person: str) -> Browser:
            client.session.cookie_jar.clear()
            browser = Browser(client)
            await browser.sign_in(street.parts, person)
            return browser

        yield browser


def test_every_route_says_who_may_ask() -> None:
    open_ones = {(route.method, route.path) for route in ROUTES if route.need is Need.NOTHING}
    assert open_ones == {("GET", "/signin"), ("POST", "/signin"), ("GET", "/healthz")}
    assert len({route.handler for route in ROUTES}) == len(ROUTES), "a handler has one need"
    changing = {route.path for route in ROUTES if route.method == "POST" and route.need is Need.STAFF}
    # Of one's own, and a ticket's, which asks the command.
    files = {"/exports", r"/exports/{id:\d{1,19}}/cancel"}
    assert changing == {"/signout", "/sessions/{name}/end", *files}


@pytest.mark.parametrize("who", MAY, ids=lambda who: {None: "stranger", "": "operator"}.get(who, who))
async def test_every_route_for_everybody(street: Street, who: str | None) -> None:
    some_tickets(street)
    async with TestClient(TestServer(make_app(street.parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(client)
        for route in ROUTES:
            if route.path in {"/live", "/chat/events", "/healthz", "/signin"}:
                continue
            if who is not None and MAY[who]:
                await browser.sign_in(street.parts, who)  # signing out is one of the routes
            elif who is not None:
                await browser.sign_in(street.parts, who, 401)
            headers = {"Accept": "text/html", "Origin": browser.origin}
            path = address(route.path)
            async with client.request(route.method, path, headers=headers, allow_redirects=False) as answer:
                may = route.need in (MAY[who] if who is not None else set())
                refused = 403 if who is not None and MAY[who] else 401
                assert (answer.status not in {401, 403}) if may else (answer.status == refused), route


@pytest.mark.parametrize("who", ["qin", "fan", "pu", ""])
async def test_only_what_may_be_opened_is_offered(people: Any, who: str) -> None:
    text = await (await people(who)).get("/board")
    nav = text.partition("<nav")[2].partition("</nav>")[0]
    offered = set(re.findall(r'href="(/\w+)"', nav))
    wanted = {"/board", "/digest", "/lists", "/groups", "/organisation"}
    wanted |= {"/reviews", "/joining", "/replies"} if who in {"fan", "pu", ""} else set()
    assert offered == wanted | ({"/chat"} if not who else set())


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("qin", {1}),
        ("fan", {1}),
        ("deng", {2, 3}),
        ("luo", {4}),
        ("pu", {1, 2, 3, 4}),
        ("", {1, 2, 3, 4}),
    ],
    ids=["worker", "community", "owner", "other owner", "street", "operator"],
)
async def test_tickets_of_other_areas_are_not_there(people: Any, who: str, seen: set[int]) -> None:
    browser = await people(who)
    shown = set(re.findall(r'href="/tickets/CTM0712-00(\d)"', await browser.get("/board?state=all")))
    assert {int(number) for number in shown} == seen
    for running in range(1, 5):
        status = 200 if running in seen else 404
        await browser.get(f"/tickets/CTM0712-00{running}", status)
        await browser.get(f"/tickets/CTM0712-00{running}/handover", status)
    everything = await browser.get("/board?state=all&area=CTM")
    assert everything.count('class="cover"') == len(seen)


async def test_the_boards_filters_offer_ones_own_areas_and_groups(people: Any) -> None:
    text = await (await people("qin")).get("/board")
    assert "滨江路网格" in text and "滨江路网格群" in text
    assert "石梯坎" not in text and "散步群" not in text
    assert "石梯坎居民群" in await (await people("pu")).get("/board")


async def test_what_one_was_given_to_do_is_seen_anywhere(people: Any, street: Street) -> None:
    posts = (Post(role=Role.UNIT, unit="powerco"),)
    street.put(Person(id="qin", name="秦网格员", role=Role.GRID_WORKER, area="CTM-0101", also=posts))
    browser = await people("qin")
    assert "CTM0712-002" in await browser.get("/board")
    await browser.get("/tickets/CTM0712-002")
    await browser.get("/tickets/CTM0712-003", 404)


async def test_groups_of_other_areas_are_not_there(people: Any) -> None:
    text = await (await people("qin")).get("/groups")
    assert "滨江路网格群" in text and "石梯坎居民群" not in text and "散步群" not in text
    text = await (await people("")).get("/groups")
    assert "石梯坎居民群" in text and "散步群" in text


async def test_a_file_is_for_who_asked_for_it_as_long_as_it_is_his_to_see(
    people: Any, street: Street
) -> None:
    browser = await people("fan")
    await browser.post("/exports", data={"table": "tickets", "format": "csv"})
    with street.database.transaction() as session:
        export = session.exec(select(Export)).one()
        export.state = ExportState.DONE
        id, within = export.id, set(export.asked["within"])
    assert within == {"CTM-01", "CTM-0101", "CTM-0102"}
    path = street.parts.settings.storage.media / "exports" / f"{id}.csv"
    path.parent.mkdir(parents=True)
    path.write_text("一行")
    assert await browser.get(f"/exports/{id}/file") == "一行"
    for other in ("pu", "zhou", ""):
        browser = await people(other)
        assert "还没有导出过" in await browser.get("/exports")
        await browser.get(f"/exports/{id}/file", 404)
        await browser.post(f"/exports/{id}/cancel", 404)
    street.put(Person(id="fan", name="范协调", role=Role.COORDINATOR, area="CTM-0101"))
    browser = await people("fan")
    await browser.get(f"/exports/{id}/file", 404)


def waits(street: Street, room: str, text: str) -> int:
    said = message(room, "tang", text)
    street.keep(said)
    street.keep(
        Review(
            message_id=said.id, account="local", room=room, label="service", urgency=1, chance=0.4,
            made_at=NOON, expires_at=NOON + timedelta(days=1),
        )
    )  # fmt: skip
    return said.id


async def test_reviews_are_decided_by_a_coordinator_of_the_area(people: Any, street: Street) -> None:
    here, there, private = (
        waits(street, room, text)
        for room, text in (("river", "江边的灯"), ("stairs", "坎上的灯"), ("", "门口的灯"))
    )
    browser = await people("fan")
    text = await browser.get("/reviews")
    assert "江边的灯" in text and "坎上的灯" not in text and "门口的灯" not in text
    assert await browser.get("/reviews/count") == "1"
    await browser.post(f"/reviews/{there}", 404, {"choice": "ignore"})
    await browser.post(f"/reviews/{private}", 404, {"choice": "ignore"})
    assert "不是事项" in await browser.post(f"/reviews/{here}", data={"choice": "ignore"})
    browser = await people("pu")
    assert await browser.get("/reviews/count") == "2"
    await browser.post(f"/reviews/{there}", data={"choice": "ignore"})
    # What was done elsewhere is not told either.
    assert "不是事项" not in await (await people("fan")).get(f"/reviews?decided={there}&now=1")
    with street.database.reading() as session:
        rows = {row.message_id: row for row in session.exec(select(Review))}
    assert [rows[id].decided_by for id in (here, there, private)] == ["fan", "pu", None]
    assert rows[private].state == ReviewState.WAITING


async def test_unsent_replies_are_settled_by_a_coordinator_of_the_area(people: Any, street: Street) -> None:
    street.keep(reply("m9:0", "", "给罗网格长的话", person="luo", state=ReplyState.FAILED))
    with street.database.reading() as session:
        unsent = session.exec(select(Reply).where(Reply.state != ReplyState.SENT)).all()
    by_room = {row.room: row.id for row in unsent}
    here, there, private = by_room["river"], by_room["stairs"], by_room[""]
    browser = await people("fan")
    text = await browser.get("/replies")
    assert "抽水泵" in text and "派给供电所" not in text and "给罗网格长" not in text
    for id in (here, there, private):
        await browser.post(f"/replies/{id}/drop")
        await browser.post(f"/replies/{id}/retry")
    with street.database.reading() as session:
        states = [session.get_one(Reply, id).state for id in (here, there, private)]
        log = session.exec(select(ActionLog).where(ActionLog.action != "sign_in")).all()
    assert states == [ReplyState.DROPPED, ReplyState.FAILED, ReplyState.FAILED]
    assert [(row.actor_name, row.action, row.subject) for row in log] == [
        ("范协调", "reply_drop", f"reply:{here}")
    ]
    assert "给罗网格长" in await (await people("pu")).get("/replies")


async def test_a_link_that_waits_to_be_said_is_not_shown(people: Any, street: Street) -> None:
    street.keep(
        reply("m9:0", "", "http://x.example/?token=Abc-_9\n请点开", person="luo", state=ReplyState.FAILED)
    )
    text = await (await people("pu")).get("/replies")
    assert "token=…" in text and "Abc" not in text


async def test_codes_are_made_for_ones_own_areas(people: Any, street: Street) -> None:
    browser = await people("fan")
    text = await browser.get("/joining")
    assert 'value="CTM-0101"' in text and 'value="CTM-0201"' not in text and 'value="CTM"' not in text
    form = {"what": "person", "role": "grid_worker", "area": "CTM-0101"}
    assert "只显示这一次" in await browser.post("/joining", data=form)
    for area in ("CTM-0201", "CTM", ""):
        assert "管不到" in await browser.post("/joining", 422, form | {"area": area})
    assert "管不到" in await browser.post("/joining", 422, {"what": "group", "kind": "owners", "area": "CTM"})
    browser = await people("pu")
    text = await browser.post("/joining", data=form | {"area": "CTM-0201", "role": "coordinator"})
    assert "范协调" in text, "who made it is named"
    browser = await people("fan")
    text = await browser.get("/joining")
    assert "滨江路网格" in text and "石梯坎网格 · " not in text and text.count("/revoke") == 1
    with street.database.reading() as session:
        codes = session.exec(select(Joining)).all()
    assert {code.made_by for code in codes} == {"fan", "pu"}
    for code in codes:
        await browser.post(f"/joining/{code.id}/revoke")
    with street.database.reading() as session:
        assert [code.made_by for code in session.exec(select(Joining))] == ["pu"]


async def test_the_organisation_is_shown_as_far_as_ones_areas_go(people: Any) -> None:
    browser = await people("qin")
    text = await browser.get("/organisation")
    assert "滨江路网格" in text and "石梯" not in text and "/entry" not in text
    text = await browser.get("/organisation?table=people")
    assert "周网格长" in text and "邓网格长" not in text and "添加" not in text
    browser = await people("fan")
    text = await browser.get("/organisation?table=people")
    assert "周网格长" in text and "邓网格长" not in text
    await browser.get("/organisation/people/entry?key=zhou")
    await browser.get("/organisation/people/entry?key=deng", 403)
    await browser.get("/organisation/people/remove?key=pu", 403)
    await browser.post("/organisation/people/remove", 403, {"key": "deng"})


@pytest.mark.parametrize(
    ("table", "cells", "status"),
    [
        ("people", {"id": "new", "name": "新人", "role-0": "网格员", "area-0": "CTM-0101"}, 200),
        ("people", {"id": "new", "name": "新人", "role-0": "指挥中心", "area-0": "CTM"}, 422),
        ("people", {"id": "new", "name": "新人", "role-0": "居民"}, 422),
        (
            "people",
            {"id": "new", "name": "新人", "role-0": "网格员", "area-0": "CTM-0101", "role-1": "网格长",
             "area-1": "CTM-0201"},
            422,
        ),
        ("areas", {"code": "CTM-0103", "name": "新网格", "parent": "CTM-01"}, 200),
        ("areas", {"code": "CTM-03", "name": "新社区", "parent": "CTM"}, 422),
        ("groups", {"topic": "新群", "area": "CTM-0102"}, 200),
        ("groups", {"topic": "新群", "area": "CTM-0201"}, 422),
    ],
    ids=["own", "above", "street", "elsewhere too", "below", "beside", "own group", "other group"],
)  # fmt: skip
async def test_nobody_gives_more_than_he_has(
    people: Any, street: Street, table: str, cells: dict[str, str], status: int
) -> None:
    browser = await people("fan")
    text = await browser.post(f"/organisation/{table}/entry", status, cells)
    assert ("管不到" in text) == (status == 422)
    with street.database.reading() as session:
        log = session.exec(select(ActionLog).where(ActionLog.action != "sign_in")).all()
    assert {row.actor_name for row in log} == ({"范协调"} if status == 200 else set())


async def test_a_coordinator_does_not_make_himself_more(people: Any, street: Street) -> None:
    browser = await people("fan")
    text = await browser.get("/organisation/people/entry?key=fan")
    stamp = re.findall(r'name="stamp" value="([^"]+)"', text)[0]
    cells = {
        "key": "fan",
        "id": "fan",
        "name": "范协调",
        "stamp": stamp,
        "role-0": "指挥中心",
        "area-0": "CTM",
    }
    assert "管不到" in await browser.post("/organisation/people/entry", 422, cells)


@pytest.mark.parametrize(("who", "name"), [("zhou", "唐孃孃"), ("pu", "唐**"), ("", "唐**")])
async def test_a_resident_is_named_in_files_of_the_grids_own_people(
    people: Any, street: Street, who: str, name: str
) -> None:
    """A coordinator sees the whole street on the pages, but takes away no file with everybody's names."""
    browser, parts = await people(who), street.parts
    await browser.post("/exports", data={"table": "tickets", "format": "csv"})
    await Exports(parts.database, parts.world, parts.clock, parts.settings.storage.media).step()
    link = re.findall(r'href="(/exports/[0-9]+/file)"', await browser.get("/exports"))[0]
    assert f",{name}," in await browser.get(link)
