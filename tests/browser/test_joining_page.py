"""The joining codes' page in a real browser: on a phone, by keyboard, in the dark; the code works at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.app import App, running
from bot.settings import OutboxSettings, Settings, StorageSettings, WebSettings
from tests.browser.conftest import enter
from tests.support.classifier import WordClassifier

ROOT = Path(__file__).parents[2]


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


@pytest.fixture(params=["light", "dark"])
async def page(request: pytest.FixtureRequest, chromium: Browser, app: App) -> AsyncIterator[Page]:
    """A phone, signed in; an error in a script or against the security policy fails the test."""
    phone = {"width": 360, "height": 740}
    context = await chromium.new_context(color_scheme=request.param, viewport=phone)  # type: ignore[arg-type]
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if "Security" in said.text else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = await context.new_page()
    await enter(page, app.sign_in_url())
    await page.goto(f"{app.url}joining")
    yield page
    await context.close()
    assert complaints == []


async def test_a_code_from_the_phone_to_the_role(page: Page, app: App) -> None:
    await page.get_by_label("名字").fill("小秦")
    await page.get_by_label("名字").press("Enter")  # by keyboard alone
    code = await page.locator("output.code").inner_text()
    assert len(code) == 9
    await expect(page.locator(".rows tbody tr", has_text="小秦")).to_have_count(1)
    for path in ("joining", "groups", "reviews"):
        await page.goto(app.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        rows = await page.locator(".top nav a").evaluate_all("all => new Set(all.map(a => a.offsetTop)).size")
        assert rows == 1, path
    await page.goto(f"{app.url}chat?room=~bot&me=new&name=小秦本人")
    await page.locator("textarea").fill(code.lower())
    await page.locator("textarea").press("Enter")
    await expect(page.locator(".line", has_text="小秦您好，您现在是朝天街道网格员")).to_have_count(1)
    await page.goto(f"{app.url}joining")
    await expect(page.get_by_text("没有还能用的码")).to_be_visible()


async def test_revoking_by_keyboard(page: Page) -> None:
    await page.get_by_role("button", name="做一个绑群码").press("Enter")
    await expect(page.locator("output.code")).to_be_visible()
    await page.get_by_role("button", name="收回").press("Enter")
    await expect(page.get_by_text("没有还能用的码")).to_be_visible()
