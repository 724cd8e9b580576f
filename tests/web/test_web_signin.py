"""Links, the button behind them, and the cookie that it gives."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import select

from bot.settings import WebSettings
from bot.web.app import make_app
from bot.web.signin import new_url
from bot.web.user_agents import browser_name
from handlers.organisation import Person, Role
from storage.signin import make_link_token
from storage.tables import ActionLog, SignIn, WebSession
from tests.web.conftest import Browser
from tests.web.street import Street, make_street

WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116 Mobile MicroMessenger/8.0.49"


def token_of(street: Street, person: str = "") -> str:
    with street.database.transaction() as session:
        return make_link_token(session, street.now, timedelta(minutes=10), person)


def rows(street: Street, table: Any) -> list[Any]:
    with street.database.reading() as session:
        return list(session.exec(select(table)))


@pytest.mark.parametrize(
    "path", ["/", "/chat", "/board", "/tickets/CTM0712-001", "/groups", "/replies", "/sessions", "/x"]
)
async def test_without_a_session_every_page_says_how_to_get_a_link(stranger: Browser, path: str) -> None:
    text = await stranger.get(path, 401)
    assert "私聊机器人，发“<b>登录</b>”" in text and "gridbot link" in text
    await stranger.get(path, 401, **{"HX-Request": "true"})


async def test_posts_and_streams_need_a_session_too(stranger: Browser) -> None:
    await stranger.post("/chat/say", 401, {"room": "river", "me": "tang", "text": "在吗"})
    await stranger.post("/replies/1/retry", 401)
    await stranger.get("/live", 401)
    await stranger.get("/chat/events?room=river&me=tang", 401)


async def test_an_operators_link_shows_a_button_that_signs_in(stranger: Browser, street: Street) -> None:
    url = new_url(street.database, street.parts.settings, street.parts.clock, 8123)
    assert url.startswith("http://127.0.0.1:8123/?token=")
    path = "/board?state=all&" + url.partition("?")[2]
    text = await stranger.get(path)
    [token] = re.findall(r'name="token" value="([^"]+)"', text)
    [target] = re.findall(r'name="target" value="([^"]+)"', text)
    assert (f"token={token}", target) == (url.partition("?")[2], "/board?state=all")
    form = {"token": token, "target": target}
    headers = {"Origin": stranger.origin, "User-Agent": WECHAT}
    async with stranger.client.post("/signin", data=form, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/board?state=all")
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert f"Max-Age={14 * 24 * 3600}" in cookie
    assert "运维" in await stranger.get("/board")
    assert "微信 · 安卓" in await stranger.get("/sessions")
    noted = [(row.actor, row.actor_name, row.action) for row in rows(street, ActionLog)]
    assert noted == [("operator", "运维", "link"), ("operator", "运维", "sign_in")]
    stranger.client.session.cookie_jar.clear()
    assert "已经用过" in await stranger.get(path, 401)
    assert "已经用过" in await stranger.enter(token, 401)


async def test_previews_do_not_use_the_link_up(stranger: Browser, street: Street) -> None:
    """Chat apps fetch every link that is sent, and browsers look ahead."""
    token = token_of(street, "fan")
    for _ in range(3):
        assert "进入" in await stranger.get(f"/?token={token}")
        assert "范协调" not in await stranger.get(f"/board?token={token}"), "a preview tells nobody's name"
    async with stranger.client.head(f"/?token={token}") as answer:
        assert answer.status == 200
    await stranger.get("/board", 401)
    assert "范协调" in await stranger.enter(token)


async def test_a_persons_link_is_that_person(stranger: Browser, street: Street) -> None:
    assert "范协调" in await stranger.sign_in(street.parts, "fan")
    assert "范协调" in await stranger.get("/board")
    [row], [noted] = rows(street, WebSession), rows(street, ActionLog)
    assert (row.person, noted.actor, noted.actor_name, noted.action) == ("fan", "fan", "范协调", "sign_in")


async def test_signin_path_offers_the_button_and_leads_to_the_landing(
    stranger: Browser, street: Street
) -> None:
    assert "发“<b>登录</b>”" in await stranger.get("/signin", 401)
    text = await stranger.get(f"/signin?token={token_of(street)}")
    assert 'name="target" value="/"' in text
    await stranger.sign_in(street.parts)
    async with stranger.client.get("/signin", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/"


async def test_who_is_signed_in_does_not_spend_another_link_of_his(stranger: Browser, street: Street) -> None:
    await stranger.sign_in(street.parts, "fan")
    token = token_of(street, "fan")
    async with stranger.client.get(f"/board?token={token}", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/board")
    stranger.client.session.cookie_jar.clear()
    await stranger.enter(token)


async def test_somebody_elses_link_changes_who_is_signed_in(browser: Browser, street: Street) -> None:
    token = token_of(street, "fan")
    assert "现在登录的是运维" in await browser.get(f"/?token={token}")
    assert "范协调" in await browser.enter(token)
    assert [row.person for row in rows(street, WebSession)] == ["fan"], "the one before is ended"


async def test_an_expired_link_and_an_expired_session_are_refused(stranger: Browser, street: Street) -> None:
    token = token_of(street, "fan")
    street.now += timedelta(minutes=10)
    assert "过期" in await stranger.get(f"/?token={token}", 401)
    assert "过期" in await stranger.enter(token, 401)
    await stranger.sign_in(street.parts)
    await stranger.get("/board")
    street.now += timedelta(days=15)
    await stranger.get("/board", 401)
    await stranger.sign_in(street.parts)
    assert len(rows(street, WebSession)) == 1, "expired sessions are swept"
    assert len(rows(street, SignIn)) == 1, "expired links are swept"


async def test_use_renews_the_session_up_to_a_limit(stranger: Browser, street: Street) -> None:
    await stranger.sign_in(street.parts, "fan")
    for day in range(1, 90):
        street.now += timedelta(days=1)
        async with stranger.client.get("/board", headers={"Accept": "text/html"}) as answer:
            assert answer.status == 200, day
            left = min(14, 90 - day) * 24 * 3600
            assert f"Max-Age={left}" in answer.headers["Set-Cookie"]
    street.now += timedelta(minutes=5)
    async with stranger.client.get("/board", headers={"Accept": "text/html"}) as answer:
        assert "Set-Cookie" not in answer.headers, "not at every request"
    street.now += timedelta(days=1)
    await stranger.get("/board", 401)


@pytest.mark.parametrize("token", ["", "x", "%ff%fe", "é" * 400])
async def test_an_unknown_token_is_refused(stranger: Browser, token: str) -> None:
    await stranger.get(f"/?token={token}", 401)
    await stranger.enter(token, 401)


@pytest.mark.parametrize(
    "target",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "", "/%0d%0ax"],
)
async def test_a_link_never_leads_to_another_host(stranger: Browser, street: Street, target: str) -> None:
    form = {"token": token_of(street), "target": target}
    headers = {"Origin": stranger.origin}
    async with stranger.client.post("/signin", data=form, headers=headers, allow_redirects=False) as answer:
        assert re.match(r"/(?![/\\])", answer.headers["Location"]), answer.headers["Location"]
    token = token_of(street)
    async with stranger.client.session.get(f"{stranger.origin}//evil.example/?token={token}") as answer:
        assert str(answer.url).startswith(stranger.origin)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
async def test_nobody_is_signed_in_by_another_site(stranger: Browser, street: Street, origin: str) -> None:
    form = {"token": token_of(street), "target": "/"}
    await stranger.post("/signin", 403, form, Origin=origin)
    assert rows(street, WebSession) == []


async def test_sign_out_ends_the_session_in_the_database(browser: Browser, street: Street) -> None:
    assert "gridbot link" in await browser.post("/signout", 401)
    await browser.get("/board", 401)
    assert rows(street, WebSession) == []
    assert [row.action for row in rows(street, ActionLog)] == ["sign_in", "sign_out"]


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.VOLUNTEER, Role.COURIER, Role.UNIT, None])
async def test_a_post_that_is_taken_away_lets_nobody_in_any_more(
    stranger: Browser, street: Street, role: Role | None
) -> None:
    await stranger.sign_in(street.parts, "fan")
    token = token_of(street, "fan")
    await stranger.get("/board")
    if role is None:
        street.forget("fan")
    else:
        street.put(Person(id="fan", name="范协调", role=role, area="CTM-01"))
    await stranger.get("/board", 401)
    await stranger.post("/replies/1/retry", 401)
    assert "没有能打开网页的身份" in await stranger.enter(token, 401)
    street.put(Person(id="fan", name="范协调", role=Role.COORDINATOR, area="CTM-01"))
    await stranger.get("/board", 401)


async def test_a_post_counts_as_it_is_at_the_request(stranger: Browser, street: Street) -> None:
    await stranger.sign_in(street.parts, "fan")
    await stranger.get("/reviews")
    street.put(Person(id="fan", name="范协调", role=Role.GRID_WORKER, area="CTM-0101"))
    assert "您的身份看不了这一页" in await stranger.get("/reviews", 403)
    assert 'href="/reviews"' not in await stranger.get("/board")


async def test_one_sees_and_ends_ones_own_sessions(stranger: Browser, street: Street) -> None:
    await stranger.sign_in(street.parts, "pu")
    stranger.client.session.cookie_jar.clear()
    await stranger.sign_in(street.parts, "fan")
    text = await stranger.get("/sessions")
    assert "这一个" in text and "蒲指挥" not in text
    names = {row.person: row.token_hash[:16] for row in rows(street, WebSession)}
    await stranger.post(f"/sessions/{names['pu']}/end")
    await stranger.post("/sessions/0123456789abcdef/end")
    await stranger.post("/sessions/%25/end")
    assert len(rows(street, WebSession)) == 2, "not somebody else's"
    await stranger.post(f"/sessions/{names['fan']}/end", 401)
    await stranger.get("/board", 401)


@pytest.mark.parametrize("who", ["", "pu"])
async def test_who_leads_the_street_ends_anybodys(stranger: Browser, street: Street, who: str) -> None:
    await stranger.sign_in(street.parts, "fan")
    fan = stranger.client.session.cookie_jar.filter_cookies(stranger.client.make_url("/"))
    stranger.client.session.cookie_jar.clear()
    await stranger.sign_in(street.parts, who)
    assert "范协调" in await stranger.get("/sessions")
    name = next(row.token_hash[:16] for row in rows(street, WebSession) if row.person == "fan")
    assert "已经退出了" in await stranger.post(f"/sessions/{name}/end")
    noted = rows(street, ActionLog)[-1]
    assert (noted.actor, noted.action, noted.subject) == (who or "operator", "session_end", "person:fan")
    stranger.client.session.cookie_jar.clear()
    stranger.client.session.cookie_jar.update_cookies(fan, stranger.client.make_url("/"))
    await stranger.get("/board", 401)


async def test_behind_https_the_cookie_is_secure(tmp_path: Path, sqlite_url: str) -> None:
    public = "https://grid.street.example"
    street = make_street(tmp_path, sqlite_url, public_url=public)
    assert new_url(street.database, street.parts.settings, street.parts.clock).startswith(f"{public}/?token=")
    async with TestClient(TestServer(make_app(street.parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        for host in ("grid.street.example", "127.0.0.1:8080"):  # a proxy may hand on either
            form = {"token": token_of(street), "target": "/board"}
            headers = {"Origin": public, "Host": host}
            async with client.post("/signin", data=form, headers=headers, allow_redirects=False) as answer:
                assert answer.status == 303
                assert "Secure" in answer.headers["Set-Cookie"]
            async with client.post(
                "/signin", data=form, headers=headers | {"Origin": "http://x.example"}
            ) as no:
                assert no.status == 403
        cookie = re.findall(r"=([\w-]+);", answer.headers["Set-Cookie"])[0]
        street.now += timedelta(days=1)
        headers = {"Host": "grid.street.example", "Cookie": f"gridbot_8080={cookie}"}
        async with client.get("/board", headers=headers) as answer:
            assert "Secure" in answer.headers["Set-Cookie"], "renewed as it was made"
        async with client.get("/board", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        (WebSettings(), "http://127.0.0.1:8080"),
        (WebSettings(host="0.0.0.0", port=80), "http://127.0.0.1:80"),
        (WebSettings(host="10.0.0.7"), "http://10.0.0.7:8080"),
        (WebSettings(host="::1"), "http://[::1]:8080"),
        (WebSettings(public_url="https://grid.street.example/"), "https://grid.street.example"),
    ],
    ids=["loopback", "everywhere", "address", "six", "public"],
)
def test_what_links_begin_with(settings: WebSettings, base: str) -> None:
    assert settings.base() == base


@pytest.mark.parametrize(
    "url", ["grid.street.example", "ftp://grid.street.example", "https://", "https://a.example/grid", "x:y"]
)
def test_a_public_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be http"):
        WebSettings(public_url=url)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (WECHAT, "微信 · 安卓"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36 Edg/120", "Edge · Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1",
            "Safari · iPhone",
        ),
        ("", "浏览器"),
    ],
    ids=["wechat", "edge", "iphone", "nothing"],
)
def test_browsers_are_named(agent: str, name: str) -> None:
    assert browser_name(agent) == name
