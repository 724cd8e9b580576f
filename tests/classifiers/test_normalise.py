"""Normalisation: each kind of noise, and that it never raises and has nothing left to do."""

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalise import MAX_CHARS, normalise, simplify


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("３号楼　Ｂ２", "3号楼 B2"),
        ("樓上漏水，請幫忙", "楼上漏水,请帮忙"),
        ("@物业小苏\u2005电梯坏了", "电梯坏了"),
        ("@张 三丰\u2005电梯坏了", "电梯坏了"),
        ("@网格员 电梯坏了", "电梯坏了"),
        ("@物业电梯坏了好几天了没人修", "物业电梯坏了好几天了没人修"),
        ("哈哈哈哈哈哈", "哈哈"),
        ("快来人啊啊啊啊！！！！", "快来人啊啊!!"),
        ("着火了🔥🔥快来", "着火了 快来"),
        ("🆘3栋", "求救3栋"),
        ("[图片][捂脸]水好大", "水好大"),
        ("「张三：水好大」\n- - - - - - -\n哪里", "哪里"),
        ("a\u200bb\x00c\ud800d", "abcd"),
        ("", ""),
        ("😀😀[图片]", ""),
    ],
)
def test_noise_goes(text: str, plain: str) -> None:
    assert normalise(text) == plain


def test_long_text_is_bounded() -> None:
    assert len(normalise("水电气" * 40_000)) <= MAX_CHARS


def test_simplify_keeps_the_length() -> None:
    assert simplify("臺灣樓道ABC") == "台湾楼道ABC"


def test_the_table_of_traditional_characters_is_that_of_opencc() -> None:
    characters = [chr(code) for code in range(0x3400, 0xA000)]
    converter = opencc.OpenCC("t2s")
    expected = {character: converter.convert(character) for character in characters}
    one_to_one = {old: new for old, new in expected.items() if len(new) == 1 and new < "\U00010000"}
    assert {old: simplify(f"🎈{old}")[1:] for old in one_to_one} == one_to_one


@given(st.text() | st.text(alphabet="@[]「」：\n-哈水樓Ａ１ \u2005\u200b\ud800😀图片!！", max_size=60))
def test_normalise_has_nothing_left_to_do(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    plain.encode("utf-8")
