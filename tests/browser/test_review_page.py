"""The review list in a real browser: one tap on a phone, and two browsers at once."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.app import App, running
from bot.settings import OutboxSettings, Settings, StorageSettings, WebSettings
from tests.browser.conftest import enter
from tests.support.classifier import WordClassifier

ROOT = Path(__file__).parents[2]
PHONE = {"width": 360, "height": 740}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(
        organisation=ROOT / "organisation.yaml",
        storage=StorageSettings(url=f"sqlite:///{tmp_path / 'bot.db'}", media=tmp_path / "media"),
        web=WebSettings(port=0),
        outbox=OutboxSettings(group_seconds=0.05, account_seconds=0.05),
    )
    async with running(settings, classifier=WordClassifier()) as app:
        yield app


@pytest.fixture
async def window(chromium: Browser, app: App) -> AsyncIterator[BrowserContext]:
    """Signed in; an error in a script or against the security policy fails the test."""
    context = await chromium.new_context()
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if "Security" in said.text else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = await context.new_page()
    await enter(page, app.sign_in_url())
    await page.close()
    yield context
    await context.close()
    assert complaints == []


async def tab(window: BrowserContext, url: str, size: dict[str, int] | None = None) -> Page:
    page = await window.new_page()
    if size:
        await page.set_viewport_size(size)  # type: ignore[arg-type]
    await page.goto(url)
    return page


async def say(page: Page, text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.locator("textarea").press("Enter")
    await expect(page.locator(".line.mine", has_text=text)).to_have_count(1)


async def test_one_tap_on_a_phone(window: BrowserContext, app: App, tmp_path: Path) -> None:
    chat = await tab(window, f"{app.url}chat?room=stairs&me=peng")
    board = await tab(window, f"{app.url}reviews", PHONE)
    await expect(board.locator(".nothing")).to_be_visible()
    for text in (
        "你们楼道里闻到没有",
        "石梯坎3号楼道有股怪味",
        "晚上楼上又在喊叫，听着吓人" + "，真的吓人" * 12,
    ):
        await say(chat, text)
    cards = board.locator(".reviews .card")
    await expect(cards).to_have_count(2)
    await expect(board.locator("nav .count")).to_have_text("2")
    await expect(cards.first).to_have_class(re.compile("u3"))
    await expect(cards.nth(1).locator(".before li").first).to_contain_text("闻到没有")
    await board.screenshot(path=tmp_path / "phone.png", full_page=True)
    assert await board.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for button in await cards.first.locator("button").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 40
        assert box["x"] + box["width"] <= PHONE["width"]

    await cards.nth(1).get_by_role("button", name="建单").click()
    await expect(board.get_by_role("status")).to_contain_text(re.compile(r"已建单：CTM\d{4}-001"))
    await expect(cards).to_have_count(1)
    await expect(chat.locator(".line.from-bot .text")).to_contain_text("石梯坎3号")
    await cards.first.get_by_role("button", name="不是").click()
    await expect(board.locator(".nothing")).to_be_visible()
    await expect(board.locator("nav .count")).to_be_empty()
    await expect(chat.locator(".line.from-bot")).to_have_count(1)


async def test_two_browsers_decide(window: BrowserContext, app: App, tmp_path: Path) -> None:
    chat = await tab(window, f"{app.url}chat?room=stairs&me=peng")
    await say(chat, "石梯坎3号楼道有股怪味")
    one = await tab(window, f"{app.url}reviews", {"width": 1280, "height": 800})
    await expect(one.locator(".reviews .card")).to_have_count(1)
    await one.screenshot(path=tmp_path / "desktop.png")
    # The other browser hears nothing of it: as if its connection was slow.
    other = await window.new_page()
    await other.route("**/live", lambda route: route.abort())
    await other.goto(f"{app.url}reviews")
    await one.get_by_role("button", name="服务").click()
    await expect(one.get_by_role("status")).to_contain_text("已改类建单")
    await other.get_by_role("button", name="不是").click()
    await expect(other.get_by_role("status")).to_contain_text("之前已经处理过")
    await expect(other.get_by_role("status").locator("a")).to_have_text(re.compile(r"CTM\d{4}-001"))
    await expect(other.locator(".nothing")).to_be_visible()
