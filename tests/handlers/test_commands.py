"""Commands beyond what the dialogs show: people nobody named, long words, groups known by name only."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from handlers.incoming import MessageKind
from handlers.organisation import Group, GroupKind, Person, Role, build
from storage.database import Database
from storage.tables import Outcome
from tests.support.street import Street


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


def _opened(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")


def test_somebody_whom_the_file_does_not_name_is_given_a_matter_by_mention(street: Street) -> None:
    _opened(street)
    [reply] = street.say("river", "zhou", "#派单 @张电工\u2005麻烦跑一趟", mentions=("wxid_zhang",))
    assert reply.text == "CTM0713-001 周网格长已派给张电工。@张电工 请尽快，回复“接单”或“退回 原因”。"
    assert reply.mentions == [{"id": "wxid_zhang", "name": "张电工"}]
    assert "已到场" in street.say("river", "wxid_zhang", "#到场")[0].text
    assert "说办好了" in street.say("river", "wxid_zhang", "#办结 换了灯泡")[0].text
    assert "网格长或指挥中心" in street.say("river", "wxid_zhang", "#误报")[0].text


def test_the_bot_is_nobody_to_give_a_matter_to(street: Street) -> None:
    _opened(street)
    [reply] = street.say("river", "zhou", "@网格助手 派单 @何志愿", mentions=("local", "he"))
    assert street.tickets()[0].handler == "he", reply.text


def test_of_two_people_of_one_name_the_nearer_one(street: Street) -> None:
    other = Person(id="he2", name="何志愿", role=Role.VOLUNTEER, area="CTM-0101")
    organisation = street.world.organisation
    people = {**organisation.people, other.id: other}
    street.world = replace(street.world, organisation=replace(organisation, people=people))
    _opened(street)
    street.say("river", "zhou", "#派单 何志愿")
    assert street.tickets()[0].handler == "he2"


@pytest.mark.parametrize("note", ["抽水机" * 5000, "一行\n\n两行\r\n三行", "{number} {0} %s", "<b>粗</b>"])
def test_a_note_is_said_in_one_bounded_line(street: Street, note: str) -> None:
    _opened(street)
    street.say("river", "zhou", "#到场")
    [reply] = street.say("river", "zhou", f"#反馈 {note}")
    assert len(reply.text) < 260
    assert "\n" not in reply.text
    assert street.events()[-1].note.startswith(note[:4])


def test_a_report_of_a_hundred_kilobytes_is_told_shortly(street: Street) -> None:
    replies = street.say("river", "tang", "江岸大厦有人被困" + "快来人" * 30_000)
    assert [reply.room for reply in replies] == ["river", "command"]
    assert all(len(reply.text) < 260 for reply in replies)
    assert len(street.tickets()[0].summary) <= 500


def test_a_name_of_line_feeds_and_ats_breaks_no_sentence(street: Street) -> None:
    [reply] = street.say("river", "wxid_x", "门口路灯坏了", sender_name="@所有人\n" * 50)
    assert reply.text.startswith("CTM0713-001 已记下")
    [closed] = street.say("river", "zhou", "#办结 换了")
    assert len(closed.text) < 200


def test_a_sender_without_a_name_is_no_hole_in_the_sentence(street: Street) -> None:
    replies = street.say("river", "wxid_x", "江岸大厦有人被困", sender_name="")
    assert "，居民报。" in replies[1].text
    [withdrawn, _] = street.say("river", "wxid_x", "#撤回", sender_name="")
    assert "居民撤回" in withdrawn.text


def test_coordinators_known_by_topic_are_told_once_the_bot_has_met_them(street: Street) -> None:
    organisation = street.world.organisation
    groups = [group for group in organisation.groups if group.kind is not GroupKind.COORDINATORS]
    groups.append(Group(topic="朝天街道指挥群", kind=GroupKind.COORDINATORS, area="CTM"))
    built = build(list(organisation.areas.values()), groups, list(organisation.people.values()))
    street.world = replace(street.world, organisation=built)
    [alone] = street.say("river", "tang", "江岸大厦有人被困")
    assert "指挥群" not in alone.text
    street.say("wx-77", "pu", "大家好", room_topic="朝天街道指挥群")
    replies = street.say("stairs", "peng", "石梯坎3号有人被困")
    assert [reply.room for reply in replies] == ["stairs", "wx-77"]


def test_unknown_kinds_of_messages_are_kept_and_left_alone(street: Street) -> None:
    assert street.say("river", "tang", "江岸大厦有人被困", kind=MessageKind.OTHER) == []
    assert street.say("river", "", "江岸大厦有人被困") == []
    assert street.say("river", "local", "江岸大厦有人被困", from_self=True) == []
    assert [message.outcome for message in street.messages()] == [Outcome.IGNORED] * 3
    assert street.tickets() == []


def test_satisfaction_is_kept_and_asked_for_anew_after_reopening(street: Street) -> None:
    _opened(street)
    street.say("river", "zhou", "#办结 换了")
    street.say("river", "tang", "#满意")
    assert street.tickets()[0].satisfied is True
    street.say("river", "tang", "#不满意 又黑了")
    assert street.tickets()[0].satisfied is False
    street.say("river", "zhou", "#办结 又换了")
    assert street.tickets()[0].satisfied is None
    assert "谢谢" in street.say("river", "tang", "#满意")[0].text


def test_a_returned_matter_has_nobody_in_hand(street: Street) -> None:
    _opened(street)
    street.say("river", "zhou", "#派单 何志愿")
    street.say("river", "he", "#退回 今天不在")
    ticket = street.tickets()[0]
    assert (ticket.state, ticket.handler, ticket.handler_name) == ("accepted", None, "")


def test_everybody_is_answered_where_he_asked_and_no_reply_has_two_keys(street: Street) -> None:
    street.say("", "tang", "门口路灯坏了")
    told = street.say("command", "pu", "#接单 1")
    assert [(reply.room, reply.person) for reply in told] == [("", "tang"), ("command", "")]
    assert len({reply.key for reply in told}) == 2


def test_who_asked_often_can_still_report_danger_by_command(street: Street) -> None:
    for _ in range(12):
        street.say("stairs", "新人", "#进度")
    assert street.say("stairs", "新人", "#进度") == []  # taken for another bot
    first, *_ = street.say("stairs", "新人", "#报 石梯坎3号冒烟了，有人被困")
    assert "紧急" in first.text
