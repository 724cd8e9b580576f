"""Pictures of reports are fetched until they are there, or given up aloud."""

import asyncio
from pathlib import Path

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from bot.gateways.base import SendFailed, SendUncertain
from bot.pictures import _LARGEST, Pictures
from handlers.incoming import MessageKind
from storage.database import Database
from storage.tables import Attachment
from tests.support.gateway import MemoryGateway
from tests.support.street import Street, make_world
from tests.support.waiting import cancelled, until

WORLD = make_world()
JPEG = b"\xff\xd8\xff" + bytes(50)


class Album:
    def __init__(self, database: Database, folder: Path) -> None:
        self.street, self.folder, self.gateway = Street(database, WORLD), folder, MemoryGateway()
        self.pictures = Pictures(database, self.gateway, self.street.clock, folder)
        self.street.say("stairs", "peng", "石梯坎3号路灯不亮了")
        self.street.say("stairs", "peng", kind=MessageKind.IMAGE, id="p1")

    async def step(self) -> Attachment:
        await self.pictures.step()
        with self.street.reading() as session:
            return session.exec(select(Attachment)).one()


@pytest.fixture
def album(database: Database, tmp_path: Path) -> Album:
    return Album(database, tmp_path / "media")


@pytest.mark.parametrize(
    ("content", "name"),
    [(JPEG, "jpg"), (b"\x89PNG1", "png"), (b"GIF89a", "gif"), (b"RIFFxWEBP", "webp"), (b"?", "bin")],
)
async def test_a_picture_is_kept(album: Album, content: bytes, name: str) -> None:
    album.gateway.pictures["p1"] = content
    kept = await album.step()
    assert (kept.state, kept.size) == ("kept", len(content))
    assert kept.path == f"{kept.message_id}.{name}"
    assert (album.folder / kept.path).read_bytes() == content
    assert await album.pictures.step() == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "the gateway does not have it"),
        (SendFailed("busy"), "busy"),
        (SendUncertain("deadline"), "deadline"),
        (bytes(_LARGEST + 1), "larger than"),
    ],
)
async def test_what_does_not_come_is_asked_for_again_and_given_up(
    album: Album, answer: bytes | SendFailed | SendUncertain | None, said: str
) -> None:
    album.gateway.pictures["p1"] = answer
    waits = []
    with capture_logs() as logs:
        for _ in range(5):
            now = album.street.clock()
            row = await album.step()
            waits.append(int((row.due_at - now).total_seconds() // 60))
            assert await album.pictures.step() == 0
            album.street.clock.move(minutes=waits[-1])
    assert waits[:4] == [1, 2, 4, 8]
    assert (row.state, row.attempts) == ("failed", 5)
    assert said in (row.error or "")
    assert [line["final"] for line in logs] == [False] * 4 + [True]


async def test_without_room_on_the_disk_it_is_tried_again(album: Album) -> None:
    album.folder.write_text("a file where the folder should be")
    album.gateway.pictures["p1"] = JPEG
    with capture_logs():
        assert (await album.step()).state == "wanted"
    album.folder.unlink()
    album.street.clock.move(minutes=1)
    assert (await album.step()).state == "kept"


async def test_it_works_until_cancelled(album: Album) -> None:
    working = asyncio.create_task(album.pictures.run())
    album.gateway.pictures["p1"] = JPEG
    album.street.clock.move(minutes=1)
    album.pictures.wake()
    await until(lambda: any(album.folder.glob("*.jpg")))
    await cancelled(working)


async def test_news_at_the_last_moment_does_not_keep_it_from_ending(album: Album) -> None:
    task = asyncio.create_task(album.pictures.run())
    await asyncio.sleep(0.3)  # it rests
    album.pictures.wake()
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done
