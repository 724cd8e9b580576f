"""The chat page and the board in a real browser, with a stub where the bot would be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from bot.gateways.base import GatewayEvent
from bot.live import MISSED, TICKETS
from bot.web.app import make_app
from bot.web.signin import new_url
from handlers.incoming import Incoming
from tests.browser.conftest import enter
from tests.web.street import PNG, Street, make_street, message, some_tickets, ticket

PHONE = {"width": 360, "height": 740}


@dataclass
class Site:
    url: str
    street: Street

    def link(self) -> str:
        port = int(self.url.rpartition(":")[2])
        return new_url(self.street.database, self.street.parts.settings, self.street.parts.clock, port)


@pytest.fixture
async def site(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Site]:
    street = make_street(tmp_path, sqlite_url, ticking=True)

    async def bot(event: GatewayEvent) -> None:
        await street.sink(event)
        if isinstance(event, Incoming) and "进水" in event.text:
            await street.answer(event.room, "CTM0712-001 已记下：汛情，江岸大厦。")

    runner = web.AppRunner(make_app(street.parts))
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    port = runner.addresses[0][1]
    gateway = asyncio.create_task(street.local.run(bot))
    yield Site(f"http://127.0.0.1:{port}", street)
    gateway.cancel()
    with suppress(asyncio.CancelledError):
        await gateway
    await runner.cleanup()
    street.database.close()


@pytest.fixture
async def window(chromium: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """A signed-in browser; an error in a script or against the security policy fails the test."""
    context = await chromium.new_context()
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if "Security" in said.text else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = await context.new_page()
    await enter(page, site.link())
    await page.close()
    yield context
    await context.close()
    assert complaints == []


async def tab(window: BrowserContext, site: Site, me: str, room: str = "river") -> Page:
    page = await window.new_page()
    await page.goto(f"{site.url}/chat?room={room}&me={me}")
    return page


async def say(page: Page, text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.locator("textarea").press("Enter")


async def test_two_tabs_talk_and_the_bot_answers_both(window: BrowserContext, site: Site) -> None:
    resident, owner = await tab(window, site, "tang"), await tab(window, site, "zhou")
    await say(resident, "江岸大厦车库进水了")
    for page in (resident, owner):
        await expect(page.locator(".line")).to_have_count(2)
        await expect(page.locator(".line.from-bot")).to_contain_text("CTM0712-001 已记下")
    await expect(resident.locator(".line.mine")).to_contain_text("江岸大厦车库进水了")
    await expect(owner.locator(".line.mine")).to_have_count(0)
    await expect(resident.locator("textarea")).to_have_value("")
    await say(owner, "一\n二")
    await say(owner, "三")
    await expect(resident.locator(".line")).to_have_count(4)
    before = await resident.locator(".line").all_inner_texts()
    await resident.reload()
    await expect(resident.locator(".line")).to_have_count(4)
    assert await resident.locator(".line").all_inner_texts() == before
    link = resident.locator(".from-bot a")
    assert await link.get_attribute("href") == "/tickets/CTM0712-001"


async def test_a_tab_stays_the_person_it_was(window: BrowserContext, site: Site) -> None:
    page = await tab(window, site, "peng")
    await page.goto(f"{site.url}/chat")
    await expect(page.locator("#me")).to_have_value("peng")
    await page.locator("#me").select_option("zhou")
    await expect(page.locator("textarea")).to_have_attribute("placeholder", "以周网格长的身份说…")
    await page.locator("#me").select_option("new")
    await page.get_by_placeholder("怎么称呼").fill("小陈")
    await page.get_by_placeholder("怎么称呼").press("Enter")
    await say(page, "新来的，大家好")
    await expect(page.locator(".line.mine")).to_contain_text("小陈")


async def test_quote_mention_and_picture(window: BrowserContext, site: Site, tmp_path: Path) -> None:
    resident, owner = await tab(window, site, "tang"), await tab(window, site, "zhou")
    await say(resident, "江岸大厦车库进水了")
    bot_line = owner.locator(".line.from-bot")
    await bot_line.hover()
    await bot_line.get_by_role("button", name="引用").click()
    await expect(owner.locator(".quoting")).to_contain_text("CTM0712-001")
    await say(owner, "#接单")
    await expect(resident.locator(".line blockquote")).to_contain_text("CTM0712-001 已记下")
    assert site.street.heard[-1].quote is not None
    await expect(owner.locator(".quoting")).to_be_hidden()

    await resident.locator("textarea").press_sequentially("请@周")
    await expect(resident.locator("#names li")).to_have_text(["周网格长"])
    await resident.locator("textarea").press("Enter")
    await resident.locator("textarea").press_sequentially("看一下")
    await resident.locator("textarea").press("Enter")
    await expect(owner.locator(".line.calls-me")).to_contain_text("请@周网格长 看一下")
    assert site.street.heard[-1].mentions == ("zhou",)

    file = tmp_path / "water.png"
    file.write_bytes(PNG)
    await resident.locator("input[type=file]").set_input_files(file)
    await expect(resident.locator(".attached img")).to_be_visible()
    await resident.get_by_role("button", name="发送").click()
    await expect(owner.get_by_alt_text("唐孃孃发的图片")).to_be_visible()
    await expect(resident.locator(".attached")).to_be_hidden()


async def test_other_groups_show_that_something_is_new(window: BrowserContext, site: Site) -> None:
    here, there = await tab(window, site, "tang"), await tab(window, site, "peng", "stairs")
    await say(there, "路灯坏了")
    dot = here.locator('.rooms a[data-room="stairs"] .unread')
    await expect(dot).to_be_visible()
    await here.locator('.rooms a[data-room="stairs"]').click()
    await expect(here.locator(".line")).to_contain_text("路灯坏了")
    await expect(dot).to_be_hidden()


async def test_what_is_said_is_never_run(window: BrowserContext, site: Site) -> None:
    page = await tab(window, site, "tang")
    for text in ("<script>document.title='x'</script>", "<img src=x onerror=\"document.title='x'\">"):
        await say(page, text)
        await expect(page.locator(".line .text").last).to_have_text(text)
    assert await page.locator(".line script, .line img").count() == 0
    assert await page.title() != "x"


async def test_what_was_not_sent_is_kept_and_said_so(window: BrowserContext, site: Site) -> None:
    page = await tab(window, site, "tang")
    await page.route("**/chat/say", lambda route: route.abort())
    await say(page, "很长的一段话")
    await expect(page.get_by_role("alert")).to_contain_text("没有发出去")
    await expect(page.locator("textarea")).to_have_value("很长的一段话")


async def test_a_lost_stream_is_caught_up(window: BrowserContext, site: Site) -> None:
    page = await tab(window, site, "tang")
    await expect(page.locator(".offline")).to_be_hidden()
    # A line whose news this tab never got: it is there after the word that something was missed.
    site.street.keep(message("river", "peng", "断线时说的", at=site.street.parts.clock()))
    site.street.live.publish(MISSED)
    await expect(page.locator(".line")).to_contain_text("断线时说的")


async def seen(page: Page, yes: bool) -> None:
    """As if the tab came to the front or went behind others."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        not yes,
    )


