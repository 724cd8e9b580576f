"""The sheets by which the organisation goes out and comes in: their names, columns and words, as data.

The first name of each is written, the others are understood as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from handlers.organisation import GroupKind, RiskKind, Role, UnitKind

Synonyms = Mapping[str, tuple[str, ...]]  # code: the words for it, the first of which is written


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is the entry's field. `refers`: to an area or unit, by code or name. `many`: several a cell."""

    key: str
    names: tuple[str, ...]
    needed: bool = False
    words: Synonyms = field(default_factory=dict)
    refers: str = ""
    many: bool = False
    hint: str = ""  # shown on the board

    @property
    def title(self) -> str:
        return self.names[0]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`table` is a key of directory.Content."""

    table: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def title(self) -> str:
        return self.names[0]

    def column(self, key: str) -> Column:
        """Raises KeyError."""
        return {column.key: column for column in self.columns}[key]

    def named(self, key: str) -> str:
        """The column's title; a key that no column has, as it is."""
        return next((column.title for column in self.columns if column.key == key), key)


ROLES: Final[Synonyms] = {
    Role.RESIDENT: ("居民", "住户", "群众"),
    Role.COURIER: ("骑手", "快递骑手", "快递员", "外卖员", "外卖骑手"),
    Role.VOLUNTEER: ("志愿者", "小红伞", "党员", "党员志愿者"),
    Role.GRID_WORKER: ("网格员", "专职网格员", "兼职网格员", "微网格员", "物业", "楼栋长", "工作人员"),
    Role.GRID_OWNER: ("网格长", "微网格长"),
    Role.UNIT: ("联动单位", "单位", "单位联络员"),
    Role.COORDINATOR: ("指挥中心", "指挥", "协调员", "指挥长", "值班长"),
    Role.BOT: ("机器人",),
}
GROUP_KINDS: Final[Synonyms] = {
    GroupKind.RESIDENTS: ("居民群", "居民"),
    GroupKind.OWNERS: ("业主群", "业主"),
    GroupKind.DISASTER: ("自然灾害群", "自然灾害", "灾害", "防汛", "防汛群"),
    GroupKind.COURIER: ("快递骑手群", "快递骑手", "骑手群", "骑手"),
    GroupKind.SCENIC: ("景区专班群", "景区专班", "景区"),
    GroupKind.PHOTOGRAPHERS: ("旅拍群", "旅拍"),
    GroupKind.MERCHANTS: ("商户群", "商户", "商家"),
    GroupKind.HOMESTAY: ("网约房群", "网约房", "民宿"),
    GroupKind.DOCK: ("码头群", "码头"),
    GroupKind.PARENTS: ("家长群", "家长"),
    GroupKind.ELDERLY: ("关爱群", "关爱", "老人", "助老"),
    GroupKind.VOLUNTEER: ("小红伞群", "小红伞", "志愿者群", "志愿者"),
    GroupKind.UNITS: ("联动单位群", "联动单位", "单位"),
    GroupKind.COORDINATORS: ("指挥群", "指挥", "指挥中心"),
}
UNIT_KINDS: Final[Synonyms] = {
    UnitKind.POLICE: ("派出所", "公安", "警察", "交警"),
    UnitKind.FIRE: ("消防", "消防站", "消防救援"),
    UnitKind.HOSPITAL: ("医院", "卫生", "社区卫生服务中心"),
    UnitKind.CITY: ("城管", "城市管理"),
    UnitKind.ECONOMY: ("经信", "经信委"),
    UnitKind.POWER: ("电力", "供电", "供电所"),
    UnitKind.GAS: ("燃气", "天然气"),
    UnitKind.WATER: ("水务", "供水", "自来水", "排水"),
    UnitKind.TELECOM: ("电信", "中国电信"),
    UnitKind.MOBILE: ("移动", "中国移动"),
    UnitKind.UNICOM: ("联通", "中国联通"),
    UnitKind.TOWER: ("铁塔", "中国铁塔"),
    UnitKind.OTHER: ("其他", "其它"),
}
RISK_KINDS: Final[Synonyms] = {
    RiskKind.FLOODING: ("易涝点", "内涝", "积水点", "洪涝"),
    RiskKind.LANDSLIDE: ("滑坡", "地质灾害", "地灾点"),
    RiskKind.BUILDING: ("危房", "老旧房屋"),
    RiskKind.WALL: ("挡墙", "堡坎", "挡墙堡坎"),
    RiskKind.TREE: ("树木", "危树", "古树"),
    RiskKind.FIRE: ("火灾隐患", "火灾", "消防隐患"),
    RiskKind.CABLE: ("电缆井", "电缆", "管线井"),
    RiskKind.OTHER: ("其他", "其它"),
}

