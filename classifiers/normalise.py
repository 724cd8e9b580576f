"""A chat message in one plain form: half width, simplified, without mentions, quotes and noise.

Every function here is pure and never raises for a text of any content. `normalise` is idempotent.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

# What a person types in a group is far shorter; what is longer is pasted, and its head says what it is.
MAX_CHARS = 2_000

MENTION_END = "\u2005"  # WeChat puts this four-per-em space after each @name
_MARK = "\x1f"  # stands for MENTION_END while NFKC would turn that into a plain space

_EMOJI_WORDS = str.maketrans(
    {"🆘": "求救", "🔥": "[火]", "🚨": "!", "❗": "!", "❓": "?", "‼": "!!", "⁉": "!?"}
)
_QUOTE = re.compile(r"\A\s*[「\"“][^\n]{0,80}?[::](?s:.{0,1500}?)[」\"”]\s*\n\s*[-—_ ]{3,}\s*\n")
_MARKED_MENTION = re.compile(rf"@[^@{_MARK}\n]{{1,40}}{_MARK}")
_PLAIN_MENTION = re.compile(r"@[^\s@,。!?;:、,.]{1,24}(?=\s)|@[^\s@,。!?;:、,.]{1,6}\Z|@所有人|@all\b", re.I)
_STICKER = re.compile(r"\[[\u4e00-\u9fffA-Za-z]{1,8}\]")
# Combining marks and other invisible characters; lone surrogates; controls apart from line ends.
_NOISE = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    r"\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufeff"
    r"\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1e\x7f-\x9f\ue000-\uf8ff\ufff0-\uffff\U000e0000-\U0010ffff]+"
)
# What is kept: Han, kana, Latin, digits, common punctuation. The rest (emoji, symbols) becomes a space.
_DROPPED = re.compile(
    r"[^\u3400-\u9fff\u3040-\u30ff0-9A-Za-z\s,.!?;:、。()《》\"'“”‘’%+\-~—_/&#*=【】\[\]…·$¥°²³]+"
)
_REPEATED = re.compile(r"(\D)\1{2,}")
_REPEATED_PAIR = re.compile(r"(\D\D)\1{2,}")
_SPACES = re.compile(r"\s+")
# Nothing here needs any work: the most common case, found in one pass.
_PLAIN = re.compile(r"[\u4e00-\u9fff0-9A-Za-z,.!?。]+\Z")


@cache
def _traditional() -> dict[int, int]:
    """One to one, so that a place found in the simplified text can be cut from the original.

    The pairs are OpenCC's (t2s, Apache-2.0; a test compares them).
    """
    table = Path(__file__).parent / "lexicon" / "traditional.txt"
    old, new = table.read_text("utf-8").split()
    return str.maketrans(old, new)


def simplify(text: str) -> str:
    """Traditional -> simplified, character by character; the length stays the same."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return text.translate(_traditional())
    return text  # GB 2312 holds next to no traditional character: a quick test for most texts


def _without_mentions(text: str) -> str:
    if "@" not in text:
        return text
    return _PLAIN_MENTION.sub(" ", _MARKED_MENTION.sub(" ", text)).replace("@", " ")


def _once(text: str) -> str:
    text = text[:MAX_CHARS].replace(MENTION_END, _MARK).translate(_EMOJI_WORDS)
    text = unicodedata.normalize("NFKC", _NOISE.sub("", text))
    text = _without_mentions(text)
    text = _STICKER.sub(" ", _QUOTE.sub("", text))
    text = simplify(_DROPPED.sub(" ", text))
    text = _REPEATED_PAIR.sub(r"\1\1", _REPEATED.sub(r"\1\1", text))
    return _SPACES.sub(" ", text).strip()[:MAX_CHARS]


def normalise(text: str) -> str:
    """The text in plain form, at most MAX_CHARS characters; "" where nothing is said.

    Repeated until nothing changes, so that the outcome of one step (a squeezed run, a dropped sticker)
    never leaves work for the next; two rounds nearly always.
    """
    if len(text) <= MAX_CHARS and _PLAIN.match(text) and not _REPEATED.search(text):
        return _REPEATED_PAIR.sub(r"\1\1", simplify(text))
    for _ in range(8):
        plain = _once(text)
        if plain == text:
            break
        text = plain
    return text
