import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from bot.web.app import make_app
from bot.web.parts import Parts
from storage.signin import make_link_token
from tests.web.street import Street, make_street


@pytest.fixture
def street(tmp_path: Path, sqlite_url: str) -> Iterator[Street]:
    street = make_street(tmp_path, sqlite_url)
    yield street
    street.database.close()


class Browser:
    """A client with a cookie jar, which asks for pages as a browser does."""

    def __init__(self, client: TestClient) -> None:  # type: ignore[type-arg]
        self.client = client
        self.origin = str(client.make_url("/")).rstrip("/")

    async def get(self, path: str, status: int = 200, **headers: str) -> str:
        async with self.client.get(path, headers={"Accept": "text/html"} | headers) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def post(self, path: str, status: int = 200, data: object = None, **headers: str) -> str:
        async with self.client.post(path, data=data, headers={"Origin": self.origin} | headers) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def sign_in(self, parts: Parts, person: str = "", status: int = 200) -> str:
        """As the operator, or as that person."""
        with parts.database.transaction() as session:
            token = make_link_token(session, parts.clock(), timedelta(minutes=10), person)
        return await self.enter(token, status)

    async def enter(self, token: str, status: int = 200, target: str = "/groups") -> str:
        """The button of a link's page."""
        return await self.post("/signin", status, {"token": token, "target": target}, Accept="text/html")


@pytest.fixture
async def stranger(street: Street) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(street.parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        yield Browser(client)


@pytest.fixture
async def browser(stranger: Browser, street: Street) -> Browser:
    await stranger.sign_in(street.parts)
    return stranger


@pytest.fixture
async def listening(street: Street) -> AsyncIterator[None]:
    """The local gateway at work."""
    task = asyncio.create_task(street.local.run(street.sink))
    await asyncio.sleep(0)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
