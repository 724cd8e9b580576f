"""Which part of a text names the place: patterns, and the street's own names where they are given."""

import re
from collections.abc import Iterable

from classifiers.normalise import simplify

MAX_READ = 400  # characters; a report names its place early
_NUMBER = r"[0-9A-Za-z一二三四五六七八九十百]"
# Full width to half width one by one, so that positions stay those of the original.
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

# What ends a name: 来福士广场, 健康路, 十八梯. A single character needs two before it.
_LONG_TAIL = (
    r"大道|广场|步行街|老街|正街|横街|后街|大街|新村|小区|花园|家园|公寓|大厦|大楼|公馆|社区|市场|商场|超市|医院|小学|中学|幼儿园|"
    r"大学|学校|公园|酒店|宾馆|民宿|码头|渡口|车站|公交站|地铁站|轻轨站|轻轨|隧道|立交|大桥|天桥|人行桥|索道|城楼|书院|菜市场|门诊|"
    r"派出所|驿站|驿栈|敬老院|养老院|酒吧街|观景台|观景平台|亲水平台|亲水步道|步道|下穿道|穿道|地下道|地下通道|门洞|食堂|茶馆|"
    r"餐馆|面馆|网吧|装饰城|老衣铺|批发城|停车楼|活动室|服务站|安置点"
)
_SHORT_TAIL = (
    r"[路街巷](?!上|边|灯|人|面|过|子|线|由|程|费|障)|[苑府湾坝坪岩桥塔寺庙洞梯坡沟塝垭]"
    r"|里(?=[0-9]{1,4}\s*[号栋])"  # 大顺里9号
)
_STOP = (
    "的了是在有我你他她它们这那个吗嘛呢吧啊呀哦哈就都也还要会能"
    "不没很太到去来从往被把和跟对给让说看请问帮反条着过得将"
)
_CHARACTER = rf"(?:(?![{_STOP}])[\u4e00-\u9fff])"
_NAME = (
    rf"(?:{_CHARACTER}{{1,6}}?(?:{_LONG_TAIL})|{_CHARACTER}{{2,5}}?(?:{_SHORT_TAIL}))"
    rf"(?:口|脚|头|东侧|西侧|南侧|北侧)?"
)
_BUILDING = (
    rf"(?:(?<!月){_NUMBER}{{1,5}}(?:-\d{{1,3}})?\s*(?:号楼(?![上下道梯顶])|号院|栋|幢|号|座|#)|[A-Za-z]\d{{0,2}}\s*(?:栋|幢|座|区|馆|口))"
    rf"(?!线|机|人|车|位|店主)"
)
_UNIT = rf"{_NUMBER}{{1,3}}\s*单元"
_FLOOR = (
    rf"(?:负{_NUMBER}{{1,2}}\s*[楼层]?|[Bb][1-5](?:层|楼)?|{_NUMBER}{{1,3}}\s*[楼层](?!主|以上|住户们)|楼顶|顶楼|底楼|吊层|平街层)"
    rf"(?:\s*[A-Z]区)?"
)
_ROOM = r"(?:\d{3,4}(?:室|号房|房)?(?![0-9元块米个斤度年月.分秒]))"
_DOOR = r"(?<![\d.:：-])\d{3,4}(?:[房室]|(?=门|的客人|那家|住户|有个|漏|没人))|\A\d{1,2}-\d{1,2}(?=\s)"
_DASHED = r"(?<![\d-])\d{1,2}-\d{1,2}-\d{1,2}(?![\d-])|(?<![\d-])\d{1,2}-\d{1,2}(?=\s*(?:的|家|住户|门口|室))"
_SPOT = (
    r"地下车库|地下停车场|地下室|车库入口|车库|停车场|停车楼|电梯间|电梯厅|电梯里|楼梯间|楼道|走廊|大堂|门厅|架空层|天台|天井|"
    r"配电房|水泵房|垃圾站|垃圾房|公厕|厕所|通道|地漏|后厨|灶屋|屋顶|滑滑梯|游乐场|健身区|小花园|花台|凉亭|亭子|岗亭|门卫室|保安室|收发室|"
    r"亲水平台|观景台|步道|下穿道|穿道|地下通道|码头|公交站|地铁站|广场|菜市场|阳台|厨房|服务站|安置点|"
    r"大门口|后门|前门|侧门|东门|西门|南门|北门|校门口|巷子口|路口|街口|坡道|人行道|斑马线|过街地道|梯坎|石梯|堡坎|挡墙|院坝|坝子|"
    r"候船厅|售票厅|售票口|大厅|天桥|桥墩|台阶|坡上|坡顶|坡底|坎坎上|工地|工棚|脚手架|牌坊|隧道口|地道|楼梯|院子|后院|"
    r"前台|柜台|收银台|泵房|泵坑|配电箱|驿站|门卫|滑梯|垃圾桶|电杆|灯杆|雨棚|桥下|桥底|洞口|匝道|"
    r"江边|河边|河坝|趸船|跳板|护栏|花坛|绿化带|消防通道|盲道|车棚|充电桩|货梯|扶梯|电梯|门口|楼下|对面|旁边|隔壁|后头|前头"
)
_LINK = r"[\s,的]{0,2}"
_PATTERN = re.compile(
    rf"(?:(?P<name>{_NAME}){_LINK})?"
    rf"(?:(?P<building>{_BUILDING}|{_DASHED}|{_DOOR}){_LINK})?(?:(?P<unit>{_UNIT}){_LINK})?"
    rf"(?:(?P<floor>{_FLOOR}){_LINK})?(?:(?P<room>(?<=[层楼元栋幢])\s?{_ROOM}){_LINK})?(?P<spot>(?:{_SPOT}){{0,2}})"
)
_WORTH = {"name": 4, "building": 4, "unit": 2, "floor": 2, "room": 1}
_VAGUE = {"门口", "楼下", "对面", "旁边", "隔壁", "后头", "前头", "楼道", "走廊", "电梯", "厕所", "扶梯"}
# A place said last, on its own: 快来人 观音岩坎; 门撬了，文化里4号.
_LAST = re.compile(
    rf"[\s,。.!!](?P<place>{_CHARACTER}{{1,8}}(?:{_LONG_TAIL}|[路街巷里坎坡口站坊滩沟坝湾院脚桥园苑城村堂栈馆店店厦])"
    rf"(?:{_CHARACTER}{{0,4}}?(?:{_BUILDING}|{_UNIT}|{_FLOOR}|{_SPOT}|\d{{3,4}}))*)[\s。.!!]*\Z"
)
_EDGE = " ,,。.!!??;;::、的"
_AFTER = re.compile(rf"(?:{_LINK}(?:{_BUILDING}|{_UNIT}|{_FLOOR}|{_SPOT}))+")
_TAIL = re.compile(rf"{_CHARACTER}{{0,2}}(?:{_LONG_TAIL}|梯道)")
_NOT_A_NAME = re.compile(
    r"\A(?:今天|昨天|明天|现在|刚才|大家|各位|什么|怎么|哪里|一定|专门|开门|关门|敲门|出门|部门|热门|上门)|(?:开|关|敲|出|上|部|热|锁|堵|砸|拍|进)门\Z"
)


