"""Chinese text -> words: jieba, or rjieba (the same dictionary in Rust, 30 times as fast) where installed."""

import importlib.util
import logging
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

# Only runs of Han characters go to the segmenter: on digits and Latin the two disagree.
_PIECE = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")
_WORD_FREQUENCY = 20_000  # as frequent as a common word, so that a street's own words win


class Segmenter(Protocol):
    """`cut` gives the words of a normalised text in order, without punctuation and spaces."""

    def cut(self, text: str) -> list[str]: ...

    def add_words(self, words: Iterable[str]) -> None: ...


def cache_folder() -> Path:
    """A private folder for jieba's cache: its default is a file of a known name in the shared /tmp."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(base) / "gridbot" / "jieba"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="gridbot-jieba-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="gridbot-jieba-"))


class _Pieces:
    """What both segmenters share: pieces of text, words of one's own, loading on first use."""

    def __init__(self) -> None:
        self._engine: Any = None
        self._waiting: list[str] = []

    def add_words(self, words: Iterable[str]) -> None:
        known = [word for word in words if 2 <= len(word) <= 20 and re.fullmatch(r"[\u3400-\u9fff]+", word)]
        if self._engine is None:
            self._waiting += known
            return
        for word in known:
            self._add(self._engine, word)

    def cut(self, text: str) -> list[str]:
        if self._engine is None:
            self._engine = self._load()
            self.add_words(self._waiting)
        # One call a text: both cut at the spaces that we put between the pieces.
        return [word for word in self._cut(" ".join(_PIECE.findall(text.lower()))) if word != " "]

    def _load(self) -> Any:
        raise NotImplementedError

    def _add(self, engine: Any, word: str) -> None:
        raise NotImplementedError

    def _cut(self, text: str) -> list[str]:
        raise NotImplementedError


class JiebaSegmenter(_Pieces):
    """Some 10,000 short messages a second; 0.6-1.3 s and 70 MiB to load."""

    def _load(self) -> Any:
        import jieba  # slow to import: only when the first text comes

        logging.getLogger("jieba").setLevel(logging.WARNING)
        folder = str(cache_folder())
        jieba.dt.tmp_dir = folder  # for whoever else uses the shared tokenizer
        engine = jieba.Tokenizer()
        engine.tmp_dir = folder
        engine.initialize()
        return engine

    def _add(self, engine: Any, word: str) -> None:
        engine.add_word(word, _WORD_FREQUENCY)

    def _cut(self, text: str) -> list[str]:
        words: list[str] = self._engine.lcut(text)
        return words


class FastSegmenter(_Pieces):
    """rjieba: some 300,000 short messages a second; 0.2 s and 33 MiB to load."""

    def _load(self) -> Any:
        import rjieba

        return rjieba.Jieba()

    def _add(self, engine: Any, word: str) -> None:
        engine.add_word(word, _WORD_FREQUENCY, None)

    def _cut(self, text: str) -> list[str]:
        words: list[str] = self._engine.cut(text)
        return words


def ordinary(words: Iterable[str]) -> set[str]:
    """Those of the words that the dictionary has, but for people's names. Reads it through: 0.2 s."""
    wanted, found = set(words), set()
    package = importlib.util.find_spec("jieba")  # looked up, not imported: that takes longer
    assert package is not None and package.origin is not None
    with Path(package.origin).with_name("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:  # 路灯 1234 n
            word, _, rest = line.partition(" ")
            if word in wanted and not rest.rstrip().rpartition(" ")[2].startswith("nr"):
                found.add(word)
    return found


def segmenter(words: Iterable[str] = (), *, fast: bool | None = None) -> Segmenter:
    """rjieba where the extra `fast` is installed (or `fast=True`), else jieba; `words` are kept whole."""
    if fast is None:
        fast = importlib.util.find_spec("rjieba") is not None
    chosen = FastSegmenter() if fast else JiebaSegmenter()
    chosen.add_words(words)
    return chosen
