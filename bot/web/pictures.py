"""Pictures and tables on pages: only what really is one, and never as anything a browser would run."""

from typing import Final

from aiohttp import web

MOST_BYTES: Final = 8 * 1024 * 1024
_KINDS: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)
_ZIP: Final = b"PK\x03\x04"  # of the files that are kept only an XLSX is one
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def picture_type(content: bytes) -> str | None:
    """By its first bytes; None where it is no picture that browsers show."""
    for mark, offset, kind in _KINDS:
        if content[offset : offset + len(mark)] == mark:
            return kind
    return None


def picture_response(content: bytes | None) -> web.Response:
    if content and content.startswith(_ZIP):
        headers = {"Content-Disposition": 'attachment; filename="table.xlsx"', "Cache-Control": "private"}
        return web.Response(body=content, content_type=_XLSX, headers=headers)
    kind = picture_type(content) if content else None
    if content is None or kind is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": "default-src 'none'"}
    return web.Response(body=content, content_type=kind, headers=headers)