async def test_many_tabs_behind_others_catch_up_when_seen(window: BrowserContext, site: Site) -> None:
    """A browser grants a host six connections: tabs that nobody sees must not use them up."""
    tabs = []
    for me in ("peng", "ye", "deng", "luo", "fan", "he", "qin", "xiong"):
        tabs.append(await tab(window, site, me))
        await seen(tabs[-1], False)
    front = await tab(window, site, "tang")
    await say(front, "江岸大厦车库进水了")
    await expect(front.locator(".line")).to_have_count(2)
    await say(await tab(window, site, "tang", "stairs"), "路灯坏了")
    await expect(tabs[0].locator(".line")).to_have_count(0)
    await seen(tabs[0], True)
    await expect(tabs[0].locator(".line")).to_have_count(2)
    await expect(tabs[0].locator('.rooms a[data-room="stairs"] .unread')).to_be_visible()


async def test_the_board_shows_what_happened_before_it_listened(window: BrowserContext, site: Site) -> None:
    page = await window.new_page()

    async def late(route: Route) -> None:
        site.street.keep(ticket(77, summary="又一处进水"))
        site.street.live.publish(TICKETS)
        await route.continue_()

    await page.route("**/live", late)
    await page.goto(f"{site.url}/board?label=flood")
    await expect(page.locator(".cards .card")).to_have_count(1)


async def test_the_board_changes_by_itself(window: BrowserContext, site: Site) -> None:
    some_tickets(site.street)
    page = await window.new_page()
    await page.goto(f"{site.url}/board?label=flood")
    await expect(page.locator(".cards .card")).to_have_count(1)
    site.street.keep(ticket(77, summary="又一处进水"), ticket(78, label="safety"))
    site.street.live.publish(TICKETS)
    await expect(page.locator(".cards .card")).to_have_count(2)
    await page.locator("select[name=label]").select_option("")
    await expect(page.locator(".cards .card")).to_have_count(5)
    assert "label=&" in page.url, "the filters stand in the address"
    site.street.keep(ticket(79, label="service"))
    site.street.live.publish(TICKETS)
    await expect(page.locator(".cards .card")).to_have_count(6)
    await page.locator("#t-CTM0712-077").press("Enter")
    await expect(page.locator("h1")).to_have_text("CTM0712-077")


async def test_a_reply_is_dropped_after_asking(window: BrowserContext, site: Site) -> None:
    some_tickets(site.street)
    page = await window.new_page()
    await page.goto(f"{site.url}/replies")
    await expect(page.locator("#unsent li")).to_have_count(2)
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await page.get_by_role("button", name="不发了").first.click()
    await expect(page.locator("#unsent li")).to_have_count(1)


@pytest.mark.parametrize(
    "path", ["/chat?room=river&me=tang", "/board", "/tickets/CTM0712-001", "/groups", "/replies"]
)
async def test_nothing_is_wider_than_a_phone(window: BrowserContext, site: Site, path: str) -> None:
    some_tickets(site.street)
    long = "https://example.org/" + "很长" * 60 + "x" * 200
    site.street.keep(ticket(9, summary=long, place=long, reporter_name=long))
    page = await window.new_page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.goto(site.url + path)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if path.startswith("/chat"):
        await say(page, long)
        await expect(page.locator(".line.mine").last).to_be_in_viewport()
        assert await page.evaluate("document.querySelector('.scroll').scrollWidth") <= PHONE["width"]
        await expect(page.get_by_role("button", name="发送")).to_be_in_viewport()
