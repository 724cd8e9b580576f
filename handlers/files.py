"""The operator's YAML files: config, organisation, texts. Every complaint names file and place."""

import unicodedata
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError


class Part(BaseModel):
    """A part of such a file: unknown keys are errors, so that a typing mistake is found at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Trimmed(Part):
    """Spaces around what was typed mean nothing here."""

    model_config = ConfigDict(str_strip_whitespace=True)


def _shown(text: Any) -> Any:
    """Line breaks and the like belong into no cell, NUL and half characters into no database."""
    if not isinstance(text, str) or text.isprintable():
        return text
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text)


SHOWN = BeforeValidator(_shown)  # of a text that is one line on a page and one cell in a sheet


class ConfigError(Exception):
    """A file or setting cannot be used; each line of the message names file, key and what is wrong."""


def read_mapping(file: Path) -> dict[str, Any]:
    """The file's mapping, {} for an empty file. Raises ConfigError with line and column where known."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: must be a mapping, not a {type(content).__name__}")
    return content


def entry_lines(file: Path) -> dict[tuple[str, int], int]:
    """The line on which each entry of the mapping's lists begins, by the list's key and its place there."""
    top = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode):
        return {}
    return {
        (key.value, index): entry.start_mark.line + 1
        for key, listed in top.value
        if isinstance(listed, yaml.SequenceNode)
        for index, entry in enumerate(listed.value)
    }


def mistakes(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """(place, what is wrong) of each mistake, without the offending values: they may be secret."""
    found = error.errors(include_input=False, include_url=False)
    return [(mistake["loc"], mistake["msg"].removeprefix("Value error, ")) for mistake in found]


def dotted(place: tuple[str | int, ...]) -> str:
    """people[3].area"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
