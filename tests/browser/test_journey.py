"""From a message in a group to a closed ticket, with the real bot, in real tabs."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from bot.app import App, running
from bot.settings import OutboxSettings, Settings, StorageSettings, WebSettings
from handlers.lifecycle import State
from tests.browser.conftest import enter

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"CTM\d{4}-\d{3}")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(
        organisation=ROOT / "organisation.yaml",
        storage=StorageSettings(url=f"sqlite:///{tmp_path / 'bot.db'}", media=tmp_path / "media"),
        web=WebSettings(port=0),
        outbox=OutboxSettings(group_seconds=0.05, account_seconds=0.05),
    )
    async with running(settings) as app:
        yield app


@pytest.fixture
async def window(chromium: Browser, app: App) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context()
    page = await context.new_page()
    await enter(page, app.sign_in_url())
    await page.close()
    yield context
    await context.close()


async def tab(window: BrowserContext, app: App, me: str, room: str) -> Page:
    page = await window.new_page()
    await page.goto(f"{app.url}chat?room={room}&me={me}")
    return page


async def say(page: Page, text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.locator("textarea").press("Enter")


def answers(page: Page) -> Locator:
    return page.locator(".line.from-bot .text")


async def test_from_report_to_closed_ticket(window: BrowserContext, app: App) -> None:
    texts = app.worlds().texts
    resident, owner = await tab(window, app, "tang", "river"), await tab(window, app, "zhou", "river")
    street = await tab(window, app, "pu", "command")

    await say(resident, "江岸大厦负二楼车库进水了 有人被困")
    for page in (resident, owner, street):
        await expect(answers(page).first).to_have_text(NUMBER)
    await expect(answers(resident).first).to_contain_text(re.compile("11[09]|120"))
    await expect(owner.locator(".line.calls-me")).to_have_count(1)
    found = NUMBER.search(await answers(resident).first.inner_text())
    assert found is not None

    checked = (street, f"#核查 {found[0]} 通过")  # a large matter: somebody else looks at what was done
    steps = ((owner, "#接单"), (owner, "#到场"), (owner, "#办结 水已抽干"), checked)
    for count, (speaker, said) in enumerate(steps, start=2):
        await say(speaker, said)
        for page in (resident, owner):
            await expect(answers(page)).to_have_count(count)
            await expect(answers(page).last).to_contain_text(found[0])
    await expect(answers(resident).last).to_contain_text("水已抽干")

    board = await window.new_page()
    await board.goto(f"{app.url}board?state=closed")
    card = board.locator(".card", has_text=found[0])
    await expect(card.locator(".state")).to_contain_text(texts(f"names.state.{State.CLOSED}"))
    await card.locator("a").click()
    await expect(board.locator("h1")).to_have_text(found[0])
    for words in ("江岸大厦负二楼车库进水了 有人被困", "水已抽干"):
        await expect(board.locator("#story")).to_contain_text(words)
    # Each of the bot's messages in the group stands in the story, as sent.
    sent = board.locator(".entries li", has=board.locator(".r-sent"))
    for line in await answers(resident).all_inner_texts():
        await expect(sent.filter(has_text=line.splitlines()[0])).not_to_have_count(0)


async def test_the_open_board_follows_the_group(window: BrowserContext, app: App) -> None:
    board = await window.new_page()
    await board.goto(f"{app.url}board")
    await expect(board.locator(".card")).to_have_count(0)
    resident = await tab(window, app, "peng", "stairs")
    await say(resident, "石梯坎12号楼道里有很浓的煤气味")
    await expect(board.locator(".card")).to_have_count(1)
    await say(resident, "#撤回")
    await expect(board.locator(".card")).to_have_count(0)


async def test_quoting_the_bot_names_the_ticket(window: BrowserContext, app: App) -> None:
    resident, owner = await tab(window, app, "tang", "river"), await tab(window, app, "zhou", "river")
    await say(resident, "江岸大厦负二楼车库进水了")
    await expect(answers(owner)).to_have_count(1)
    line = owner.locator(".line.from-bot").first
    await line.hover()
    await line.get_by_role("button", name="引用").click()
    await say(owner, "#接单")
    await expect(answers(resident)).to_have_count(2)
    await expect(answers(resident).last).to_contain_text("周网格长")


async def test_private_help(window: BrowserContext, app: App) -> None:
    page = await tab(window, app, "tang", "~bot")
    await say(page, "#帮助")
    await expect(answers(page)).to_contain_text("#进度")


async def test_on_a_phone(window: BrowserContext, app: App, tmp_path: Path) -> None:
    page = await tab(window, app, "tang", "river")
    await page.set_viewport_size({"width": 360, "height": 740})
    await say(page, "江岸大厦负二楼车库进水了 有人被困")
    await expect(answers(page)).to_have_count(1)
    await page.screenshot(path=tmp_path / "phone.png")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    for part in (page.locator("textarea"), answers(page).last, page.locator(".rooms"), page.locator("#me")):
        await expect(part).to_be_in_viewport()
