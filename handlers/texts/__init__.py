"""Every Chinese sentence the bot says: `zh.yaml`, of which a street may override any.

A template is `str.format` with plain names only: `{number}`, never `{ticket.number}`.
"""

import string
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from handlers.files import ConfigError, read_mapping

_FILE = Path(__file__).with_name("zh.yaml")


class Texts:
    """Templates by dotted key: `texts("report.opened", number=..., ...)`."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)

    def __call__(self, key: str, /, **values: object) -> str:
        return self._templates[key].format(**values).strip()

    def template(self, key: str) -> str:
        """The sentence as it is written, with its fields in braces."""
        return self._templates[key]

    def has(self, key: str) -> bool:
        return key in self._templates

    def keys(self) -> list[str]:
        return sorted(self._templates)


@lru_cache(maxsize=1)
def _default() -> dict[str, str]:
    return _flatten(read_mapping(_FILE))


def load_texts(override: Path | None = None) -> Texts:
    """The project's texts, with a street's own wording over them. Raises ConfigError."""
    templates = dict(_default())
    if override is None:
        return Texts(templates)
    flat = _flatten(read_mapping(override))
    lines = [f"{override}: {key}: {why}" for key, text in flat.items() if (why := _mistake(key, text))]
    if lines:
        raise ConfigError("\n".join(lines))
    return Texts(templates | flat)


def _mistake(key: str, text: str) -> str:
    known = _default().get(key)
    if known is None:
        return "there is no such text"
    try:
        unknown = _fields(text) - _fields(known)
    except ValueError as error:
        return str(error)
    return (
        f"{{{'}, {'.join(sorted(unknown))}}} is not known here; use {_fields(known) or 'none'}"
        if unknown
        else ""
    )


def _fields(text: str) -> set[str]:
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    if strange := {name for name in names if not name.isidentifier()}:
        raise ValueError(f"only plain names in braces, not {sorted(strange)}")
    return names


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat
