"""`gridbot digest`: a digest as text, page and picture."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from bot.card import draw
from bot.clock import utc_now
from bot.reporting import area_of
from bot.settings import Settings
from bot.world import NoClassifier, load_world
from handlers.context import Context
from handlers.digest_text import text_of
from handlers.figures import periods
from handlers.figures.counting import of_window
from handlers.figures.model import DigestKind
from handlers.files import ConfigError
from storage.database import Database


def run(settings: Settings, day: str, kind: str, area: str, out: Path | None) -> str:
    """The text; with `out` it, the page and the card as files. Raises ConfigError naming the option."""
    from bot.web.digest import as_html

    wanted = _day(day)
    if kind not in set(DigestKind):
        raise ConfigError(f"--kind: {kind!r} is none of {', '.join(DigestKind)}")
    database = Database(settings.storage.url)
    database.upgrade()
    try:
        with database.reading() as session:
            world = load_world(settings, NoClassifier(), session)
            ctx = Context(session, utc_now(), replace(world, pages=settings.web.base(0)))
            code = area_of(world, area) or ctx.organisation.root
            window = periods.window(ctx, DigestKind(kind), wanted)
            found = of_window(ctx, code, window)
            text = text_of(ctx, found, window)
            page = as_html(ctx, found, window) if out is not None else ""
    finally:
        database.close()
    if out is not None:
        name = "-".join(["digest", f"{window.day}", *_further(kind, area and code)])
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
            (out / f"{name}.html").write_text(page, encoding="utf-8")
            (out / f"{name}.png").write_bytes(draw(found))
        except OSError as error:
            raise ConfigError(f"--out {out}: {error.strerror}") from None
    return text


def _further(kind: str, area: str) -> list[str]:
    """What tells a file from that of the street's evening."""
    return [*([kind] if kind != DigestKind.EVENING else []), *([area] if area else [])]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--date: {text!r} is not a day such as 2026-07-12") from None
