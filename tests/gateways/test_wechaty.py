"""The Wechaty gateway against a real Node gateway: what goes wrong there, and how it comes back."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from bot.gateways.base import (
    Connection,
    Deaf,
    GatewayRefused,
    Listening,
    Outgoing,
    RoomChange,
    SendFailed,
    SendUncertain,
)
from bot.gateways.wechaty import WechatyGateway, channel, payloads
from handlers.incoming import MessageKind, Quote
from tests.gateways.certificates import own_certificate
from tests.gateways.contract import Heard, becomes, clock, running
from tests.gateways.networks import settings_for
from tests.gateways.node_gateway import BOT, NodeGateway

ROOM = "wechaty-1@chatroom"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
# Seconds; the promise, and what a busy test machine is granted besides.
BACK_WITHIN = 2.0
BUSY = 2.0


def bot_for(node: NodeGateway, **changes: object) -> WechatyGateway:
    return WechatyGateway(settings_for(node, **changes), clock)


async def until_status(gateway: WechatyGateway, text: str, seconds: float = 10) -> None:
    """Waits for the status' detail to hold `text`."""
    await becomes(lambda: text in gateway.status.detail, seconds)


class TestConnecting:
    async def test_without_tls_the_token_is_the_authority(self) -> None:
        node = NodeGateway("plain_secret", tls=False)
        async with node, running(bot_for(node, tls=False)) as heard:
            await heard.message(node.say(ROOM, "zhang", "你好"))

    async def test_own_certificate(self, tmp_path: Path) -> None:
        served, authority = own_certificate("gateway.jd.example")
        ca_file = tmp_path / "ca.pem"
        ca_file.write_text(authority, encoding="ascii")
        async with NodeGateway(tls=served) as node:
            mine = {"ca_file": ca_file, "server_name": "gateway.jd.example"}
            async with running(bot_for(node, **mine)) as heard:
                await heard.message(node.say(ROOM, "zhang", "你好"))
            for untrusted in ({}, mine | {"server_name": "other.example"}):
                gateway = bot_for(node, **untrusted)
                async with running(gateway, wait=False) as heard:
                    await until_status(gateway, "not trusted")
                assert heard.events == []

    async def test_the_name_is_the_token_s_prefix(self, tmp_path: Path) -> None:
        served, authority = own_certificate("jiedao")
        ca_file = tmp_path / "ca.pem"
        ca_file.write_text(authority, encoding="ascii")
        node = NodeGateway("jiedao_secret", tls=served)
        async with node, running(bot_for(node, ca_file=ca_file)):
            pass

    @pytest.mark.parametrize("tls", [True, False])
    async def test_a_wrong_token_is_final_and_not_told(self, tls: bool) -> None:
        async with NodeGateway("insecure_right", tls=tls) as node:
            gateway = bot_for(node, tls=tls, token="insecure_wr0ng")
            with structlog.testing.capture_logs() as logs, pytest.raises(GatewayRefused) as refusal:
                await asyncio.wait_for(gateway.run(Heard()), 10)
        assert "gateway.token" in str(refusal.value)
        assert gateway.status.connection is Connection.REFUSED
        assert "wr0ng" not in f"{refusal.value} {gateway.status} {logs}"

    async def test_a_ca_file_without_certificates_is_refused(self, tmp_path: Path) -> None:
        node = NodeGateway()
        for file in (tmp_path / "missing.pem", Path(__file__)):
            with pytest.raises(GatewayRefused, match=r"gateway\.ca_file"):
                await bot_for(node, ca_file=file).run(Heard())

    @pytest.mark.parametrize(
        ("served", "asked", "told"), [(False, True, "speak TLS"), (True, False, "want TLS")]
    )
    async def test_one_side_without_tls_is_named(self, served: bool, asked: bool, told: str) -> None:
        async with NodeGateway(tls=served) as node:
            gateway = bot_for(node, tls=asked)
            async with running(gateway, wait=False):
                await until_status(gateway, told)
                assert "gateway.tls" in gateway.status.detail

    async def test_a_gateway_that_is_down_is_waited_for(self) -> None:
        node = NodeGateway()
        gateway = bot_for(node)
        async with running(gateway, wait=False) as heard:
            await until_status(gateway, "nobody listens")
            with pytest.raises(SendFailed) as failure:
                await gateway.send(Outgoing("k", ROOM, "收到"))
            assert not failure.value.final
            async with node:
                up = time.monotonic()
                await heard.until(lambda heard: heard.of(Listening))
                assert time.monotonic() - up < BACK_WITHIN + BUSY
                assert heard.of(Deaf) == []  # it was never listening

    async def test_only_one_bot_at_a_time(self) -> None:
        async with NodeGateway() as node:
            second = bot_for(node)
            async with running(bot_for(node)), running(second, wait=False) as heard:
                await until_status(second, "another client")
                assert heard.events == []
            async with running(second) as heard:
                await heard.message(node.say(ROOM, "zhang", "你好"))


