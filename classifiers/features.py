"""A message -> the buckets of the linear model that it lights up.

Three regions of one table of BUCKETS rows: characters, words, and what is known of the message (concepts,
shape, role). Hashing instead of a vocabulary: no dictionary to load, and any text has a place.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from classifiers.concepts import concepts, standard
from classifiers.normalise import normalise
from classifiers.segment import Segmenter
from classifiers.verdict import Sample

BUCKETS = 1 << 17
_CHARS = 1 << 16  # first row of the word region
_KNOWN = _CHARS + 49_152  # first row of the region of concepts, shape and role
_WORD_ROWS = _KNOWN - _CHARS
_KNOWN_ROWS = BUCKETS - _KNOWN
REGIONS = np.array([_CHARS, _KNOWN])  # where the second and the third region begin

# A report says what it says in its first sentences; this bounds the time for pasted pages.
MAX_READ = 400
MAX_SHAPED = 240
_MAX_PAIRED = 8  # concepts that are paired: 28 pairs at most

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.S))
    for name, pattern in (
        ("notice_head", r"\A\s*(【|各位|通知|温馨|提醒|公告|@所有人|尊敬的|预警)"),
        ("bracket_head", r"\A\s*【"),
        ("all", r"@所有人|@all"),
        ("list", r"(\A|\n)\s*1[.、.)][^\n]*\n\s*2[.、.)]"),
        ("entry", r"\A\s*\d{1,3}[.、.\s]\s*\S{1,12}\s+[\d一二两三四五]{1,3}\S{0,3}\s*\Z"),
        ("chain", r"接龙|团购"),
        ("price", r"\d\s*(元|块|折|米一|/斤|一斤|一份|一盒)"),
        ("link", r"https?:|www\.|链接|👇|二维码|小程序"),
        ("phone", r"(?<!\d)(1\d{10}|0\d{2,3}-?\d{7,8}|6\d{7})(?!\d)"),
        ("emergency", r"(?<!\d)(110|119|120)(?!\d)"),
        ("time", r"\d{1,2}[:\uff1a]\d{2}|\d{1,2}月\d{1,2}[日号]"),
        ("picture", r"\[(图片|照片|视频|image|Image)\]"),
        ("voice", r"\[(语音|红包|转账|动画表情)\]"),
        ("question", r"[?\uff1f]|[吗嘛没不]\s*\Z"),
        ("exclaim", r"[!\uff01]"),
        ("exclaim2", r"[!\uff01][^!\uff01]*[!\uff01]"),
        ("mention", r"@"),
        ("digits", r"\d"),
        ("emoji", r"[\U0001f300-\U0001faff\u2600-\u27bf]|\[[\u4e00-\u9fff]{1,3}\]"),
        ("soft_end", r"(哈|哦|哟|嘛|噻|嗦|咯|呀|呢|~)[。!\uff01~]?\s*\Z"),
    )
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as the classifier sees it.

    plain: normalised; read: the same in standard words, cut to MAX_READ; words: those of `read`;
    about: its concepts, by name;
    names: "c:..." concepts, "s:..." shape, "r:..." role, "k:..." kind of group.
    """

    plain: str
    read: str
    words: list[str]
    about: list[str]
    names: list[str]


@lru_cache(maxsize=1 << 15)
def word_row(word: str) -> int:
    return _CHARS + crc32(word.encode("utf-8", "replace")) % _WORD_ROWS


@lru_cache(maxsize=1 << 14)
def known_row(name: str) -> int:
    return _KNOWN + crc32(name.encode("utf-8", "replace")) % _KNOWN_ROWS


def _size(length: int) -> str:
    for bound in (2, 5, 9, 15, 25, 40, 70, 120):
        if length <= bound:
            return f"s:len{bound}"
    return "s:long"


def _shape(raw: str, plain: str) -> list[str]:
    raw = raw[:MAX_SHAPED]
    names = [f"s:{name}" for name, pattern in _SHAPES if pattern.search(raw)]
    names.append(_size(len(plain)))
    if not plain:
        names.append("s:empty")
    return names


def read(sample: Sample, segmenter: Segmenter) -> Reading:
    """Never raises for a text."""
    plain = normalise(sample.text)
    text = standard(plain[:MAX_READ])[:MAX_READ]
    words = segmenter.cut(text)
    about = sorted({name for value in concepts().found(text).values() for name in value.split()})
    names = [f"c:{name}" for name in about]
    names += _shape(sample.text, plain)
    names += [f"r:{sample.role}", f"k:{sample.group_kind}"]
    return Reading(plain, text, words, about, names)


def _char_rows(text: str) -> NDArray[np.int64]:
    """Rows of the 1-, 2- and 3-grams, hashed all at once; \u0002 and \u0003 mark the ends."""
    codes = np.frombuffer(f"\x02{text}\x03".encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    one = codes * np.uint64(0x9E3779B97F4A7C15)
    two = (one[:-1] ^ (codes[1:] * np.uint64(0xC2B2AE3D27D4EB4F))) * np.uint64(0xFF51AFD7ED558CCD)
    three = (two[:-1] ^ (codes[2:] * np.uint64(0x165667B19E3779F9))) * np.uint64(0xC4CEB9FE1A85EC53)
    mixed: NDArray[np.int64] = (np.concatenate((one, two, three)) >> np.uint64(48)).astype(np.int64)
    return mixed


def rows(reading: Reading) -> NDArray[np.int64]:
    """Rows of the weight table, each once, ascending."""
    words = reading.words
    hashed = [word_row(word) for word in words]
    hashed += [word_row(f"{one} {two}") for one, two in pairwise(words)]
    hashed += [known_row(name) for name in reading.names]
    pairs = combinations([known_row(f"c:{name}") for name in reading.about[:_MAX_PAIRED]], 2)
    hashed += [_KNOWN + (one * 40_503 ^ two) % _KNOWN_ROWS for one, two in pairs]
    lit = np.concatenate((_char_rows(reading.read), np.array(hashed, dtype=np.int64)))
    lit.sort()  # and each once: a third of the time that np.unique takes
    fresh = np.empty(len(lit), dtype=np.bool_)
    fresh[0] = True
    np.not_equal(lit[1:], lit[:-1], out=fresh[1:])
    return lit[fresh]
