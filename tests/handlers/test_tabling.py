"""Rows of what can be exported, after matters that went their way by commands."""

from datetime import date
from pathlib import Path

import pytest

from handlers.context import Context
from handlers.lists import Asked
from handlers.tabling import TABLES, TableName
from handlers.tabling.base import Cell
from storage import digests
from storage.database import Database
from tests.support.street import Street


@pytest.fixture
def street(sqlite_url: str, tmp_path: Path) -> Street:
    return Street(Database(sqlite_url, durable=False))


def rows(street: Street, name: TableName, asked: Asked | None = None) -> list[dict[str, Cell]]:
    table = TABLES[name]
    source, found = table.source(asked or Asked()), []
    with street.database.reading() as session:
        ctx = Context(session, street.clock(), street.world)
        total = source.total(ctx)
        while (batch := source.batch(ctx)) is not None:
            found += batch
    assert source.seen == total
    assert {len(row) for row in found} <= {len(table.columns)}
    return [dict(zip([column.title for column in table.columns], row, strict=True)) for row in found]


def closed_matter(street: Street) -> None:
    """Reported by a resident with his flat and telephone number, accepted, closed, disputed, closed again."""
    street.say("river", "tang", "#报 江岸大厦3栋2单元501门口路灯坏了，我叫张三，电话13812345678")
    street.clock.move(minutes=3)
    street.say("river", "zhou", "#接单 1")
    street.clock.move(hours=1)
    street.say("river", "zhou", "#办结 1 灯泡换了，有事打13987654321")
    street.say("river", "tang", "#不满意 1 还是不亮")
    street.clock.move(hours=2)
    street.say("river", "zhou", "#办结 1 线路也换了")
    street.say("river", "tang", "#满意 1")


def relabel_as_service(street: Street) -> None:
    street.say("river", "zhou", "#改类 1 服务")


def test_a_ledger_tells_the_whole_course_and_no_resident(street: Street) -> None:
    closed_matter(street)
    relabel_as_service(street)
    (row,) = rows(street, TableName.FACILITY_LEDGER)
    assert row["类别"] == "路灯照明"
    assert (row["地点"], row["网格"], row["社区"]) == ("江岸大厦", "滨江路网格", "江岸社区")
    assert (row["反映人"], row["反映次数"], row["来源"]) == ("唐**", 1, "自然灾害群")
    assert (row["受理人"], row["受理用时（分钟）"], row["办理用时（分钟）"]) == ("周网格长", 3, 183)
    assert (row["办结方式"], row["办理结果"], row["返工次数"]) == ("已解决", "线路也换了", 1)
    assert row["首次反映"] == row["最近反映"]
    assert f"{row['首次反映']}" == "2026-07-13 10:00:00"  # the street's clocks
    course = f"{row['办理经过']}"
    assert course.startswith("07-13 10:00 唐**立事项；07-13 10:03 周网格长接单；")
    assert "办结：线路也换了" in course
    everything = "".join(f"{cell}" for cell in row.values())
    assert not [
        told for told in ("13812345678", "13987654321", "501", "张三", "唐孃孃") if told in everything
    ]


def test_staff_see_the_reporters_of_their_own_area(street: Street) -> None:
    closed_matter(street)
    (row,) = rows(street, TableName.TICKETS, Asked(plain=("CTM-0101",)))
    assert row["反映人"] == "唐孃孃" and "13812345678" in f"{row['内容']}"
    (row,) = rows(street, TableName.TICKETS, Asked(plain=("CTM-0201",)))
    assert row["反映人"] == "唐**" and "13812345678" not in f"{row['内容']}"


def test_staff_who_report_are_named(street: Street) -> None:
    street.say("river", "qin", "#报 滨江路井盖松了")
    (row,) = rows(street, TableName.TICKETS)
    assert (row["反映人"], row["状态"], row["按期"]) == ("秦网格员", "已上报", "是")


def test_merged_tickets_are_rows_of_their_own_but_no_matters(street: Street) -> None:
    street.say("river", "tang", "#报 滨江路井盖松了")
    street.say("stairs", "peng", "#报 石梯坎电梯坏了")
    street.say("command", "pu", "#并案 2 1")
    first, second = rows(street, TableName.TICKETS)
    assert (second["办结方式"], second["并入"]) == ("并案", first["编号"])
    assert first["反映人数"] == 2
    street.say("river", "zhou", "#改类 1 服务")
    (line,) = rows(street, TableName.FACILITIES)
    assert (line["件数"], line["未办结"], line["反映次数"], line["状态"]) == (1, 1, 2, "已上报")


def test_what_was_undone_is_no_step(street: Street) -> None:
    street.say("river", "qin", "#报 滨江路井盖松了")
    street.say("river", "zhou", "#接单 1")
    street.say("river", "zhou", "#撤销")
    street.say("river", "zhou", "#改类 1 服务")
    (row,) = rows(street, TableName.FACILITY_LEDGER)
    assert row["受理人"] == "" and "接单" not in f"{row['办理经过']}"


def test_audit_has_events_and_other_deeds_with_what_they_changed(street: Street) -> None:
    closed_matter(street)
    street.say("command", "pu", "#值班 上 2小时")
    found = rows(street, TableName.AUDIT)
    assert [row["操作"] for row in found[:2]] == ["立事项", "接单"]
    assert found[0]["人员"] == "唐**" and found[1]["人员"] == "周网格长"
    assert "state: 已上报→已受理" in f"{found[1]['改动']}"
    duty = next(row for row in found if row["操作"] == "值班上")
    assert (duty["人员"], duty["对象"], duty["身份"]) == ("蒲指挥", "蒲指挥", "指挥中心")
    assert not any("13812345678" in f"{cell}" for row in found for cell in row.values())
    narrowed = rows(street, TableName.AUDIT, Asked(area="CTM-01"))
    assert len(narrowed) < len(found) and all(row["网格"] for row in narrowed)
    assert rows(street, TableName.AUDIT, Asked(end=date(2026, 7, 12))) == []


def test_digests_are_of_the_days_and_the_area(street: Street) -> None:
    with street.database.transaction() as session:
        for scope, day in (("CTM", 12), ("CTM-01", 12), ("CTM", 13)):
            digests.keep(session, scope, date(2026, 7, day), f"{scope} {day}", street.clock())
    july = Asked(date(2026, 7, 12), date(2026, 7, 12))
    assert [row["内容"] for row in rows(street, TableName.DIGESTS, july)] == ["CTM 12", "CTM-01 12"]
    assert [row["内容"] for row in rows(street, TableName.DIGESTS, Asked(area="CTM-01"))] == ["CTM-01 12"]
    assert len(rows(street, TableName.DIGESTS)) == 3