class TestComingBack:
    async def test_killed_and_restarted(self, record_property: Callable[[str, object], None]) -> None:
        async with NodeGateway() as node:
            gateway = bot_for(node)
            async with running(gateway) as heard:
                await heard.message(node.say(ROOM, "zhang", "第一条"))
                await asyncio.to_thread(node.kill)
                await heard.until(lambda heard: heard.of(Deaf))
                assert gateway.status.connection is Connection.LOST
                await asyncio.to_thread(node.start)
                up = time.monotonic()
                await heard.until(lambda heard: len(heard.of(Listening)) == 2)
                took = time.monotonic() - up
                await heard.message(node.say(ROOM, "zhang", "第二条"))
        record_property("back_after_seconds", round(took, 2))
        assert took < BACK_WITHIN + BUSY
        [deaf], [_, again] = heard.of(Deaf), heard.of(Listening)
        assert deaf.at < again.at
        assert heard.events.index(deaf) < heard.events.index(again)

    @pytest.mark.parametrize("tls", [True, False])
    async def test_a_frozen_gateway_is_found(self, tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(channel, "PING_EVERY", 0.5)  # 5 s and 8 s in earnest
        monkeypatch.setattr(channel, "PING_PATIENCE", 1.0)
        async with NodeGateway(tls=tls) as node:
            gateway = bot_for(node, tls=tls)
            async with running(gateway) as heard:
                node.freeze()
                await heard.until(lambda heard: heard.of(Deaf), seconds=6)
                assert "stopped answering" in heard.of(Deaf)[0].reason
                node.thaw()
                await heard.until(lambda heard: len(heard.of(Listening)) == 2)
                await heard.message(node.say(ROOM, "zhang", "你好"))

    async def test_a_quiet_gateway_is_not_taken_for_frozen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(channel, "PING_EVERY", 0.2)
        monkeypatch.setattr(channel, "PING_PATIENCE", 0.5)
        async with NodeGateway() as node, running(bot_for(node)) as heard:
            await asyncio.sleep(1.5)
            await heard.message(node.say(ROOM, "zhang", "你好"))
        assert heard.of(Deaf) == []

    async def test_logged_out_and_in_again(self) -> None:
        async with NodeGateway(login=False) as node:
            gateway = bot_for(node)
            async with running(gateway, wait=False) as heard:
                await until_status(gateway, "waiting for the account")
                node.scan("https://login.example/qr")
                await until_status(gateway, "QR code")
                assert gateway.status.extra["scan"] == "https://login.example/qr"
                with pytest.raises(SendFailed):
                    await gateway.send(Outgoing("k", ROOM, "收到"))
                node.login()
                await heard.until(lambda heard: heard.of(Listening))
                assert gateway.status.account == BOT
                assert "scan" not in gateway.status.extra
                node.logout()
                await heard.until(lambda heard: heard.of(Deaf))
                assert gateway.status.connection is Connection.CONNECTED
                node.login()
                await heard.until(lambda heard: len(heard.of(Listening)) == 2)


class TestHearing:
    async def test_rooms_change(self, node_gateway: NodeGateway) -> None:
        node_gateway.room(ROOM, "幸福里一号群", ["zhang"])
        async with running(bot_for(node_gateway)) as heard:
            before = await heard.message(node_gateway.say(ROOM, "zhang", "你好"))
            node_gateway.topic(ROOM, "幸福里二号群", "zhang")
            node_gateway.join(ROOM, ["li"], "zhang")
            node_gateway.leave(ROOM, ["li"], "zhang")
            node_gateway.leave(ROOM, [BOT], "zhang")
            node_gateway.join(ROOM, [BOT], "zhang")
            after = await heard.message(node_gateway.say(ROOM, "zhang", "改名了"))
        told = [(change.change, change.topic, change.people) for change in heard.of(RoomChange)]
        assert told == [
            ("renamed", "幸福里二号群", ()),
            ("member_joined", "幸福里二号群", ("li",)),
            ("member_left", "幸福里二号群", ("li",)),
            ("left", "", (BOT,)),
            ("joined", "幸福里二号群", (BOT,)),
        ]
        assert all(change.room == ROOM for change in heard.of(RoomChange))
        assert (before.room_topic, after.room_topic) == ("幸福里一号群", "幸福里二号群")
        assert heard.events.index(after) == len(heard.events) - 1

    async def test_names_are_known_and_may_change(self, node_gateway: NodeGateway) -> None:
        node_gateway.person("wang", "王(三*")
        async with running(bot_for(node_gateway)) as heard:
            message = await heard.message(node_gateway.say(ROOM, "wang", "你好"))
            before = await heard.message(node_gateway.say("", "wang", "你好"))
            node_gateway.person("wang", "王三")
            after = await heard.message(node_gateway.say("", "wang", "你好"))
        names = [one.sender_name for one in (message, before, after)]
        assert names == ["王(三*", "王(三*", "王三"]

    async def test_order_holds_when_payloads_come_slowly(self, node_gateway: NodeGateway) -> None:
        rooms = [f"order-{number}@chatroom" for number in range(5)]
        node_gateway.behave(payloadDelay=40)
        async with running(bot_for(node_gateway)) as heard:
            ids = node_gateway.say_many(
                [{"room": rooms[number % 5], "sender": "zhang", "text": f"{number}"} for number in range(200)]
            )
            await heard.until(lambda heard: len(heard.messages) == 200)
        for number, room in enumerate(rooms):
            assert [message.id for message in heard.messages if message.room == room] == ids[number::5]

    async def test_a_payload_is_asked_for_again(self, node_gateway: NodeGateway) -> None:
        node_gateway.behave(payloadFailures=2)
        async with running(bot_for(node_gateway)) as heard:
            first = node_gateway.say(ROOM, "zhang", "第一条")
            second = node_gateway.say(ROOM, "zhang", "第二条")
            await heard.message(first)
            await heard.message(second)
        assert [message.id for message in heard.messages] == [first, second]

    async def test_a_lost_message_is_told_and_holds_up_nothing(
        self, node_gateway: NodeGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(payloads, "RETRIES", (0.05, 0.05))
        gateway = bot_for(node_gateway)
        with structlog.testing.capture_logs() as logs:
            async with running(gateway) as heard:
                node_gateway.again("gone-1")
                await heard.message(node_gateway.say(ROOM, "zhang", "下一条"))
        assert gateway.status.extra["lost"] == "1"
        [entry] = [entry for entry in logs if entry["event"] == "wechaty.message_lost"]
        assert entry["message_id"] == "gone-1"

    async def test_strange_events_are_passed_over(self, node_gateway: NodeGateway) -> None:
        async with running(bot_for(node_gateway)) as heard:
            for type_, payload in [
                (99, '{"new": true}'),
                (4, "{}"),
                (1, "{}"),
                (16, '{"gerror": "{}"}'),
                (22, "[1]"),
                (2, "not json"),
                (2, '{"messageId": 7}'),
                (19, '{"inviteeIdList": "x"}'),
                (21, '{"roomId": "r@chatroom", "newTopic": null, "timestamp": "soon"}'),
                (27, "null"),
                (25, '{"contactId": "bot", "added": 1}'),
            ]:
                node_gateway.raw(type_, payload)
            unknown = await heard.message(node_gateway.say(ROOM, "zhang", "新类型", type=40))
            orphan = node_gateway.say(ROOM, "", "无人", silent=True, type=7)
            node_gateway.again(orphan)
            last = await heard.message(node_gateway.say(ROOM, "zhang", "还在"))
        assert unknown.kind is MessageKind.OTHER
        # Nobody's message is handed on too: what reached the bot is stored.
        assert [message.id for message in heard.messages] == [unknown.id, orphan, last.id]
        assert heard.messages[1].sender == ""
        assert heard.of(Deaf) == []

    async def test_a_quote_is_taken_apart(self, node_gateway: NodeGateway) -> None:
        async with running(bot_for(node_gateway)) as heard:
            message = await heard.message(
                node_gateway.say(ROOM, "zhang", "「小格：#31 已受理」\n- - - - -\n不满意")
            )
        assert (message.text, message.quote) == ("不满意", Quote("#31 已受理"))


class TestSaying:
    async def test_an_answer_that_never_comes_is_uncertain(self, node_gateway: NodeGateway) -> None:
        node_gateway.room(ROOM)
        node_gateway.behave(sendDelay=3000)
        gateway = bot_for(node_gateway, rpc_seconds=0.5)
        async with running(gateway) as heard:
            with pytest.raises(SendUncertain):
                await gateway.send(Outgoing("k", ROOM, "收到"))
            await heard.until(lambda heard: heard.messages)
        assert heard.messages[0].from_self  # by this the outbox sees that it was said

    async def test_a_gateway_killed_while_sending_is_uncertain(self) -> None:
        async with NodeGateway() as node:
            node.room(ROOM)
            node.behave(sendDelay=3000)
            gateway = bot_for(node)
            async with running(gateway):
                sending = asyncio.create_task(gateway.send(Outgoing("k", ROOM, "收到")))
                await becomes(node.said)
                await asyncio.to_thread(node.kill)
                with pytest.raises(SendUncertain):
                    await sending

    async def test_a_puppet_s_no_may_be_tried_again_unless_it_timed_out(
        self, node_gateway: NodeGateway
    ) -> None:
        node_gateway.room(ROOM)
        gateway = bot_for(node_gateway)
        async with running(gateway):
            node_gateway.behave(sendError="frequency limit")
            with pytest.raises(SendFailed) as failure:
                await gateway.send(Outgoing("k", ROOM, "收到"))
            assert not failure.value.final
            node_gateway.behave(sendError="GError: TimeoutError")
            with pytest.raises(SendUncertain):
                await gateway.send(Outgoing("k", ROOM, "收到"))

    async def test_without_an_id_it_is_still_said(self, node_gateway: NodeGateway) -> None:
        node_gateway.room(ROOM)
        node_gateway.behave(ids=False)
        gateway = bot_for(node_gateway)
        async with running(gateway):
            assert await gateway.send(Outgoing("k", ROOM, "收到")) is None

    async def test_a_missing_picture_does_not_say_the_text_twice(
        self, node_gateway: NodeGateway, tmp_path: Path
    ) -> None:
        node_gateway.room(ROOM)
        gateway = bot_for(node_gateway)
        async with running(gateway):
            await gateway.send(Outgoing("k", ROOM, "简报", picture=tmp_path / "missing.png"))
            with pytest.raises(SendFailed) as failure:
                await gateway.send(Outgoing("k2", ROOM, "", picture=tmp_path / "missing.png"))
        assert failure.value.final
        assert [said.text for said in node_gateway.said()] == ["简报"]

    async def test_large_pictures_both_ways(self, node_gateway: NodeGateway, tmp_path: Path) -> None:
        node_gateway.room(ROOM)
        gateway = bot_for(node_gateway)
        noise = random.Random(1)
        async with running(gateway) as heard:
            for size in (1_000, 3_000_000):
                content = noise.randbytes(size)
                file = tmp_path / "p.png"
                file.write_bytes(content)
                await gateway.send(Outgoing(f"k{size}", ROOM, "", picture=file))
                assert node_gateway.said()[-1].picture == content
            huge = noise.randbytes(8_000_000)
            message = await heard.message(node_gateway.picture(ROOM, "zhang", huge))
            assert await gateway.fetch_picture(BOT, message.id) == huge
            file.write_bytes(huge)
            with pytest.raises(SendFailed) as failure:
                await gateway.send(Outgoing("k8", ROOM, "", picture=file))
            assert failure.value.final
