"""Whom of the register a message concerns, who is told, and that nobody else is. All names are made up."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import SQLModel, select
from structlog.testing import capture_logs

from handlers import digest
from handlers.care import CareKind, Entry, Heard, Register, Told, sees, told_of
from handlers.directory import load_organisation
from handlers.doors import doors, parsed
from handlers.figures import periods
from handlers.figures.model import DigestKind
from handlers.gazetteer import canonical
from handlers.organisation import Area, Person, Post, Role
from handlers.permissions import as_actor
from storage.database import Database
from storage.tables import CareRecord, Duty, Reply
from tests.support.street import ACCOUNT, ROOT, Street

STREET = load_organisation(ROOT / "organisation.yaml")
RIVER, STAIRS = "CTM-0101", "CTM-0201"


def entry(id: int, name: str, address: str, area: str = RIVER, **more: str) -> Entry:
    return Entry(id, area, name, (CareKind.ELDERLY_ALONE,), address, **more)


REGISTER = Register(
    [
        entry(1, "张春花", "江岸大厦3栋2单元501", chat="wx_zhang"),
        entry(2, "李旺", "重庆市渝中区朝天街道江岸社区滨江路12号3栋1单元7-2"),
        entry(3, "李旺财", "石梯坎5号", STAIRS),
        entry(4, "高兴", "石梯坎大梯道8号2楼3号", STAIRS),
        entry(5, "罗小满", "民宿街 18号 附3号", "CTM-0202"),
        entry(6, "何大有", "望江楼后头老院子", STAIRS),
    ],
    STREET,
)


def found(
    text: str, area: str = RIVER, sender: str = "x", *, private: bool = False
) -> list[tuple[int, Heard]]:
    return [(m.entry.id, m.heard) for m in REGISTER.find(Told(sender, text, area, private))]


@pytest.mark.parametrize(
    ("text", "area", "wanted"),
    [
        ("江岸大厦3栋2单元501漏水", RIVER, [1]),
        ("江岸楼三栋二单元501室漏水", RIVER, [1]),
        ("江岸大厦3-2-501漏水", RIVER, [1]),
        ("江岸大厦3幢2单元5-1漏水", RIVER, [1]),
        ("江岸大厦３栋２单元５０１漏水", RIVER, [1]),
        ("3-2-501漏水", RIVER, [1]),
        ("3栋2单元501漏水", RIVER, [1]),
        ("3-2-501漏水", "CTM", []),  # whose, nobody knows
        ("3-2-501漏水", STAIRS, []),
        ("江岸大厦3栋2单元502漏水", RIVER, []),
        ("江岸大厦3栋1单元501漏水", RIVER, []),
        ("江岸大厦13栋2单元501漏水", RIVER, []),
        ("江岸大厦3栋漏水", RIVER, []),
        ("江岸大厦501漏水", RIVER, []),
        ("滨江路12号3栋1单元702漏水", RIVER, [2]),
        ("滨江路3栋1单元7-2漏水", RIVER, [2]),
        ("滨江路14号3栋1单元7-2漏水", RIVER, []),
        ("石梯坎5号进水", STAIRS, [3]),
        ("石梯坎15号进水", STAIRS, []),
        ("5号进水", STAIRS, []),
        ("石梯坎大梯道8号2楼3号进水", STAIRS, [4]),
        ("民宿街18号附3号进水", "CTM-0202", [5]),
        ("民宿街18号进水", "CTM-0202", []),
        ("电话 023-63840000", RIVER, []),
        ("13900000501打不通", RIVER, []),
        ("2026-7-13 停水", RIVER, []),
    ],
)
def test_at_the_door_of(text: str, area: str, wanted: list[int]) -> None:
    assert found(text, area) == [(id, Heard.AT) for id in wanted]


@pytest.mark.parametrize(
    ("text", "area", "private", "wanted"),
    [
        ("张春花家里没人应门", RIVER, False, [1]),
        ("張春花家里没人应门", RIVER, False, [1]),
        ("张春花家里没人应门", "CTM-01", False, [1]),
        ("张春花家里没人应门", STAIRS, False, []),
        ("张春花家里没人应门", "CTM", False, []),
        ("张春花家里没人应门", "CTM", True, [1]),
        ("李旺财家停电", STAIRS, False, [3]),  # not 李旺
        ("李旺财家停电", RIVER, False, []),
        ("李旺家停电", RIVER, False, []),
        ("李旺老人家停电", RIVER, False, [2]),
        ("滨江路李旺家停电", RIVER, False, [2]),
        ("滨江路网格的李旺没出来", RIVER, False, [2]),
        ("高兴得很", STAIRS, False, []),
        ("孕妇高兴在这里", STAIRS, False, [4]),
        ("何大有摔倒了", STAIRS, False, [6]),
        ("春花开了", RIVER, False, []),
    ],
)
def test_about(text: str, area: str, private: bool, wanted: list[int]) -> None:
    assert found(text, area, private=private) == [(id, Heard.ABOUT) for id in wanted]


def test_by_and_nobody_else() -> None:
    assert found("停水了", "CTM", "wx_zhang") == [(1, Heard.BY)]
    assert found("张春花家停水了", RIVER, "wx_zhang") == [(1, Heard.BY)]
    assert found("停水了", "CTM", "") == []
    assert Register().find(Told("wx_zhang", "张春花", RIVER, True)) == []


def test_a_list_of_people_is_no_report_of_them() -> None:
    text = "今天走访：张春花、何大有、罗小满、李旺财"
    assert len(found(text, private=True)) == 0


def test_how_an_address_is_read() -> None:
    areas = ("江岸社区",)
    assert parsed("重庆市渝中区朝天街道江岸社区滨江路12号3栋1单元7-2", areas).name == "滨江路"
    assert parsed("江岸小区3栋2单元501", areas).name == "江岸小区"
    assert parsed("江岸小区3栋2单元0501", areas).door == ("3", "2", "501")
    assert doors(canonical("十二栋负一楼")).buildings == ("12",)


def test_nothing_shows_who_it_is() -> None:
    shown = f"{REGISTER!r}{REGISTER.entries!r}{REGISTER.find(Told('wx_zhang', '', '', True))!r}"
    assert "张春花" not in shown
    assert "江岸" not in shown


def person(*posts: tuple[Role, str]) -> Person:
    made = [Post(role=role, area=area) for role, area in posts]
    return Person(id="p", name="甲", role=made[0].role, area=made[0].area, also=tuple(made[1:]))


@pytest.mark.parametrize(
    ("posts", "may"),
    [
        ([(Role.GRID_OWNER, RIVER)], True),
        ([(Role.GRID_WORKER, RIVER)], True),
        ([(Role.RESIDENT, RIVER), (Role.GRID_WORKER, RIVER)], True),
        ([(Role.GRID_OWNER, "CTM-010101")], True),  # a part of the grid
        ([(Role.GRID_OWNER, "CTM-0102")], False),
        ([(Role.GRID_OWNER, "CTM-01")], False),
        ([(Role.GRID_OWNER, "CTM")], False),
        ([(Role.GRID_WORKER, "")], False),
        ([(Role.GRID_WORKER, "gone")], False),
        ([(Role.COORDINATOR, RIVER)], False),
        ([(Role.COORDINATOR, "CTM")], False),
        ([(Role.VOLUNTEER, RIVER)], False),
        ([(Role.UNIT, RIVER)], False),
        ([(Role.RESIDENT, RIVER)], False),
    ],
)
def test_only_the_grids_own_people_see(posts: list[tuple[Role, str]], may: bool) -> None:
    micro = Area(code="CTM-010101", name="一微网格", parent=RIVER)
    street = replace(STREET, areas={**STREET.areas, micro.code: micro})
    assert sees(street, person(*posts), RIVER) is may
    assert sees(street, as_actor(person(*posts)), RIVER) is may


def test_who_is_told() -> None:
    assert [p.id for p in told_of(STREET, RIVER)] == ["zhou"]
    assert told_of(STREET, "CTM-0102") == []  # nobody from above instead
    people = {id: p for id, p in STREET.people.items() if id != "zhou"}
    assert [p.id for p in told_of(replace(STREET, people=people), RIVER)] == ["qin"]


ZHANG = {
    "name": "张春花",
    "kind": "elderly_alone,chronic",
    "address": "江岸大厦3栋2单元501",
    "area": RIVER,
    "chat": "tang",
    "phone": "13900001234",
    "note": "耳背得很",
    "every_days": 1,
}
LI = {"name": "李家旺", "kind": "disabled", "address": "石梯坎5号", "area": STAIRS, "phone": "02363840000"}


def test_a_worker_on_duty_hears_it_too(street: Street) -> None:
    street.keep_in_care(ZHANG)
    with street.context() as ctx:
        hours = timedelta(hours=1)
        ctx.session.add(Duty(person_id="qin", area=RIVER, since=ctx.now - hours, until=ctx.now + hours))
    whispers = [r for r in street.say("river", "tang", "门口路灯坏了") if r.sealed]
    assert [r.person for r in whispers] == ["zhou", "qin"]


def test_the_event_keeps_that_it_was_so(street: Street) -> None:
    street.keep_in_care(ZHANG)
    street.say("river", "tang", "门口路灯坏了")
    street.say("stairs", "peng", "石梯坎3号路灯坏了")
    assert [e.data for e in street.events() if e.action == "open"] == [{"care": True}, {}]


TALK = [
    ("river", "tang", "门口路灯坏了"),
    ("river", "tang", "今天天气好"),
    ("river", "qin", "门口路灯坏了"),
    ("river", "zhou", "#接单"),
    ("", "tang", "有人被困"),
    ("river", "tang", "电线冒烟了"),
    ("couriers", "tang", "有点水"),
    ("stairs", "peng", "李家旺家进水"),
    ("stairs", "deng", "#办结 修好了"),
    ("stairs", "peng", "石梯坎5号有人被困"),
    ("river", "ye", "3-2-501水管爆了"),
    ("command", "pu", "#进度"),
    ("", "peng", "李家旺又喊叫"),
    ("river", "tang", "#报 楼道路灯"),
    ("river", "tang", "#满意"),
    ("", "zhou", "看护名单"),
    ("river", "zhou", "#看护名单"),
    ("", "pu", "看护名单"),
    ("", "zhou", "已访 1 睡得不好"),
    ("command", "pu", "#进度"),
]


@pytest.fixture
def street(sqlite_url: str) -> Street:
    return Street(Database(sqlite_url, durable=False))


def test_nothing_of_the_register_comes_out(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is played: what only the register holds stands in no row, no log, and no group hears of it."""
    street.keep_in_care(ZHANG, LI)
    caplog.set_level(logging.DEBUG)
    whispers = 0
    with capture_logs() as logs:
        for room, sender, text in TALK:
            whispers += sum(reply.sealed is not None for reply in street.say(room, sender, text))
            street.clock.move(minutes=40)
            whispers += sum(reply.sealed is not None for reply in street.sweep())
        street.clock.move(days=1)
        with street.context() as ctx:
            for kind in DigestKind:
                made = digest.ready(ctx, ACCOUNT, periods.last_due(ctx, kind))
                assert made is not None and digest.post(ctx, ACCOUNT, made)
    assert whispers >= 8
    said = "\n".join(text for _, _, text in TALK if not text.startswith("已访"))
    words = [
        "睡得不好",
        ZHANG["name"],
        ZHANG["address"],
        ZHANG["phone"],
        ZHANG["note"],
        LI["name"],
        LI["address"],
        LI["phone"],
    ]
    kinds = ["独居", "慢性病", "残疾", "elderly_alone", "chronic", "disabled"]
    secret = [word for word in (*words, *kinds, "关爱") if word not in said]
    with street.reading() as session:
        rows = [
            str(row.model_dump(exclude={"sealed"}))
            for table in SQLModel.__subclasses__()
            if hasattr(table, "__table__")
            for row in session.exec(select(table))
        ]
        told = [r.text for r in session.exec(select(Reply)) if r.room]
    shown = "\n".join((*rows, str(logs), caplog.text))
    assert [word for word in secret if word in shown] == []
    # What somebody said of himself may be repeated; that it is somebody of the register is not said.
    assert [text for text in told if "关爱" in text or "名单" in text] == []
    assert rows


def test_at_rest_it_is_encrypted(street: Street) -> None:
    street.keep_in_care(ZHANG)
    street.say("river", "tang", "门口路灯坏了")
    with street.reading() as session:
        tokens = [row.sealed for row in session.exec(select(CareRecord))]
        tokens += [row.sealed for row in session.exec(select(Reply)) if row.sealed]
    assert len(tokens) == 2
    for token in tokens:
        assert "张春花".encode() not in token


def test_without_a_register_nothing_is_different(street: Street) -> None:
    before = [reply.text for reply in street.say("river", "tang", "门口路灯坏了")]
    assert len(before) == 1
    assert street.tickets()[0].urgency == 1
