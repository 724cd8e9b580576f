"""Which facility problem or service wish a matter is."""

from collections import Counter

import pytest

from handlers import kinds
from handlers.files import read_mapping
from handlers.kinds import Sort, kind_of

FACILITY = [
    ("service", "2单元电梯坏了", "lift"),
    ("service", "電梯又壞了，我媽住九樓", "lift"),
    ("service", "楼道灯不亮", "lamp"),
    ("service", "岸上路灯一盏都没亮", "lamp"),
    ("safety", "井盖不见了，路上空了一个洞", "manhole"),
    ("service", "B2充电桩三个坏俩", "charger"),
    ("service", "化粪池满了，粪水流到路上来了", "pipes"),
    ("flood", "下水道堵了，水往外返", "pipes"),
    ("service", "停水了？我洗了一半头", "water"),
    ("service", "整条巷子没电 做不成", "power"),
    ("service", "停气了", "gas"),
    ("safety", "观景台护栏松了，一靠就晃", "railing"),
    ("service", "门口地砖翘起", "road"),
    ("service", "校门口那条斑马线磨得看不见了", "traffic"),
    ("service", "门口被车堵了 乱停", "parking"),
    ("service", "树枝长到窗户里头来了，请园林剪一下", "tree"),
    ("service", "垃圾桶全部满出来", "rubbish"),
    ("service", "四楼女厕锁着的", "toilet"),
    ("service", "滑滑梯烂了", "leisure"),
    ("service", "二单元那个门禁又刷不起", "door"),
    ("service", "墙皮起泡掉灰，物业啥时候来补", "building"),
    ("safety", "消防栓没有水", "fire"),
    ("service", "快递柜打不开", "cabinet"),
]
SERVICE = [
    ("service", "我降压药吃完了，有没有人帮我去社区医院拿", "medicine"),
    ("service", "助餐点今天的饭夹生", "meal"),
    ("service", "能不能找个人陪诊，老人一个人去医院", "escort"),
    ("service", "老人失能在床，想申请助浴", "bath"),
    ("service", "王奶奶住六楼，透析要人背下楼", "carry"),
    ("service", "哪个帮忙代取个东西", "errand"),
    ("service", "身份证补办要带什么", "paper"),
    ("service", "我想申请临时救助", "benefit"),
    ("service", "暑假社区四点半课堂开不开", "kids"),
    ("service", "老花镜落在大厅了，有没有捡到", "lost"),
    ("service", "老年大学声乐班还招不招人", "culture"),
    ("service", "我想申请法律援助", "law"),
    ("service", "报刊亭全撤了，哪里还能买到晚报", "other"),
]


@pytest.mark.parametrize(("label", "text", "code"), FACILITY)
def test_facility_problems(label: str, text: str, code: str) -> None:
    kind = kind_of(label, text)
    assert kind is not None and (kind.sort, kind.code) == (Sort.FACILITY, code)


@pytest.mark.parametrize(("label", "text", "code"), SERVICE)
def test_service_wishes(label: str, text: str, code: str) -> None:
    kind = kind_of(label, text)
    assert kind is not None and (kind.sort, kind.code) == (Sort.SERVICE, code)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("dispute", "楼上漏水，物业不管，吵起来了"),
        ("safety", "垃圾桶在燃"),
        ("safety", "有个老人晕倒在电梯口"),
        ("flood", "有人遭水冲走"),
        ("none", "路灯真好看"),
    ],
)
def test_in_neither_list(label: str, text: str) -> None:
    assert kind_of(label, text) is None


@pytest.mark.parametrize(
    ("place", "summary", "code"),
    [
        ("石梯坎", "石梯坎垃圾没人收", "rubbish"),
        ("石梯坎", "垃圾没人收", "rubbish"),
        ("停车场", "停车场路灯不亮", "lamp"),
        ("2单元电梯", "2单元电梯又停起", "lift"),
        ("石梯坎", "石梯坎烂了", "road"),
    ],
)
def test_the_name_of_the_place_counts_only_where_nothing_else_does(
    place: str, summary: str, code: str
) -> None:
    kind = kind_of("service", summary, place)
    assert kind is not None and kind.code == code


def test_each_word_names_one_kind() -> None:
    table = read_mapping(kinds._FILE)
    words = [word for sort in Sort for line in table[sort].values() for word in line["words"].split()]
    assert [word for word, count in Counter(words).items() if count > 1] == []


def test_the_kinds_are_listed_in_their_order() -> None:
    assert [kind.code for kind in kinds.kinds(Sort.FACILITY)][:2] == ["lift", "lamp"]
    assert kinds.kinds(Sort.SERVICE)[-1].name == "其他诉求"
