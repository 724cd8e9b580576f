"""Logs as data: one event a line, to standard error. Never what people wrote, their names or tokens.

That is the callers' duty. As a last line of defence telephone numbers, ID numbers, addresses and the like are
masked in every value, also in what other people's libraries and tracebacks say.
"""

import contextlib
import logging
import sys
from typing import Any

import structlog

from bot.settings import LogSettings
from handlers.masking import mask_for_others

# Ids of the network's and the bot's own, which find a row or another line again.
_IDS = frozenset({"account", "message", "message_id", "reference", "level", "at"})
_DEEPEST = 4  # levels of lists and mappings; what lies deeper is left out


def mask_values(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A structlog processor: no personal numbers in any value."""
    return {
        key: value if key in _IDS or key.startswith("_") else _masked(value) for key, value in event.items()
    }


def _masked(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask_for_others(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {_masked(key): _masked(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(entry, depth + 1) for entry in value]
    return mask_for_others(str(value))


class _Printer(structlog.PrintLogger):
    """Writes lines; one that cannot be written (disk full, reader gone) is let go: the work is worth more."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = fatal = failure = exception = msg


def configure(settings: LogSettings) -> None:
    level = getattr(logging, settings.level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        mask_values,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    printer = _Printer(sys.stderr)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: printer,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Other people's libraries: only what goes wrong. Their debug lines hold message texts and tokens.
    for name in ("aiohttp.access", "apscheduler", "wechaty", "wechaty_puppet", "PuppetService", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
