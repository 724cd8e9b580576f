"""Makes the sheets of examples/street: a made-up street of a real one's size. Same output every time.

python examples/make_street.py [DIR]
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, cycle, islice
from pathlib import Path

STREET = "YB"
COMMUNITIES = ("青松", "翠竹", "红梅", "幽兰", "金菊", "白荷", "丹桂", "秋枫", "古柏", "梧桐")
NUMERALS = "一二三四五六"
GRIDS, MICRO_GRIDS, PEOPLE = 60, 279, 1863
# 某 is so-and-so: nobody is called that.
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"
GIVEN = "山水云雨雪月星辰春夏秋冬东南西北青红黄蓝金木火土松竹梅兰桃李杏柳江河湖海石田禾麦"
GROUPS = (  # kind, how many, at which level, name
    ("指挥群", 1, "street", "样板街道指挥群"),
    ("联动单位群", 1, "street", "样板街道联动单位群"),
    ("快递骑手群", 2, "street", "样板骑手{}群"),
    ("旅拍群", 1, "street", "样板旅拍摄影群"),
    ("景区专班群", 1, "street", "样板景区专班群"),
    ("码头群", 1, "street", "样板码头商船群"),
    ("商户群", 2, "community", "{}商户群"),
    ("网约房群", 2, "community", "{}网约房房东群"),
    ("家长群", 2, "community", "{}小学家长群"),
    ("小红伞群", 2, "community", "{}小红伞志愿群"),
    ("关爱群", 2, "community", "{}老人关爱群"),
    ("自然灾害群", 10, "community", "{}自然灾害预警群"),
    ("业主群", 6, "grid", "{}业主群"),
    ("居民群", 40, "grid", "{}居民群"),
)
UNITS = (  # kind, names
    ("派出所", ("样板派出所", "样板交巡警平台")),
    ("消防", ("样板消防站", "样板微型消防站")),
    ("医院", ("样板医院急诊", "样板社区卫生服务中心")),
    ("城管", ("样板城管大队", "样板环卫所", "样板绿化所")),
    ("经信", ("样板经信办",)),
    ("电力", ("样板供电所", "样板电力抢修班")),
    ("燃气", ("样板燃气站", "样板燃气抢险队")),
    ("水务", ("样板自来水厂", "样板排水公司")),
    ("电信", ("样板电信局",)),
    ("移动", ("样板移动公司",)),
    ("联通", ("样板联通公司",)),
    ("铁塔", ("样板铁塔公司",)),
    ("其他", ("样板应急办", "样板白蚁防治站", "样板电梯维保公司", "样板公交公司", "样板市场监管所")),
)
RISKS = (  # kind, name, place
    ("易涝点", "{}下穿道", "{}路桥下"),
    ("滑坡", "{}后山边坡", "{}巷尽头"),
    ("危房", "{}老房子", "{}巷9号"),
    ("挡墙", "{}堡坎", "{}梯道旁"),
    ("树木", "{}大黄葛树", "{}院坝"),
    ("火灾隐患", "{}老市场", "{}路口"),
    ("电缆井", "{}电缆井", "{}路人行道"),
    ("其他", "{}施工围挡", "{}路工地"),
)
RISK_POINTS = 58
Row = Sequence[str]


def communities() -> Iterator[tuple[str, str]]:
    """(code, short name)"""
    for number, name in enumerate(COMMUNITIES, 1):
        yield f"{STREET}-{number:02}", name


def grids() -> Iterator[tuple[str, str, str]]:
    """(code, name, community's code): six in each community."""
    for code, name in communities():
        for number, numeral in enumerate(NUMERALS, 1):
            yield f"{code}{number:02}", f"{name}{numeral}网格", code


def micro_grids() -> Iterator[tuple[str, str, str]]:
    """(code, name, grid's code): 4 or 5 in each grid."""
    more = MICRO_GRIDS - 4 * GRIDS
    for index, (code, name, _) in enumerate(grids()):
        for number in range(1, 6 if index < more else 5):
            yield f"{code}{number:02}", f"{name}{number}号微网格", code


def areas() -> Iterator[Row]:
    yield STREET, "样板街道", "", "", ""
    codes = [code for code, _ in communities()]
    for index, (code, name) in enumerate(communities()):
        beside = codes[index + 1] if index + 1 < len(codes) else ""
        yield code, f"{name}社区", STREET, f"{name}路=青石路" if name == "青松" else f"{name}路", beside
    for code, name, community in grids():
        short = name.removesuffix("网格")
        yield code, name, community, f"{short}号小区={short}小区", ""
    for index, (code, name, grid) in enumerate(micro_grids(), 1):
        yield code, name, grid, f"{name[:2]}巷{index}号院", ""


def groups() -> Iterator[Row]:
    at: dict[str, list[tuple[str, str]]] = {
        "street": [(STREET, numeral) for numeral in NUMERALS],
        "community": list(communities()),
        "grid": [(code, name) for code, name, _ in grids()],
    }
    for kind, count, level, name in GROUPS:
        places = at[level][6:] if kind == "居民群" else at[level]
        for code, called in places[:count]:
            yield "", name.format(called), kind, code


def units() -> Iterator[Row]:
    number = 0
    for kind, names in UNITS:
        for name in names:
            number += 1
            yield f"u{number:02}", name, kind, STREET, name.removeprefix("样板")


def risk_points() -> Iterator[Row]:
    grids_ = list(grids())
    for number in range(RISK_POINTS):
        kind, name, place = RISKS[number % len(RISKS)]
        code, grid, _ = grids_[number]
        short = grid.removesuffix("网格")
        # Round an invented point in the sea, where no street is.
        latitude, longitude = f"{20 + number / 1000:.3f}", f"{115 + number / 1000:.3f}"
        yield (
            f"R{number + 1:03}",
            name.format(short),
            kind,
            code,
            place.format(short[:2]),
            "",
            latitude,
            longitude,
        )


def posts() -> Iterator[list[Row]]:
    """(role, area, unit) of each person of the grid force, the main one first."""
    codes = [code for code, _ in communities()]
    grid_codes = [code for code, _, _ in grids()]
    micro_codes = [code for code, _, _ in micro_grids()]
    yield from ([("指挥中心", STREET, "")] for _ in range(23))
    yield from ([("指挥中心", code, ""), ("志愿者", code, "")] for code in codes)
    for index, code in enumerate(grid_codes):
        also: list[Row] = [("网格长", grid_codes[index + 1], "")] if index % 10 == 0 else []
        yield [("网格长", code, ""), *also]
    for index, code in enumerate(micro_codes):
        yield [("网格员", code, ""), *([("志愿者", code[:7], "")] if index % 4 == 0 else [])]
    yield from ([("网格员", code, "")] for code in islice(cycle(grid_codes), 120))  # property managers
    for code, *_ in units():
        yield [("联动单位", STREET, code), ("志愿者", STREET, "")]
        yield [("联动单位", STREET, code)]
    for index in range(180):
        yield [("骑手", STREET, ""), *([("志愿者", STREET, "")] if index % 6 == 0 else [])]
    yield from ([("志愿者", code, "")] for code in cycle([*grid_codes, *micro_codes]))


def names() -> Iterator[str]:
    for given in GIVEN:
        yield from (f"{surname}某{given}" for surname in SURNAMES)


def people() -> Iterator[Row]:
    for number, (name, held) in enumerate(zip(names(), islice(posts(), PEOPLE), strict=False), 1):
        yield from ((f"yb{number:04}", name, *post) for post in held)


SHEETS: dict[str, tuple[Row, Iterable[Row]]] = {
    "areas": (("编码", "名称", "上级", "地点", "相邻"), areas()),
    "groups": (("群编号", "群名", "群类型", "区域"), groups()),
    "people": (("编号", "姓名", "角色", "区域", "单位"), people()),
    "units": (("单位编码", "单位名称", "单位类型", "区域", "别名"), units()),
    "risk_points": (
        ("风险点编码", "风险点名称", "风险类型", "区域", "位置", "别名", "纬度", "经度"),
        risk_points(),
    ),
}


def main(folder: Path) -> None:
    for table, (header, rows) in SHEETS.items():
        lines = "".join(",".join(row) + "\r\n" for row in chain([header], rows))
        (folder / f"{table}.csv").write_bytes(lines.encode("utf-8-sig"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "street")
