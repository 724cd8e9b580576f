"""File boxes: how pictures travel over Wechaty."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import betterproto
import grpclib.const
from grpclib.exceptions import GRPCError
from wechaty_grpc.wechaty import PuppetStub

# The gateway takes messages of 4 MiB, and base64 adds a third.
LARGEST_SENT = 3_000_000
LARGEST_FETCHED = 30_000_000
URL_SECONDS = 20.0
ARTWORK = 3  # the picture in full size, rather than its thumbnail
BASE64, URL, UUID = 1, 2, 7  # types of file boxes
PLACES = {BASE64: ("base64",), URL: ("url", "remoteUrl"), UUID: ("uuid",)}


@dataclass(eq=False, repr=False)
class DownloadRequest(betterproto.Message):
    """Missing in wechaty-grpc 0.20: the gateway's way to hand out files of more than 20 KB."""

    id: str = betterproto.string_field(1)


@dataclass(eq=False, repr=False)
class DownloadResponse(betterproto.Message):
    chunk: bytes = betterproto.bytes_field(1)


def box(picture: Path) -> str:
    """Raises OSError, or ValueError for one that is too large to send."""
    content = picture.read_bytes()
    if len(content) > LARGEST_SENT:
        raise ValueError(f"{len(content)} bytes, more than {LARGEST_SENT}")
    # Node reads `type` today and `boxType` before file-box 1.0.
    text = base64.b64encode(content).decode("ascii")
    return json.dumps({"type": BASE64, "boxType": BASE64, "name": picture.name, "base64": text})


async def fetch(stub: PuppetStub, message_id: str) -> bytes | None:
    """The bytes of an image message, None where the gateway's file box holds none.

    Raises GRPCError and what grpclib raises for a lost connection.
    """
    try:
        image = await stub.message_image(id=message_id, type=ARTWORK)
    except GRPCError:
        content = None
    else:
        content = await _open(stub, image.filebox)
    if content is None:
        # Some puppets know a picture only as the message's file.
        file = await stub.message_file(id=message_id)
        content = await _open(stub, file.filebox)
    return content


async def _open(stub: PuppetStub, filebox: str) -> bytes | None:
    kind, where, headers = _read(filebox)
    if kind == BASE64:
        try:
            return base64.b64decode(where)
        except ValueError:
            return None
    if kind == URL:
        return await _get(where, headers)
    if kind == UUID:
        return await _download(stub, where)
    return None


def _read(filebox: str) -> tuple[object, str, dict[str, str]]:
    """A file box's type, its content or where that is, and the headers to ask with."""
    try:
        box = json.loads(filebox)
    except ValueError:
        box = None
    if not isinstance(box, dict):
        return None, "", {}
    kind = box.get("type") or box.get("boxType")
    names = PLACES.get(kind, ()) if isinstance(kind, int) else ()
    where = next((box[name] for name in names if isinstance(box.get(name), str)), "")
    headers = box.get("headers")
    return kind if where else None, where, headers if isinstance(headers, dict) else {}


async def _get(url: str, headers: dict[str, str]) -> bytes | None:
    """A picture that the puppet left where WeChat keeps it."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=URL_SECONDS)) as session,
            session.get(url, headers=headers) as response,
        ):
            if response.status != 200:
                return None
            content = await response.content.read(LARGEST_FETCHED + 1)
            while len(content) <= LARGEST_FETCHED and (more := await response.content.read(LARGEST_FETCHED)):
                content += more
    except aiohttp.ClientError:
        return None
    return content if len(content) <= LARGEST_FETCHED else None


async def _download(stub: PuppetStub, uuid: str) -> bytes | None:
    content = bytearray()
    async with stub.channel.request(
        "/wechaty.Puppet/Download",
        grpclib.const.Cardinality.UNARY_STREAM,
        DownloadRequest,
        DownloadResponse,
        timeout=stub.timeout,
        metadata=stub.metadata,
    ) as stream:
        await stream.send_message(DownloadRequest(id=uuid), end=True)
        async for response in stream:
            content += response.chunk
            if len(content) > LARGEST_FETCHED:
                await stream.cancel()
                return None
    return bytes(content) or None
