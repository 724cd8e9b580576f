"""Takes out of a text what tells who somebody is.

`mask` is for what is kept to learn from and what leaves the machine: numbers, names, plates go; places stay,
they are the matter itself. `mask_for_others` is for what is said in a group about what was told elsewhere:
numbers go, names stay, of an address the building stays (help has to find it), unit, floor and room go. Short
numbers (119, 12345) and ticket numbers stay in both. Better a word too many masked than a number too few.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator

_D = "[0-9０-９]"
_GAP = r"[ \t\u00a0\u2000-\u200b\u3000.·‐-―－-]?"  # what people put between digits
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严金魏陶姜谢邹喻苏潘葛范彭鲁韦马方俞任袁柳鲍史唐费薛雷贺倪汤滕罗毕郝"
    "安常乐傅康伍余顾孟黄穆萧尹姚邵汪毛成戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍万柯"
    "卢莫房解丁邓洪包左石崔龚程邢裴陆翁荀段巫焦牧谷车侯全班秋仲宫宁栾甘厉祖武符刘景詹龙叶黎白蒲温庄晏柴瞿阎连艾容向古易"
    "廖文曾关红游权申冉涂代敖牟况幸寇"
)
_CALLED = "(?:(?<=我叫)|(?<=名叫)|(?<=本人))"
_NAME_ENDS = r"(?=$|[^\u4e00-\u9fff]|住|家|在|的|是|电话|手机|今年|男|女|身份证)"


def is_a_name(word: str) -> bool:
    """Whether it looks like somebody's full name: a surname and one or two characters."""
    return 2 <= len(word) <= 3 and word[0] in _SURNAMES and all("\u4e00" <= c <= "\u9fff" for c in word)


_Masks = tuple[tuple[str, re.Pattern[str]], ...]


def _masks(*patterns: tuple[str, str]) -> _Masks:
    return tuple((f"〔{name}〕", re.compile(pattern, re.IGNORECASE)) for name, pattern in patterns)


# The longest numbers first: a bank card holds many a telephone number.
_NUMBERS = _masks(
    ("邮箱", r"[A-Za-z0-9._%+-]{1,64}[@＠][A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}"),
    ("身份证", rf"(?<!{_D})(?:{_D}{_GAP}){{17}}[0-9０-９XxＸｘ](?!{_D})"),
    ("银行卡", rf"(?<!{_D})(?:{_D}{_GAP}){{15,18}}{_D}(?!{_D})"),
    ("身份证", rf"(?<!{_D}){_D}{{15}}(?!{_D})"),
    ("电话", rf"(?<!{_D})(?:[+＋]?(?:00)?86{_GAP})?[1１]{_GAP}[3-9３-９](?:{_GAP}{_D}){{9}}(?!{_D})"),
    ("电话", rf"(?<!{_D})[(（]?[0０]{_D}{{2,3}}[)）]?{_GAP}(?:{_D}{_GAP}){{6,7}}{_D}(?!{_D})"),
    ("电话", r"[幺一][三四五六七八九][零〇洞幺一二两三四五六七拐八九勾]{9}"),
    ("电话", rf"(?:电话|手机|号码|热线|tel)[:：是为\s]{{0,3}}(?:{_D}{_GAP}){{6,7}}{_D}(?!{_D})"),
    ("号码", rf"{_D}{{11,}}"),
    ("QQ", rf"(?:QQ|扣扣|企鹅)号?(?:[:：是为\s]{{0,3}}){_D}{{5,12}}"),
    ("微信", r"wxid_[A-Za-z0-9_-]{1,40}"),
    ("微信", r"(?<=微信)(?:号|id)?[:：是为\s]{0,3}[A-Za-z][A-Za-z0-9_-]{4,19}"),
    ("微信", r"(?<![A-Za-z])(?:v[xX]|wx|weixin|wechat)号?[:：是为\s]{1,3}[A-Za-z][A-Za-z0-9_-]{4,19}"),
)  # fmt: skip
_PEOPLE = _masks(
    ("车牌", rf"[{_PROVINCES}][A-Z][ ·•.-]?[A-Z0-9]{{4,5}}[A-Z0-9挂学警港澳](?![A-Z0-9])"),
    ("姓名", r"(?<=姓名)[:：是为叫\s]{0,3}[\u4e00-\u9fff·]{2,4}"),
    ("姓名", rf"(?<=联系人)[:：是为叫\s]{{1,3}}[{_SURNAMES}][\u4e00-\u9fff·]{{1,3}}"),
    ("姓名", rf"{_CALLED}[:：\s]{{0,2}}[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}{_NAME_ENDS}"),
    ("群友", r"(?<![A-Za-z0-9])[@＠][^\s@＠,，。:：!！?？、;；]{1,20}"),
)  # fmt: skip


def mask(text: str) -> str:
    """The text with telephone, ID, card numbers, plates, e-mail addresses and plain names replaced."""
    for token, pattern in (*_NUMBERS, *_PEOPLE):
        text = pattern.sub(token, text)
    return text


