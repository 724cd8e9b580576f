"""Segmenters: words of one's own, private cache, and that both agree."""

import tempfile
from pathlib import Path

import pytest

from classifiers import dataset
from classifiers.normalise import normalise
from classifiers.segment import FastSegmenter, JiebaSegmenter, cache_folder


def test_words_without_punctuation() -> None:
    assert JiebaSegmenter().cut("电梯坏了,B2 进水!") == ["电梯", "坏", "了", "b2", "进水"]


@pytest.mark.parametrize("kind", [JiebaSegmenter, FastSegmenter])
def test_words_of_ones_own(kind: type[JiebaSegmenter]) -> None:
    if kind is FastSegmenter:
        pytest.importorskip("rjieba")
    segmenter = kind()
    segmenter.add_words(["磁井坎", "x", "3栋"])
    assert "磁井坎" in segmenter.cut("磁井坎那边进水了")
    segmenter.add_words(["枣子岚垭"])
    assert "枣子岚垭" in segmenter.cut("枣子岚垭堵车")


def test_both_agree() -> None:
    pytest.importorskip("rjieba")
    slow, fast = JiebaSegmenter(), FastSegmenter()
    for segmenter in (slow, fast):
        segmenter.add_words(["枣子岚垭", "黄葛坪"])
    texts = [normalise(example.sample.text) for example in dataset.load()[::7]]
    assert [slow.cut(text) for text in texts] == [fast.cut(text) for text in texts]


def test_cache_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder.is_relative_to(tmp_path)
    assert folder.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert cache_folder().is_relative_to(tempfile.gettempdir())
