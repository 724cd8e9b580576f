"""Who was erased stands nowhere any more, in no table; the tickets still tell what was the matter."""

import json
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Date, Float, LargeBinary, String, Table, insert, select
from sqlmodel import AutoString, col
from sqlmodel import select as choose

from handlers import erasing, records
from handlers.erasing import Refusal
from handlers.permissions import OPERATOR
from handlers.reviews import Choice
from handlers.whispers import whisper
from storage import care, signin
from storage import erasing as store
from storage.database import Database
from storage.erasing import GONE
from storage.tables import (
    ActionLog,
    Erasure,
    Message,
    OrgPerson,
    Reply,
    ReplyState,
    Ticket,
    metadata,
)
from storage.types import UtcDateTime
from tests.support.street import ACCOUNT, Street

ID, NAME = "wxid_lan5588", "兰小丽"
START = datetime(2026, 7, 13, tzinfo=UTC)
PHONE, CARD, FLAT = "13800001234", "50010119900307123X", "2单元501"
TRACES = (ID, NAME, PHONE, "138-0000-1234", CARD, FLAT)
# The register's rows are sealed.
_NO_WORDS = {"care_record"}


def everything(database: Database) -> dict[str, str]:
    """What stands in each table, JSON written out."""
    with database.reading() as session:
        return {
            table.name: "\n".join(
                json.dumps([str(value) if not isinstance(value, list | dict) else value for value in row],
                           ensure_ascii=False)
                for row in session.execute(select(table))
            )
            for table in metadata.sorted_tables
            if table.name not in _NO_WORDS
        }  # fmt: skip


def traces(database: Database, wanted: Collection[str] = TRACES) -> list[str]:
    return [
        f"{table}: {trace}"
        for table, text in everything(database).items()
        for trace in wanted
        if trace in text
    ]


def lived(street: Street) -> None:
    """A resident does all that a resident does, and others speak of her."""

    def say(room: str, text: str, **more: Any) -> list[Reply]:
        return street.say(room, ID, text, sender_name=NAME, **more)

    lamp = say("river", f"江岸大厦3栋{FLAT}门口路灯坏了，打我电话{PHONE}")
    street.say("river", "zhou", "#接单")
    street.say("river", "zhou", "#反馈 给兰小丽打过138-0000-1234，2单元501没人")
    street.say("riders", "tan", "江岸大厦3栋门口路灯坏了，兰小丽说的")
    say("river", "快点嘛，身份证50010119900307123X", quote=street.quoted(lamp[0]))
    say("river", "早上好，今天吃啥子")
    street.say("river", "tang", f"@{NAME} 早", mentions=(ID,))
    say("", "我家水管爆了")
    say("", "我的信息")
    say("", "加入 ABCD-2345")
    say("river", "好像有点怪味")
    if any(review.state == "waiting" for review in street.reviews()):
        street.decide("好像有点怪味", Choice.IGNORE)
    street.say("river", "zhou", f"#备注 1 {NAME}很着急")
    street.say("river", "zhou", "#办结 1 换了灯泡")
    say("river", "#不满意 1")
    say("river", f"还是黑的，我叫{NAME}")
    with street.context() as ctx:
        signin.make_link_token(ctx.session, ctx.now, timedelta(minutes=10), ID)
        records.note(ctx, OPERATOR, "import", "organisation", after={"people": [ID], "names": [NAME]})


@pytest.fixture
def street(database: Database) -> Street:
    street = Street(database)
    lived(street)
    return street


def erase(street: Street, person: str = ID) -> dict[str, int]:
    with street.context() as ctx:
        return dict(erasing.erase(ctx, person, OPERATOR))


def test_nobody_finds_the_person_in_any_table(street: Street) -> None:
    before = traces(street.database)
    assert {trace.split(": ")[1] for trace in before} >= {ID, NAME, PHONE, FLAT}
    counts = erase(street)
    assert counts["message"] >= 8
    assert traces(street.database) == []