_N = "[0-9０-９一二三四五六七八九十百零〇○两]"
_S = r"[\s,，、的]{0,2}"
_BUILDING = r"(?:栋|幢|座|大厦|大楼|公寓|小区|花园|号楼|号院|苑|庭|阁)"
_UNIT = rf"(?:{_N}{{1,3}}|[A-Za-z甲乙丙丁])\s?单元"
_FLOOR = rf"[负-]?{_N}{{1,3}}\s?[楼层](?![栋下上道梯顶])"
# What follows a number that is no room: 500米, 2026年, 20户, 3号线.
_MEASURE = "[米元块年度个人户多瓦Vv伏路吨平层楼栋幢号分点月日天斤家－—~～至到-]|公里|厘米"
_NO_ROOM = rf"(?![0-9０-９.．:：]|\s?(?:{_MEASURE}))"
_NOT_CALLED = r"(?!(?:110|119|120|122)(?!\d))"
_SPOKEN = "[一二三四五六七八九][零〇○][一二三四五六七八九]"
_BARE = rf"(?<![0-9０-９]){_NOT_CALLED}[A-Za-z]?[0-9０-９]{{3,4}}{_NO_ROOM}|{_SPOKEN}"
_NAMED = rf"(?:[A-Za-z]?[0-9０-９]{{2,4}}|{_N}{{3,4}})\s?(?:号房|室|房(?![间东子租屋产客卡顶]))"
_NUMBERED = rf"{_N}{{1,4}}\s?号(?![楼线门院桥码车机电])"
_DASH = r"\s?[-－—]\s?"
_NO_SPAN = r"(?![0-9０-９]|\s?(?:[-－—]|米|元|点|号|楼|层|栋|天|人))"
_DASHED = rf"(?<![0-9０-９])[0-9０-９]{{1,2}}{_DASH}[0-9０-９]{{1,4}}{_NO_SPAN}"
_CUT = rf"{_N}{{1,3}}(?=…)"  # what was shortened in its midst

# Each keeps its group `keep`, where it has one.
_ROOMS = tuple(
    re.compile(pattern)
    for pattern in (
        # 2单元501, 2单元5楼3号, 2单元5楼
        rf"{_UNIT}{_S}(?:(?:{_FLOOR}){_S})?(?:{_NAMED}|{_DASHED}|{_NUMBERED}|{_BARE}|{_CUT})",
        rf"{_UNIT}{_S}{_FLOOR}",
        # 3栋501, 江岸大厦5楼502, 3栋5-2
        rf"(?P<keep>{_BUILDING}{_S})(?:(?:{_FLOOR}){_S})?(?:{_NAMED}|{_DASHED}|{_BARE})",
        rf"(?P<keep>{_BUILDING}{_S})(?:{_FLOOR}){_S}{_NUMBERED}",
        # 5楼502, 五楼3号
        rf"{_FLOOR}{_S}(?:{_NAMED}|{_NUMBERED}|{_BARE})",
        # 人和街23号4-2
        rf"(?P<keep>[\u4e00-\u9fff]{_N}{{1,4}}号(?:附{_N}{{1,3}}号)?{_S})(?:{_DASHED}|{_NAMED})",
        # 3-2-501
        rf"(?<![0-9０-９-])(?P<keep>{_N}{{1,2}})[-－—][0-9０-９]{{1,2}}[-－—][0-9０-９]{{2,4}}(?![0-9０-９-])室?",
        # 501室, 1803房
        rf"(?<![0-9０-９第]){_NAMED}",
    )
)
_CUT_NUMBER = re.compile(rf"{_D}(?:{_GAP}{_D}){{4,}}(?=…)")

Known = Callable[[str], bool]


def mask_for_others(text: str, known: Iterable[str] = (), *, street: str = "") -> str:
    """The text as it may be said where it was not told.

    known: what was said there by the people themselves; what stands in it may be repeated. street: the code
    that ticket numbers begin with.
    """
    told = {_plain(span) for said in known for span in _personal(said)}

    def is_known(span: str) -> bool:
        plain = _plain(span)
        return any(one.startswith(plain) or one.endswith(plain) for one in told)

    if not street:
        return _masked(text, is_known)
    # A long code and the day look like a telephone number: 5001030020713-001.
    parts = re.split(rf"((?<![A-Za-z0-9]){re.escape(street)}[0-9]{{4}}-[0-9]{{3,5}}(?![0-9]))", text)
    return "".join(part if index % 2 else _masked(part, is_known) for index, part in enumerate(parts))


def personal(text: str) -> Iterator[str]:
    """Telephone and other numbers, and flats, in letters and digits alone, as `mask_told` takes them."""
    return (plain for span in _personal(text) if (plain := _plain(span)))


def mask_told(text: str, told: Collection[str]) -> str:
    """The text without those numbers and flats, however they are written; all others stay."""
    return _masked(text, lambda span: _plain(span) not in told) if told else text


def _masked(text: str, known: Known) -> str:
    for token, pattern in (*_NUMBERS, ("〔号码〕", _CUT_NUMBER), *(("〔门牌〕", room) for room in _ROOMS)):
        text = pattern.sub(lambda found, token=token: _replaced(found, token, known), text)  # type: ignore[misc]
    return text


def _replaced(found: re.Match[str], token: str, known: Known) -> str:
    keep = _kept(found)
    return found[0] if known(found[0][len(keep) :]) else f"{keep.rstrip()}{token}"


def _kept(found: re.Match[str]) -> str:
    return found.groupdict().get("keep") or ""


def _personal(text: str) -> Iterator[str]:
    """What of the text is masked for others."""
    for _, pattern in _NUMBERS:
        yield from (found[0] for found in pattern.finditer(text))
    for room in _ROOMS:
        yield from (found[0][len(_kept(found)) :] for found in room.finditer(text))


def _plain(span: str) -> str:
    """Letters and digits alone: 138-1234 5678 is 13812345678."""
    return "".join(c for c in unicodedata.normalize("NFKC", span).lower() if c.isalnum())
