"""The card's letters: Noto Sans SC, as a package brings it. What it has no letter for is never a box."""

import unicodedata
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

INSTEAD = "〓"  # what printers set for a letter that they lack


@cache
def path() -> Path:
    return pylopdf_fonts_zh_cn.sans_path()


@cache
def _known() -> frozenset[int]:
    return frozenset(FT2Font(str(path())).get_charmap())


def of_size(pixels: float, dpi: int) -> FontProperties:
    return FontProperties(fname=str(path()), size=pixels * 72 / dpi)


def drawable(text: str) -> str:
    """One line of what the font has: compatible letters for rare forms, else 〓; emoji are left out."""
    return "".join(_letter(letter) for letter in " ".join(text.split()))


def _letter(letter: str) -> str:
    if ord(letter) in _known():
        return letter
    alike = unicodedata.normalize("NFKC", letter)
    if alike != letter and all(ord(one) in _known() for one in alike):
        return alike
    return INSTEAD if unicodedata.category(letter).startswith("L") else ""


def width(text: str) -> float:
    """About how wide, in letters: Chinese ones count 1."""
    return sum(1.0 if unicodedata.east_asian_width(one) in "WFA" else 0.56 for one in text)


def fitted(text: str, most: float) -> str:
    """At most so wide, cut with …"""
    text = drawable(text)
    if width(text) <= most:
        return text
    while text and width(text) > most - 1:
        text = text[:-1]
    return f"{text}…"
