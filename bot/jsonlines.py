"""JSON lines as people and programs write them, with what is wrong said by line."""

import json
from typing import Any


class BadLine(Exception):
    """The message says which line it is and what is wrong with it."""


def parse(raw: str, number: int) -> Any:
    """The value of line `number` (from 1). Raises BadLine."""
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        raise BadLine(f"line {number}: not JSON: {error.msg} (column {error.colno})") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise BadLine(f"line {number}: not a line that can be read") from None
