"""Nobody can be found by what is kept, and the matter can still be understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.digest_text import text_of
from handlers.figures import counting, periods
from handlers.figures.model import DigestKind
from handlers.masking import mask, mask_for_others
from storage.database import Database
from tests.storage.rows import keep, ticket
from tests.support.street import Street


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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("江岸大厦3栋2单元501", "江岸大厦3栋〔门牌〕"),
        ("江岸大厦3栋2单元5楼3号漏水", "江岸大厦3栋〔门牌〕漏水"),
        ("江岸大厦501水管爆了", "江岸大厦〔门牌〕水管爆了"),
        ("３栋５０１室", "３栋〔门牌〕"),
        ("三栋二单元五零一", "三栋〔门牌〕"),
        ("二单元五楼三号", "〔门牌〕"),
        ("3栋5-2，A座1204", "3栋〔门牌〕，A座〔门牌〕"),
        ("3-2-501", "3〔门牌〕"),
        ("人和街23号4-2下水堵了", "人和街23号〔门牌〕下水堵了"),
        ("1803房漏水，5楼502着火", "〔门牌〕漏水，〔门牌〕着火"),
        ("唐孃孃电话13800001234", "唐孃孃电话〔电话〕"),
        ("我家3栋2单元50…", "我家3栋〔门牌〕…"),
        ("电话138000012…", "电话〔号码〕…"),
        ("打1380000…", "打〔号码〕…"),
    ],
)
def test_where_exactly_is_masked_for_others(text: str, masked: str) -> None:
    assert mask_for_others(text) == masked
    assert mask_for_others(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "江岸大厦负二楼车库进水，3栋10楼有烟，2号楼2单元电梯坏了",
        "石梯坎3号、滨江路12号、民宿街9号附5号",
        "江岸大厦500米外，3栋20户停电，3栋两室一厅，轻轨3号线",
        "请打119，或者12345、96333，江岸大厦119来了没",
        "CTM0713-001 @周网格长 请接：#接单 CTM0713-001，或派出去：#派单 1 @谁",
        "2026-07-12 18:05，1-3月，水位182.35米",
        "",
    ],
)
def test_the_matter_stays_for_others(text: str) -> None:
    assert mask_for_others(text, street="CTM") == text


def test_what_was_told_there_may_be_repeated_there() -> None:
    said = ["我家在3栋2单元501，电话138 0000 1234"]
    text = "2单元501已关水，13800001234打通了，2单元502和13900005678没人"
    assert mask_for_others(text, said) == "2单元501已关水，13800001234打通了，〔门牌〕和〔电话〕没人"


def test_the_bots_own_numbers_stay_however_long() -> None:
    text = "5001030020713-001 已记下，13800001234"
    assert mask_for_others(text, street="500103002") == "5001030020713-001 已记下，〔电话〕"


@given(st.text(max_size=30), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(max_size=30))
def test_no_number_comes_to_others(before: str, number: str, after: str) -> None:
    assert number not in mask_for_others(f"{before} {number} {after}", ["别的话"], street="CTM")


def test_the_digest_names_no_flat(sqlite_url: str) -> None:
    street = Street(Database(sqlite_url))
    day = street.clock().date()
    keep(
        street.database,
        ticket(place="江岸大厦3栋2单元501", opened_at=street.clock(), clock_from=street.clock()),
    )
    street.clock.move(minutes=1)
    with street.context() as ctx:
        window = periods.window(ctx, DigestKind.EVENING, day)
        told = text_of(ctx, counting.of_window(ctx, ctx.organisation.root, window), window)
    street.database.close()
    assert "江岸大厦3栋〔门牌〕" in told
    assert "501" not in told
