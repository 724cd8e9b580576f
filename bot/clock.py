"""The real clock. Everything else is given one, so that tests and replays move time themselves."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
