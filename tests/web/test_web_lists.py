"""/lists and /exports: what they show, and the way from asking to having a file."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlmodel import select

from bot.exports import Exports
from bot.web import reach
from storage.tables import Export, ExportState
from tests.web.conftest import Browser
from tests.web.street import NOON, Street, some_tickets, ticket


@pytest.fixture
def lamps(street: Street) -> Street:
    some_tickets(street)
    lamp = {
        "label": "service",
        "place": "石梯坎12号",
        "summary": "路灯不亮，我是13812345678",
        "area": "CTM-0201",
    }
    street.keep(
        ticket(11, **lamp),
        ticket(12, **lamp, recurring=True, opened_at=NOON - timedelta(days=2)),
        ticket(13, **(lamp | {"summary": "哪个帮忙代取个东西", "place": ""})),
        ticket(
            14,
            **(lamp | {"place": "<b>滨江</b>路"}),
            opened_at=NOON - timedelta(days=40),
            closed_at=NOON - timedelta(days=35),
            state="closed",
            resolution="fixed",
        ),
    )
    return street


@pytest.fixture
def exports(street: Street) -> Exports:
    parts = street.parts
    return Exports(parts.database, parts.world, parts.clock, parts.settings.storage.media)


def cells(page: str) -> list[str]:
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r"<th scope=\"row\">(.*?)(?: <span|</th>)", table)


async def test_the_lists_by_place_and_kind(browser: Browser, lamps: Street) -> None:
    page = await browser.get("/lists")
    assert cells(page) == ["石梯坎12号", "未写明地点"]
    assert "路灯照明 <b>3</b>" in page and "反复办" in page
    assert "13812345678" not in page
    assert 'href="/tickets/CTM0712-011"' in page
    page = await browser.get("/lists?list=service&start=&end=")
    assert cells(page) == ["未写明地点"] and "代办代取" in page


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("start=&end=", ["石梯坎12号", "未写明地点", "&lt;b&gt;滨江&lt;/b&gt;路"]),
        ("area=CTM-02", ["石梯坎12号", "未写明地点"]),
        ("area=CTM-01", []),
        ("kind=lift", []),
        ("state=closed", []),
        ("state=closed&start=&end=", ["&lt;b&gt;滨江&lt;/b&gt;路"]),
        ("state=open&kind=lamp&area=CTM-0201", ["石梯坎12号", "未写明地点"]),
        ("start=2026-07-11&end=2026-07-10&area=moon&kind=moon&state=moon", ["石梯坎12号"]),
        ("start=x&end=%ff", ["石梯坎12号", "未写明地点", "&lt;b&gt;滨江&lt;/b&gt;路"]),
    ],
)
async def test_filters(browser: Browser, lamps: Street, query: str, places: list[str]) -> None:
    assert sorted(cells(await browser.get(f"/lists?{query}"))) == sorted(places)


async def test_an_empty_list_says_so(browser: Browser) -> None:
    assert "这段时间没有设施问题" in await browser.get("/lists")
    assert "这段时间没有服务需求" in await browser.get("/lists?list=service")
    assert "还没有导出过" in await browser.get("/exports")


async def order(browser: Browser, **form: Any) -> None:
    await browser.post(
        "/exports", data={"table": "facilities", "format": "csv", "start": "", "end": ""} | form
    )


async def fetch(browser: Browser, page: str) -> bytes:
    link = re.findall(r'href="(/exports/\d+/file)"', page)[0]
    async with browser.client.get(link) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="export.')
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.read()


async def test_a_file_is_asked_for_watched_and_fetched(
    browser: Browser, lamps: Street, exports: Exports
) -> None:
    await order(browser, area="CTM-02", state="open")
    waiting = await browser.get("/exports")
    assert "排队" in waiting and "every 2s" in waiting and "石梯社区，不限时间，未办结" in waiting
    assert "/file" not in waiting
    await exports.step()
    done = await browser.get("/exports")
    assert "写好了" in done and "every 60s" in done
    rows = list(csv.DictReader(io.StringIO((await fetch(browser, done)).decode("utf-8-sig"))))
    assert [(row["地点"], row["件数"]) for row in rows] == [("石梯坎12号", "2"), ("未写明地点", "1")]


async def test_excel_of_a_ledger(browser: Browser, lamps: Street, exports: Exports) -> None:
    await order(browser, table="facility-ledger", format="xlsx", kind="lamp")
    await exports.step()
    content = await fetch(browser, await browser.get("/exports"))
    sheet: Any = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet.title == "设施问题台账" and sheet.max_row == 5
    assert not any("13812345678" in f"{cell.value}" for row in sheet for cell in row)


async def test_progress_and_cancelling(browser: Browser, lamps: Street) -> None:
    await order(browser)
    with lamps.database.transaction() as session:
        row = session.exec(select(Export)).one()
        row.state, row.seen, row.total = ExportState.RUNNING, 25, 100
    page = await browser.get("/exports")
    assert '<progress value="25" max="100"' in page
    await browser.post(f"/exports/{row.id}/cancel")
    page = await browser.get("/exports")
    assert "已取消" in page and "/cancel" not in page
    await browser.get(f"/exports/{row.id}/file", 404)


async def test_wrong_orders_are_refused(browser: Browser, street: Street) -> None:
    for form in ({"table": "secrets"}, {"format": "pdf"}, {"table": ""}):
        await browser.post("/exports", 400, {"table": "audit", "format": "csv"} | form)
    for _ in range(5):
        await order(browser)
    text = await browser.post("/exports", 429, {"table": "audit", "format": "csv"})
    assert "请等它们写好" in text
    await browser.post("/exports/12/cancel", 404)
    await browser.get("/exports/12/file", 404)
    await browser.post("/exports", 403, {"table": "audit", "format": "csv"}, Origin="http://evil.example")


async def test_what_a_reader_may_not_see_is_neither_listed_nor_exported(
    browser: Browser, lamps: Street, exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "areas", lambda request: ("CTM-0101",))
    page = await browser.get("/lists?start=&end=&area=CTM-02")
    assert cells(page) == [] and 'value="CTM-0201"' not in page
    await order(browser, table="tickets", area="CTM")
    await exports.step()
    content = (await fetch(browser, await browser.get("/exports"))).decode("utf-8-sig")
    assert {row["网格"] for row in csv.DictReader(io.StringIO(content))} == {"滨江路网格"}
    monkeypatch.setattr(reach, "sees", lambda request, export: False)
    assert "还没有导出过" in await browser.get("/exports")


async def test_strangers_get_nothing(stranger: Browser, lamps: Street) -> None:
    for path in ("/lists", "/exports", "/exports/1/file"):
        await stranger.get(path, 401)
    await stranger.post("/exports", 401, {"table": "audit", "format": "csv"})
