"""Features, word tables and rules."""

import numpy as np
import pytest

from classifiers import concepts, rules
from classifiers.concepts import LexiconError, Phrases, standard
from classifiers.features import BUCKETS, read, rows
from classifiers.segment import Segmenter, segmenter
from classifiers.verdict import Label, Sample


@pytest.fixture(scope="module")
def words() -> Segmenter:
    return segmenter()


@pytest.mark.parametrize(
    ("dialect", "plain"),
    [
        ("楼下打捶了", "楼下打架了"),
        ("莫得水", "没有水"),
        ("路灯杆遭电到了", "路灯杆触电漏电"),
        ("搞快点", "赶快"),
        ("莫名其妙", "莫名"),
        ("屋头闻到臭鸡蛋味道", "家里闻到燃气漏气道"),
    ],
)
def test_dialect(dialect: str, plain: str) -> None:
    assert standard(dialect) == plain


def test_the_longest_phrase_wins() -> None:
    phrases = Phrases({"堡坎": "挡墙", "堡": "堡", "坎垮": "x"})
    assert phrases.replace("堡坎垮") == "挡墙垮"
    assert phrases.found("堡坎垮") == {"堡坎": "挡墙", "堡": "堡", "坎垮": "x"}


def test_a_bad_table_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(concepts, "_FOLDER", tmp_path)
    (tmp_path / "concepts.tsv").write_text("fire 火\n", "utf-8")  # type: ignore[operator]
    concepts.concepts.cache_clear()
    with pytest.raises(LexiconError, match=r"concepts.tsv:1"):
        concepts.concepts()
    concepts.concepts.cache_clear()


def test_what_is_known_of_a_message(words: Segmenter) -> None:
    names = read(Sample("【通知】明天停水？", "unit", "owners"), words).names
    assert {"c:notice", "c:utility", "s:bracket_head", "s:question", "r:unit", "k:owners"} <= set(names)


@pytest.mark.parametrize("text", ["", "火", "水" * 5_000, "😀", "\ud800"])
def test_rows_are_sorted_and_unique(words: Segmenter, text: str) -> None:
    lit = rows(read(Sample(text), words))
    assert np.all(np.diff(lit) > 0)
    assert lit[0] >= 0
    assert lit[-1] < BUCKETS


@pytest.mark.parametrize(
    ("text", "rule", "label"),
    [
        ("楼道里一股煤气味", "gas", Label.SAFETY),
        ("有人遭水冲走了", "person_in_water", Label.FLOOD),
        ("涨水了，电线断了掉在水里", "live_wire", Label.FLOOD),
        ("电线断了掉在地上", "live_wire", Label.SAFETY),
        ("他拿起菜刀要砍人", "weapon", Label.DISPUTE),
        ("电梯里头有人在拍门", "lift", Label.SAFETY),
        ("有人坐在楼顶要跳楼", "suicide", Label.SAFETY),
        ("井盖没得了，差点踩空", "manhole_fall", Label.SAFETY),
    ],
)
def test_danger(words: Segmenter, text: str, rule: str, label: Label) -> None:
    found = rules.find(read(Sample(text), words))
    assert rule in found.danger
    assert (found.trap, found.urgency, found.strong) == ("", 3, True)
    assert label in (found.label, Label.FLOOD)


@pytest.mark.parametrize(
    "text",
    [
        "去年这里有人遭水冲走了",
        "要是煤气漏了怎么办",
        "没有人受伤",
        "没闻到煤气味",
        "今晚吃烧烤，热死了",
        "成都有个小区着火了",
        "演练开始，三楼着火",
        "火已经扑灭了，有人受伤送医了",
        "手机掉江里了",
        "气得我心脏病都要犯了",
        "跳楼价甩卖",
    ],
)
def test_traps(words: Segmenter, text: str) -> None:
    found = rules.find(read(Sample(text), words))
    assert not found.strong
    assert found.urgency == 0


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("收到收到", "ack"),
        ("早上好", "greeting"),
        ("接龙 1. 张姐 2箱", "chain"),
        ("【温馨提示】今晚有雨", "notice"),
        ("各位居民请注意防范，做好准备工作", "notice_address"),
        ("土鸡蛋优惠，30元一板，私聊", "advert"),
        ("抢红包了", "red_packet"),
        ("演练开始，三楼起火", "drill"),
    ],
)
def test_never_a_report(words: Segmenter, text: str, rule: str) -> None:
    assert rules.find(read(Sample(text), words)).never == rule


@pytest.mark.parametrize(
    "text", ["有没有人收到停水通知，我屋没水", "早上好，电梯坏了", "各位邻居，我家着火了快来人"]
)
def test_a_report_that_starts_like_chatter(words: Segmenter, text: str) -> None:
    assert rules.find(read(Sample(text), words)).never == ""
