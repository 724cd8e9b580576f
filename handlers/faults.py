"""What can be wrong with an organisation, said in English (command line) and Chinese (board)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from handlers.files import mistakes


class Problem(StrEnum):
    TWICE = "twice"
    NO_AREA = "no_area"
    NO_UNIT = "no_unit"
    ROUND = "round"
    PLACE_TWICE = "place_twice"
    ONE_ROOT = "one_root"
    POST_TWICE = "post_twice"
    AMBIGUOUS = "ambiguous"
    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    PATTERN = "pattern"
    NUMBER = "number"
    RANGE = "range"
    CHOICE = "choice"
    FORMULA = "formula"
    BROKEN_CELL = "broken_cell"
    NAMELESS = "nameless"
    SAME_NAME = "same_name"
    OTHER_NAME = "other_name"
    STALE = "stale"
    NOT_YOURS = "not_yours"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fault:
    """`table` is a key of Content, `index` the entry there (-1: the whole table), `field` its key."""

    problem: Problem
    table: str = ""
    index: int = -1
    field: str = ""
    value: str = ""
    other: str = ""  # the second thing that it takes, or pydantic's own words
    place: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What is wrong, how to mend it, and both in Chinese."""

    what: str
    mend: str
    chinese: str


_WORDS: Mapping[Problem, Words] = {
    Problem.TWICE: Words(
        "{value} stands twice", "keep one of the rows", "“{value}”已经有了，请换一个或改原来的那条"
    ),
    Problem.NO_AREA: Words(
        "there is no area {value}",
        "write the code or the whole name of an area, or add that area",
        "没有“{value}”这个区域，请填区域的编码或全名，或先加上这个区域",
    ),
    Problem.NO_UNIT: Words(
        "there is no unit {value}",
        "write the code or the name of a unit, or add that unit",
        "没有“{value}”这个单位，请填单位的编码或名称，或先加上这个单位",
    ),
    Problem.ROUND: Words(
        "{value} lies below itself", "name another area above it", "“{value}”不能在自己下面，请换一个上级"
    ),
    Problem.PLACE_TWICE: Words(
        "both {other} and {value} claim the place {place}",
        "keep it in one of them",
        "地点“{place}”{other}和{value}都有，请只留一个",
    ),
    Problem.ONE_ROOT: Words(
        "exactly one area has no parent: the street",
        "name the area above each of the others",
        "只能有一个区域没有上级，就是街道本身，其他的请填上级",
    ),
    Problem.POST_TWICE: Words(
        "the same post stands twice", "keep one of the rows", "同样的角色写了两次，请去掉一个"
    ),
    Problem.AMBIGUOUS: Words(
        "several are called {value}",
        "write its code or id instead of the name",
        "叫“{value}”的不止一个，请填编码",
    ),
    Problem.EMPTY: Words("is empty", "fill it in", "没有填，请填上"),
    Problem.TOO_SHORT: Words("is too short (at least {other})", "write more", "太短了，至少{other}个字"),
    Problem.TOO_LONG: Words("is too long (at most {other})", "shorten it", "太长了，最多{other}个字"),
    Problem.PATTERN: Words(
        "{value} is no code",
        "use up to 32 letters, digits, _ . or -, as in CTM-0101",
        "“{value}”不能当编码，请用字母、数字和-，最多32个",
    ),
    Problem.NUMBER: Words(
        "{value} is no number",
        "write degrees as a number, as in 29.5628",
        "“{value}”不是数字，请填度数，比如29.5628",
    ),
    Problem.RANGE: Words(
        "{value} is out of range",
        "latitude goes to 90, longitude to 180 degrees",
        "“{value}”超出范围，纬度到90，经度到180",
    ),
    Problem.CHOICE: Words("{value} is not known", "write one of {other}", "不认识“{value}”，可以填：{other}"),
    Problem.FORMULA: Words(
        "is a formula, which is not evaluated", "paste it as a value", "这是公式，请粘贴成数值再导入"
    ),
    Problem.BROKEN_CELL: Words("holds the error {value}", "mend the cell", "单元格出错（{value}），请改好"),
    Problem.NAMELESS: Words(
        "a group needs an id or a topic", "fill in the group's name", "群名和群编号至少填一个"
    ),
    Problem.NOT_YOURS: Words(
        "lies in an area that is not yours",
        "ask a coordinator of the street",
        "这里有您管不到的片区，请街道指挥中心来改",
    ),
    Problem.SAME_NAME: Words(
        "the name {value} stands in several rows without an id",
        "write an id into each: the same for one person, different ones for two",
        "有几行都叫“{value}”又没有编号，请填编号：同一个人填一样的，不同的人填不一样的",
    ),
    Problem.OTHER_NAME: Words(
        "the id {value} has another name in an earlier row",
        "write the same name, or another id for another person",
        "编号“{value}”前面写的是另一个姓名，请改成一样的，或换编号",
    ),
    Problem.STALE: Words(
        "was changed by somebody else meanwhile",
        "look at it again",
        "这一条刚被别人改过，请返回重新打开再改",
    ),
    Problem.OTHER: Words("{other}", "correct it", "填得不对，请改"),
}


def _filled(fault: Fault, words: str) -> str:
    return words.format(value=fault.value, other=fault.other, place=fault.place)


def in_english(fault: Fault) -> str:
    return _filled(fault, _WORDS[fault.problem].what)


def how_to_mend(fault: Fault) -> str:
    return _filled(fault, _WORDS[fault.problem].mend)


def in_chinese(fault: Fault) -> str:
    return _filled(fault, _WORDS[fault.problem].chinese)


_BY_TYPE: Mapping[str, Problem] = {
    "missing": Problem.EMPTY,
    "string_too_short": Problem.TOO_SHORT,
    "string_too_long": Problem.TOO_LONG,
    "string_pattern_mismatch": Problem.PATTERN,
    "float_parsing": Problem.NUMBER,
    "finite_number": Problem.NUMBER,
    "less_than_equal": Problem.RANGE,
    "greater_than_equal": Problem.RANGE,
}


def of_entry(error: ValidationError, table: str, index: int, values: Mapping[str, object]) -> list[Fault]:
    """What pydantic found wrong with one entry, whose fields were `values`."""
    found = []
    for mistake, (place, said) in zip(
        error.errors(include_input=False, include_url=False), mistakes(error), strict=True
    ):
        field = str(place[0]) if place else ""
        problem = _BY_TYPE.get(mistake["type"], Problem.OTHER)
        if problem is Problem.OTHER and not place:
            problem = Problem.NAMELESS if table == "groups" else problem
        context = mistake.get("ctx", {})
        limit = context.get("min_length", context.get("max_length", said))
        value = values.get(field, "")
        if problem is Problem.TOO_SHORT and value == "":
            problem = Problem.EMPTY
        found.append(Fault(problem, table, index, field, str(value), str(limit)))
    return found
