"""/digest: what it shows, to whom, and where it leads."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.organisation import Person, Role
from tests.web.conftest import Browser
from tests.web.street import NOON, Street, some_tickets, ticket

PAGE = "/digest/2026-07-12/evening"


@pytest.fixture
def filled(street: Street) -> Street:
    some_tickets(street)
    street.now = NOON + timedelta(minutes=1)
    return street


async def test_the_newest_leads_to_the_last_evening(browser: Browser, filled: Street) -> None:
    assert "7月10日 18:00 – 7月11日 18:00" in await browser.get("/digest")
    filled.now = NOON + timedelta(hours=6)
    assert "7月11日 18:00 – 7月12日 18:00" in await browser.get("/digest")


async def test_all_figures_with_what_was_left_out(browser: Browser, filled: Street) -> None:
    page = await browser.get(PAGE)
    assert "还没到点" in page
    for words in (
        "响应率",
        "解决率",
        "满意率",
        "按期结案率",
        "返工率",
        "延期率",
        "近 14 天新报",
        "在办最久",
        "机器人判得对不对",
    ):
        assert words in page
    assert 'href="/tickets/CTM0712-001"' in page
    assert "<b>3</b>" in page  # open ones
    assert 'href="/digest/2026-07-11/evening?area=CTM"' in page
    assert "后一天" not in page


@pytest.mark.parametrize("kind", ["morning", "evening", "weekly"])
async def test_each_kind_with_its_picture(browser: Browser, filled: Street, kind: str) -> None:
    filled.now = NOON + timedelta(days=1)
    page = await browser.get(f"/digest/2026-07-13/{kind}?area=CTM-01")
    assert "江岸社区" in page
    async with browser.client.get(f"/digest/2026-07-13/{kind}/card.png?area=CTM-01") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert (await answer.read()).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "path",
    [
        "/digest/2026-07-32/evening",
        "/digest/2026-07-12/noon",
        "/digest/2027-01-01/evening",
        "/digest/0001-01-01/evening",
        "/digest/9999-12-31/weekly",
        f"{PAGE}?area=nowhere",
    ],
)
async def test_what_is_no_digest(browser: Browser, filled: Street, path: str) -> None:
    await browser.get(path, status=404)


async def test_others_areas_are_not_there(stranger: Browser, filled: Street) -> None:
    await stranger.sign_in(filled.parts, "fan")
    page = await stranger.get(PAGE)
    assert "江岸社区日报" in page and "CTM0712-002" not in page and "石梯" not in page
    for path in (PAGE, f"{PAGE}/card.png"):
        for area in ("CTM", "CTM-02", "CTM-0201"):
            await stranger.get(f"{path}?area={area}", status=404)
    await stranger.get(f"{PAGE}?area=CTM-0101")


async def test_it_is_for_those_who_work_here(stranger: Browser, filled: Street) -> None:
    async with stranger.client.get(PAGE, allow_redirects=False) as answer:
        assert answer.status in {302, 303, 401}
    filled.put(Person(id="lei", name="雷居民", role=Role.RESIDENT, area="CTM-01"))
    await stranger.sign_in(filled.parts, "lei", status=401)


async def test_words_of_people_are_no_markup(browser: Browser, street: Street) -> None:
    more: dict[str, Any] = {"place": "<b>滨江</b>路", "summary": "<script>alert(1)</script>"}
    street.keep(ticket(21, **more))
    street.now = NOON + timedelta(minutes=1)
    page = await browser.get(PAGE)
    assert "<script>alert" not in page and "<b>滨江" not in page
