from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.web import board
from bot.web.app import make_app
from tests.web.conftest import Browser
from tests.web.street import Street, make_street


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1", "["]
)
async def test_a_loopback_bot_answers_to_loopback_names_only(browser: Browser, host: str) -> None:
    await browser.get("/board", 403, Host=host)
    await browser.get("/healthz", 403, Host=host)


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:1", "[::1]:8080"])
async def test_forwarded_ports_and_other_loopback_names_are_fine(browser: Browser, host: str) -> None:
    await browser.get("/board", 200, Host=host)


async def test_a_bot_bound_to_a_network_answers_to_any_name(tmp_path: Path, sqlite_url: str) -> None:
    street = make_street(tmp_path, sqlite_url, host="0.0.0.0")
    async with TestClient(TestServer(make_app(street.parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(client)
        await browser.sign_in(street.parts)
        await browser.get("/board", 200, Host="grid.street.example")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:1"])
async def test_posts_from_other_sites_are_refused(browser: Browser, street: Street, origin: str) -> None:
    form = {"room": "river", "me": "tang", "text": "在吗"}
    for path in ("/chat/say", "/signout", "/replies/1/retry", "/replies/1/drop"):
        await browser.post(path, 403, form, Origin=origin)
    await browser.get("/board")
    assert street.heard == []


async def test_pages_forbid_scripts_that_are_not_ours(browser: Browser) -> None:
    async with browser.client.get("/board", headers={"Accept": "text/html"}) as answer:
        policy = answer.headers["Content-Security-Policy"]
        text = await answer.text()
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "<script>" not in text and "style=" not in text and "onclick" not in text


async def test_an_unknown_page_is_a_page(browser: Browser) -> None:
    assert "没有这个页面" in await browser.get("/nope", 404)
    assert "没有这个页面" in await browser.get("/tickets/CTM0712-999", 404)
    assert "没有这个页面" in await browser.get("/static/../settings.py", 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/board?label=%00", 400),
        ("/tickets/%00", 400),
        ("/tickets/%ff", 404),
        ("/tickets/" + "9" * 5000, 404),
        ("/tickets/CTM0712-001/pictures/9999999999999999999", 404),
        ("/board?label=%ff%fe&area=%F0%9F&room=/&urgency=-1&page=-1&page=99999999999999999999", 200),
        ("/chat?room=%ff&me=guest:", 200),
        ("/chat/lines?before=99999999999999", 200),
    ],
)
async def test_strange_addresses_are_answered(browser: Browser, path: str, status: int) -> None:
    async with browser.client.session.get(URL(browser.origin + path, encoded=True)) as answer:
        assert answer.status == status


async def test_a_failure_shows_a_reference_and_no_trace(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("秘密")

    monkeypatch.setattr(board.board, "board", fail)
    text = await browser.get("/board", 500)
    assert "秘密" not in text and "Traceback" not in text and "编号" in text
    reference = text.partition("<code>")[2].partition("</code>")[0]
    assert len(reference) == 8
    assert reference in capsys.readouterr().out
