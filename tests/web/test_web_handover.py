"""The hand-over sheet as page, text and file, and what the ticket's page tells of level, track and check."""

from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.web.handover import as_html
from handlers.handover_sheet import sheet, sheet_text
from storage.database import Database
from storage.tables import Attachment, Ticket, TicketUnit
from tests.support.street import Street as Played
from tests.web.conftest import Browser
from tests.web.street import NOON, Street, some_tickets


@pytest.fixture
def played(sqlite_url: str) -> Played:
    """A matter that went to the district, with two reporters, a unit's part and a remark."""
    street = Played(Database(sqlite_url, durable=False))
    street.say("river", "tang", "江岸大厦负二楼车库进水了")
    street.say("river", "甲", "江岸大厦负二楼车库进水了<b>快来</b>")
    street.clock.move(minutes=5)
    street.say("river", "zhou", "#到场")
    street.say("river", "zhou", "#反馈 两台泵在抽")
    street.say("", "zhou", "#备注 1 物业不配合")
    street.say("river", "zhou", "#反馈 说错了")
    street.say("river", "zhou", "#撤销")
    street.say("river", "zhou", "#转街道 泵不够")
    street.say("command", "pu", "#转区 1 没有大流量排涝车")
    with street.database.transaction() as session:
        ticket = session.exec(select(Ticket)).one()
        session.add(TicketUnit(ticket_id=ticket.id, unit="fire", name="消防", notified_at=street.clock()))
        for message in street.messages()[:2]:
            session.add(Attachment(message_id=message.id, ticket_id=ticket.id, due_at=street.clock()))
    return street


def _text(street: Played) -> str:
    with street.context() as ctx:
        return sheet_text(sheet(ctx, ctx.session.exec(select(Ticket)).one()))


def test_the_sheet_holds_what_the_next_platform_asks_for(played: Played) -> None:
    text = _text(played)
    for line in (
        "朝天街道转区办理单 CTM0713-001",
        "类别：汛情 今天要办 小事",
        "区域：朝天街道 > 江岸社区 > 滨江路网格",
        "地点：江岸大厦负二楼车库",
        "上报：2026-07-13 10:00",
        "受理：2026-07-13 10:05",
        "到场：2026-07-13 10:05",
        "逐级上报：2026-07-13 10:05 街道；2026-07-13 10:05 区",
        "首次反映：江岸大厦负二楼车库进水了",
        "反映：2人，1个群",
        "图片：2张",
        "反映人评价：还没有",
        "状态：处置中（区）",
        "承办：周网格长",
        "联动单位：消防 已通知",
        "街道办不了的原因：没有大流量排涝车",
        "联系人：蒲指挥（指挥中心）",
        "2026-07-13 10:05 周网格长 反馈：两台泵在抽",
        "请区里接收并派有关部门处置，结果请告诉蒲指挥（指挥中心）。",
    ):
        assert line in text.splitlines(), line


def test_the_sheet_tells_no_remark_and_nothing_that_was_taken_back(played: Played) -> None:
    text = _text(played)
    assert "物业不配合" not in text
    assert "说错了" not in text


def test_the_sheet_is_bounded_whatever_was_said(played: Played) -> None:
    for round in range(30):
        played.say("river", "zhou", f"#反馈 第{round}次看：" + "水还在涨" * 200)
    text = _text(played)
    assert len(text) < 2000
    assert "第29次看" in text
    assert "第19次看" not in text


def test_the_page_shows_what_the_text_says(played: Played) -> None:
    with played.context() as ctx:
        made = sheet(ctx, ctx.session.exec(select(Ticket)).one())
    page = as_html(made, alone=True)
    assert "<b>快来</b>" not in page
    for section in made.sections:
        assert all(row.value in page for row in section.rows if ">" not in row.value)
    assert all(step in page for step in made.steps)
    assert "/static/" not in page
    assert "size: A4" in page


def test_the_command_prints_the_text_and_writes_the_page(
    played: Played, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    monkeypatch.setenv("GRIDBOT_STORAGE__URL", sqlite_url)
    file = tmp_path / "sheet.html"
    done = CliRunner().invoke(cli, ["sheet", "ctm0713-001", "--out", str(file)])
    assert done.exit_code == 0, done.output
    assert "街道办不了的原因：没有大流量排涝车" in done.output
    assert "朝天街道转区办理单" in file.read_text("utf-8")
    missing = CliRunner().invoke(cli, ["sheet", "CTM0713-999"])
    assert missing.exit_code == 2
    assert "there is no ticket CTM0713-999" in missing.output


async def test_the_sheet_has_a_page(browser: Browser, street: Street) -> None:
    some_tickets(street)
    page = await browser.get("/tickets/CTM0712-001/handover")
    assert "朝天街道转区办理单" in page
    assert '<link rel="stylesheet" href="/static/sheet.css">' in page
    await browser.get("/tickets/CTM0712-999/handover", status=404)


async def test_only_who_is_signed_in_sees_it(stranger: Browser, street: Street) -> None:
    some_tickets(street)
    async with stranger.client.get("/tickets/CTM0712-001/handover", allow_redirects=False) as answer:
        assert "转区办理单" not in await answer.text()


async def test_a_tickets_page_tells_track_levels_check_and_remarks(browser: Browser, street: Street) -> None:
    played = Played(street.database)
    played.clock.now = NOON
    played.say("river", "tang", "江岸大厦有人被困")
    played.say("", "zhou", "#备注 1 门卫有钥匙")
    played.say("river", "zhou", "#转街道 人手不够")
    played.say("command", "pu", "#交回 1 消防到了，请网格配合")
    number = played.tickets()[-1].number
    page = await browser.get(f"/tickets/{number}")
    for words in (
        "大事",
        "网格 → 街道",
        "街道 → 社区",
        "人手不够",
        "门卫有钥匙",
        "办完要另一人核查",
        "转区办理单",
    ):
        assert words in page, words
    played.say("river", "zhou", "#办结 人出来了")
    assert "等人核查" in await browser.get(f"/tickets/{number}")
    played.say("command", "pu", "#核查 1 通过")
    assert "蒲指挥核查通过" in await browser.get(f"/tickets/{number}")
