from datetime import timedelta

import pytest
from sqlmodel import select

from bot.web.signin import new_url
from storage import signin
from storage.tables import SignIn, WebSession
from tests.web.conftest import Browser
from tests.web.street import Street


def link(street: Street, path: str = "/board") -> str:
    url = new_url(street.database, street.parts.settings, street.parts.clock, 8123)
    assert url.startswith("http://127.0.0.1:8123/?token=")
    return f"{path}?{url.partition('?')[2]}"


@pytest.mark.parametrize(
    "path", ["/", "/chat", "/board", "/tickets/CTM0712-001", "/groups", "/replies", "/x"]
)
async def test_without_a_session_every_page_asks_for_a_link(stranger: Browser, path: str) -> None:
    assert "gridbot link" in await stranger.get(path, 401)
    await stranger.get(path, 401, **{"HX-Request": "true"})


async def test_posts_and_streams_need_a_session_too(stranger: Browser) -> None:
    await stranger.post("/chat/say", 401, {"room": "river", "me": "tang", "text": "在吗"})
    await stranger.post("/replies/1/retry", 401)
    await stranger.get("/live", 401)
    await stranger.get("/chat/events?room=river&me=tang", 401)


async def test_a_link_signs_in_once_and_leaves_the_address(stranger: Browser, street: Street) -> None:
    path = link(street, "/board?state=all").replace("?token", "&token")
    async with stranger.client.get(path, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/board?state=all"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    await stranger.get("/board")
    stranger.client.session.cookie_jar.clear()
    assert "已经用过" in await stranger.get(path, 401)


async def test_signin_path_takes_a_token_and_leads_to_the_landing(stranger: Browser, street: Street) -> None:
    assert "gridbot link" in await stranger.get("/signin", 401)
    assert "滨江路网格群" in await stranger.get(link(street, "/signin"))
    async with stranger.client.get("/signin", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/"


async def test_head_and_prefetch_do_not_spend_the_token(stranger: Browser, street: Street) -> None:
    path = link(street)
    async with stranger.client.head(path) as answer:
        assert answer.status == 200
    await stranger.get(path, 200, **{"Sec-Purpose": "prefetch"})
    await stranger.get("/board", 401)
    await stranger.get(path)
    await stranger.get("/board")


async def test_who_is_signed_in_does_not_spend_another_token(browser: Browser, street: Street) -> None:
    path = link(street)
    await browser.get(path)
    browser.client.session.cookie_jar.clear()
    await browser.get(path)


async def test_an_expired_link_and_an_expired_session_are_refused(stranger: Browser, street: Street) -> None:
    path = link(street)
    street.now += timedelta(hours=13)
    assert "过期" in await stranger.get(path, 401)
    await stranger.get(link(street))
    await stranger.get("/board")
    street.now += timedelta(days=15)
    await stranger.get("/board", 401)
    await stranger.get(link(street))
    with street.database.reading() as session:
        assert len(session.exec(select(WebSession)).all()) == 1, "expired sessions are swept"
        assert len(session.exec(select(SignIn)).all()) == 1, "expired links are swept"


@pytest.mark.parametrize("token", ["", "x", "%ff%fe", "é" * 400])
async def test_an_unknown_token_is_refused(stranger: Browser, token: str) -> None:
    await stranger.get(f"/?token={token}", 401)


async def test_a_token_never_leads_to_another_host(stranger: Browser, street: Street) -> None:
    path = link(street, "//evil.example/")
    async with stranger.client.session.get(stranger.origin + path, allow_redirects=False) as answer:
        assert answer.headers["Location"].startswith("/evil")


async def test_sign_out_ends_the_session_in_the_database(browser: Browser, street: Street) -> None:
    assert "gridbot link" in await browser.post("/signout", 401)
    await browser.get("/board", 401)
    with street.database.reading() as session:
        assert not session.exec(select(WebSession)).all()


def test_only_hashes_are_kept_and_the_row_decides(street: Street) -> None:
    with street.database.transaction() as session:
        token = signin.make_link_token(session, street.now, timedelta(minutes=5))
        cookie = signin.make_session(session, street.now, timedelta(days=1))
    with street.database.reading() as session:
        kept = [row.token_hash for row in session.exec(select(SignIn)).all()]
        kept += [row.token_hash for row in session.exec(select(WebSession)).all()]
        assert token not in kept and cookie not in kept
        assert all(len(hash) == 64 for hash in kept)
        assert signin.session_valid(session, cookie, street.now)
        assert not signin.session_valid(session, cookie + "x", street.now)
    with street.database.transaction() as session:
        assert signin.use_token(session, token, street.now)
        assert not signin.use_token(session, token, street.now)