def fold(text: str) -> str:
    """Simplified and half width, of the same length, so that a span is a span of the original."""
    return simplify(text.translate(_HALF))


# Words before a name that are none of it: 巡查发现大顺里9号, 反映北区路小桥.
_LEAD = re.compile(r"(?:巡查|巡线|巡逻)?发现|来电反映|反映|比[昨前今]天|[昨今]天晚上|上周|楼上的|请问")


class Places:
    """Finds places; `names` are areas and buildings of the street, which win over guesses."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        known = sorted(
            {fold(name.strip()) for name in names if len(name.strip()) > 1}, key=lambda n: (-len(n), n)
        )
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def find(self, text: str) -> str:
        """A substring of the text, "" where no place is named."""
        text = text[:MAX_READ]
        folded = fold(text)
        named = _LEAD.sub(lambda lead: "," * len(lead[0]), folded)
        span = self._given(folded) or _last(named) or _guess(named)
        return text[span[0] : span[1]].strip(_EDGE) if span else ""

    def _given(self, folded: str) -> tuple[int, int] | None:
        found = self._known.search(folded) if self._known else None
        if found is None:
            return None
        longer = _TAIL.match(folded, found.end())  # 石梯坎 -> 石梯坎大梯道
        end = longer.end() if longer else found.end()
        more = _AFTER.match(folded, end)
        return found.start(), more.end() if more else end


def _last(folded: str) -> tuple[int, int] | None:
    found = _LAST.search(folded)
    return found.span("place") if found and not _NOT_A_NAME.search(found["place"]) else None


def _guess(folded: str) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    most = 0
    position = 0
    while position < len(folded):
        match = _PATTERN.match(folded, position)
        if match is None or match.end() == position:
            position += 1
            continue
        worth = sum(points for part, points in _WORTH.items() if match[part])
        if match["name"] and _NOT_A_NAME.search(match["name"]):
            worth = 0
        if match["spot"]:
            worth += 1 if match["spot"] in _VAGUE else 2
        # A vague spot alone (门口) names a place only where nothing better does.
        if worth > most:
            best, most = (match.start(), match.end()), worth
        position = match.end()
    return best


_SPOTS_ONLY = re.compile(rf"(?:{_SPOT}|{_FLOOR})+\Z")


def is_spot(place: str) -> bool:
    """Whether it is only a kind of place (门口, 负二楼, 地下车库), which every building has."""
    return _SPOTS_ONLY.match(fold(place)) is not None
