"""Nobody can be found by what is kept, and the matter can still be understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("打我电话13812345678，快", "打我电话〔电话〕，快"),
        ("+86 138-1234-5678", "〔电话〕"),
        ("０２３－６３８０１２３４找我", "〔电话〕找我"),
        ("(023)63801234", "〔电话〕"),
        ("电话：63801234", "〔电话〕"),
        ("１３８１２３４５６７８", "〔电话〕"),
        ("1 3 8 1 2 3 4 5 6 7 8", "〔电话〕"),
        ("幺三八一二三四五六七八", "〔电话〕"),
        ("138123456780 转1", "〔号码〕 转1"),
        ("身份证50010119900307123X", "身份证〔身份证〕"),
        ("卡号 6222 0212 3456 7890 123 转账", "卡号 〔银行卡〕 转账"),
        ("渝A12345挡住门了", "〔车牌〕挡住门了"),
        ("渝A·D12345 占消防通道", "〔车牌〕 占消防通道"),
        ("发到 li.si@example.com", "发到 〔邮箱〕"),
        ("加我微信 zhang_san88", "加我微信〔微信〕"),
        ("vx: abc12345", "〔微信〕"),
        ("wxid_abc123", "〔微信〕"),
        ("QQ：123456789", "〔QQ〕"),
        ("姓名：张三丰，住3栋", "姓名〔姓名〕，住3栋"),
        ("我叫张伟，住5栋", "我叫〔姓名〕，住5栋"),
        ("我叫李小明住3栋", "我叫〔姓名〕住3栋"),
        ("联系人：王大力 13812345678", "联系人〔姓名〕 〔电话〕"),
        ("@唐孃孃 你家漏水", "〔群友〕 你家漏水"),
    ],
)  # fmt: skip
def test_who_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "请马上打119，或者12345、96333",
        "江岸大厦3栋2单元1204，水深50厘米",
        "CTM0712-031 办好没有",
        "2026年7月12日18:05开始停水",
        "我叫救护车了",
        "我叫了物业三次",
        "微信群里说一声",
        "电费多了1500元",
        "水位182.35米，流量12000",
        "",
    ],
)
def test_what_happened_stays(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=40), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(max_size=40))
def test_no_number_comes_through(before: str, number: str, after: str) -> None:
    masked = mask(f"{before} {number} {after}")
    assert number not in masked