_AREA: Final = Column("area", ("区域", "所属区域", "片区", "网格", "area"), refers="areas", hint="编码或全名")
_ALIASES: Final = Column("aliases", ("别名", "又叫", "俗称", "aliases"), many=True, hint="几个用、隔开")

SHEETS: Final[tuple[Sheet, ...]] = (
    Sheet(
        "areas",
        ("区域", "片区", "网格", "areas"),
        (
            Column("code", ("编码", "区域编码", "网格编码", "代码", "code"), needed=True, hint="如 CTM-0101"),
            Column("name", ("名称", "区域名称", "网格名称", "name"), needed=True),
            Column(
                "parent",
                ("上级", "上级区域", "上级编码", "parent"),
                refers="areas",
                hint="编码或全名；街道不填",
            ),
            Column(
                "places",
                ("地点", "地名", "点位", "places"),
                many=True,
                hint="几个用、隔开，别名写成 江岸大厦=江岸楼",
            ),
            Column(
                "neighbours",
                ("相邻", "相邻区域", "neighbours"),
                refers="areas",
                many=True,
                hint="几个用、隔开",
            ),
        ),
    ),
    Sheet(
        "groups",
        ("群", "群组", "微信群", "groups"),
        (
            Column("id", ("群编号", "群号", "编号", "id"), hint="不知道可以不填"),
            Column("topic", ("群名", "群名称", "群聊名称", "topic"), needed=True),
            Column("kind", ("群类型", "类型", "种类", "kind"), words=GROUP_KINDS),
            _AREA,
        ),
    ),
    Sheet(
        "people",
        ("人员", "网格力量", "名册", "people"),
        (
            Column("id", ("编号", "人员编号", "工号", "id"), hint="不知道可以不填"),
            Column("name", ("姓名", "人员姓名", "name"), needed=True),
            Column("role", ("角色", "岗位", "身份", "role"), words=ROLES),
            _AREA,
            Column("unit", ("单位", "所属单位", "unit"), refers="units", hint="联动单位的人填"),
        ),
    ),
    Sheet(
        "units",
        ("单位", "联动单位", "units"),
        (
            Column("code", ("单位编码", "编码", "代码", "code"), needed=True),
            Column("name", ("单位名称", "名称", "name"), needed=True),
            Column("kind", ("单位类型", "类型", "种类", "kind"), words=UNIT_KINDS),
            _AREA,
            _ALIASES,
        ),
    ),
    Sheet(
        "risk_points",
        ("风险点", "隐患点", "风险点位", "risk_points", "risks"),
        (
            Column("code", ("风险点编码", "编码", "代码", "code"), needed=True),
            Column("name", ("风险点名称", "名称", "name"), needed=True),
            Column("kind", ("风险类型", "类型", "种类", "kind"), words=RISK_KINDS),
            _AREA,
            Column("place", ("位置", "地址", "详细位置", "place")),
            _ALIASES,
            Column("latitude", ("纬度", "latitude", "lat"), hint="度，WGS 84"),
            Column("longitude", ("经度", "longitude", "lon", "lng"), hint="度，WGS 84"),
        ),
    ),
)
BY_TABLE: Final[Mapping[str, Sheet]] = {sheet.table: sheet for sheet in SHEETS}