def test_the_tickets_keep_their_facts(street: Street) -> None:
    def facts(tickets: list[Ticket]) -> list[tuple[Any, ...]]:
        return [
            (t.number, t.label, t.state, t.urgency, t.room, t.place, t.opened_at, t.owner) for t in tickets
        ]

    before, events = street.tickets(), street.events()
    erase(street)
    after = street.tickets()
    assert facts(before) == facts(after)
    assert [(e.action, e.at, e.to_state) for e in street.events()] == [
        (e.action, e.at, e.to_state) for e in events
    ]
    assert after[0].summary == "江岸大厦3栋〔门牌〕门口路灯坏了，打我电话〔电话〕"
    assert after[0].reporter.startswith(GONE)
    assert after[0].reporter_name == "已删除的人"
    notes = [event.note for event in street.events(after[0].id) if event.action == "feedback"]
    assert notes[0] == "给已删除的人打过〔电话〕，〔门牌〕没人"


def test_all_the_same_ticket_by_ticket_and_chatter_is_empty(street: Street) -> None:
    erase(street)
    with street.reading() as session:
        mine = session.exec(choose(Message).where(col(Message.sender).startswith(GONE))).all()
    assert len({message.sender for message in mine}) == 1
    assert {message.text for message in mine if message.ticket_id is None} == {""}
    assert "我家水管爆了" in {message.text for message in mine}


def test_others_stay_as_they_are(street: Street) -> None:
    erase(street)
    texts = {message.sender: message.text for message in street.messages()}
    assert texts["tang"] == "@已删除的人 早"
    assert {"zhou", "tan"} <= texts.keys()
    assert "周网格长" in everything(street.database)["ticket_event"]


def test_twice_is_once(street: Street) -> None:
    erase(street)
    before = everything(street.database)
    assert erase(street) == {}
    assert everything(street.database) == before


def test_it_is_noted_without_the_person(street: Street) -> None:
    erase(street)
    with street.reading() as session:
        log = session.exec(choose(ActionLog).where(ActionLog.action == "erase")).one()
    assert (log.actor, log.before) == ("operator", {})
    assert log.subject.startswith(f"person:{GONE}")
    assert log.after["ticket"] >= 1


def test_who_was_erased_is_told_nothing_more(street: Street) -> None:
    """What was reported in private is closed without a word to nobody."""
    street.sending = False
    erase(street)
    private = next(ticket for ticket in street.tickets() if not ticket.room)
    said = street.say("command", "pu", f"#办结 {private.number} 修好了")
    assert said
    assert not [reply.person for reply in said if reply.person.startswith(GONE)]
    with street.reading() as session:
        waiting = choose(Reply).where(Reply.state == ReplyState.WAITING, col(Reply.person).startswith(GONE))
        assert not session.exec(waiting).all()


def test_a_name_that_is_another_s_too_stays_his(database: Database) -> None:
    street = Street(database)
    street.say("river", ID, "门口路灯坏了", sender_name=NAME)
    street.say("stairs", "wxid_other", "楼道里水管漏水", sender_name=NAME)
    street.say("stairs", "tang", f"{NAME}说得对")
    erase(street)
    tickets = {ticket.room: ticket for ticket in street.tickets()}
    assert tickets["river"].reporter_name == "已删除的人"
    assert (tickets["stairs"].reporter, tickets["stairs"].reporter_name) == ("wxid_other", NAME)
    assert f"{NAME}说得对" in {message.text for message in street.messages()}
    assert traces(database, [ID]) == []


@pytest.mark.parametrize("name", ["水", "居民", "路灯", "漏水"], ids=["short", "role", "surname", "word"])
def test_an_ordinary_word_for_a_name_spoils_no_text(database: Database, name: str) -> None:
    street = Street(database)
    street.say("stairs", "tang", "居民说路灯坏了，水管也漏水")
    street.say("river", ID, "早上好", sender_name=name)
    erase(street)
    assert "居民说路灯坏了，水管也漏水" in {message.text for message in street.messages()}


def _made_up(table: Table) -> dict[str, Any]:
    """A row that has the person wherever a word can stand."""
    row: dict[str, Any] = {}
    for column in table.columns:
        kind = column.type
        if isinstance(kind, JSON):
            row[column.name] = {"id": ID, "deep": [f"person:{ID}", {NAME: f"{NAME} {PHONE}"}]}
        elif isinstance(kind, UtcDateTime):
            row[column.name] = START
        elif isinstance(kind, Date):
            row[column.name] = date(2026, 7, 13)
        elif isinstance(kind, LargeBinary):
            row[column.name] = b"sealed"
        elif isinstance(kind, Boolean | Float):
            row[column.name] = True if isinstance(kind, Boolean) else 1.0
        elif column.name.endswith("_name") or column.name == "name":
            row[column.name] = NAME
        elif isinstance(kind, AutoString | String):
            said = column.name in {"text", "note", "summary", "reason", "quoted_text", "error", "argument"}
            row[column.name] = f"{NAME}的电话{PHONE}，找{ID}" if said else ID
        else:
            row[column.name] = 1
    return row


