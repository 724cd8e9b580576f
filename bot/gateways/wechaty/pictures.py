"""File boxes: how pictures travel over Wechaty."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    try:
        content: Any = json.loads(filebox)
        kind = content.get("type") or content.get("boxType")
        if kind == BASE64:
            return base64.b64decode(content["base64"])
        if kind == URL:
            return await _get(content.get("url") or content["remoteUrl"], content.get("headers") or {})
        if kind == UUID:
            return await _download(stub, str(content["uuid"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # not a file box
    return None


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