def test_no_column_of_any_table_is_forgotten(database: Database) -> None:
    """Whatever column holds the person, also one that is added later, is written over."""
    with database.transaction() as session:
        for table in metadata.sorted_tables:
            if table.name == "care_record":  # the visits hang on it
                session.execute(
                    insert(table).values(id=1, area="", sealed=b"", fingerprint="", updated_at=START)
                )
            elif table.name not in store.OF_NOBODY:
                session.execute(insert(table).values(**_made_up(table)))
    street = Street(database)
    erase(street)
    assert traces(database) == []


def test_what_is_passed_over_names_nobody() -> None:
    """The tables that are not looked at hold the street's own things."""
    assert {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        if table.name in store.OF_NOBODY
        for column in table.columns
        if any(word in column.name for word in ("person", "sender", "reporter", "actor", "_by", "handler"))
    } == set()


def test_who_has_a_post_or_work_in_hand_is_refused(database: Database) -> None:
    street = Street(database)
    street.say("river", "tang", "门口路灯坏了")
    with street.context() as ctx:
        owner = erasing.refusal(ctx, "zhou")
        assert owner is not None
        assert (owner.why, owner.what) == (Refusal.POST, ("滨江路网格网格长",))
        in_file = erasing.refusal(ctx, "tang")  # a resident, but the file would name her again
        assert in_file is not None and in_file.why is Refusal.POST
        assert erasing.refusal(ctx, ID) is None
        ticket = ctx.session.exec(choose(Ticket)).one()
        ticket.handler = ID
        ctx.session.add(ticket)
    with street.context() as ctx:
        busy = erasing.refusal(ctx, ID)
        assert busy is not None
        assert (busy.why, busy.what) == (Refusal.IN_HAND, ("CTM0713-001",))


def test_a_resident_of_the_tables_goes_with_his_row(database: Database) -> None:
    with database.transaction() as session:
        session.add(OrgPerson(id=ID, name=NAME))
    street = Street(database)
    street.renew()
    with street.context() as ctx:
        assert erasing.refusal(ctx, ID) is None
    erase(street)
    street.renew()
    assert street.world.organisation.person(ID) is None
    assert traces(database) == []


def test_the_care_register_forgets_too(database: Database) -> None:
    street = Street(database)
    street.keep_in_care(
        {
            "name": NAME,
            "kind": "chronic",
            "address": "石梯坎9号",
            "area": "CTM-0101",
            "chat": ID,
            "phone": PHONE,
        },
        {"name": "张春花", "kind": "chronic", "address": "石梯坎8号", "area": "CTM-0101"},
    )
    with street.context() as ctx:
        whisper(ctx, ACCOUNT, "zhou", f"{NAME}两天没出门了", key="k")
    street.say("river", ID, "早", sender_name=NAME)
    counts = erase(street)
    assert counts["care_record"] == 1
    with street.reading() as session:
        sealed = session.exec(choose(Reply.sealed).where(col(Reply.sealed).is_not(None))).all()
    vault = street.world.care.vault
    assert vault is not None
    assert [vault.open(token) for token in sealed if token] == ["已删除的人两天没出门了"]
    with street.reading() as session:
        assert len(care.records(session)) == 1


def test_what_is_kept_is_told_whole(street: Street) -> None:
    with street.context() as ctx:
        told = erasing.kept(ctx, ID)
        assert not erasing.names_nobody(ctx.session, ID)
        assert erasing.names_nobody(ctx.session, "wxid_nobody")
    assert told["names"] == [NAME]
    assert len(told["tables"]["message"]) == sum(m.sender == ID for m in street.messages())
    assert {"ticket", "ticket_report", "ticket_event", "reply"} <= told["tables"].keys()
    assert json.loads(json.dumps(told, ensure_ascii=False)) == told


def test_it_is_done_when_its_time_has_come(street: Street) -> None:
    street.say("", ID, "删除我的信息 确认", sender_name=NAME)
    street.clock.move(hours=23)
    street.sweep()
    assert f"message: {ID}" in traces(street.database)
    street.clock.move(hours=2)
    street.sweep()
    assert traces(street.database) == []
    with street.reading() as session:
        assert not session.exec(choose(Erasure)).all()
