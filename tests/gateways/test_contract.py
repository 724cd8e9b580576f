"""What every gateway keeps, over every network."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.gateways.base import Gateway, Listening, Mention, Outgoing, SendFailed
from handlers.incoming import MessageKind
from tests.gateways.contract import Heard, NetworkSide, Told, clock, running
from tests.gateways.networks import NETWORKS

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400  # 100 KB


@pytest.fixture(params=sorted(NETWORKS), scope="module")
def network_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def network(network_name: str) -> AsyncIterator[NetworkSide]:
    async with NETWORKS[network_name]() as side:
        yield side


@pytest.fixture
def gateway(network: NetworkSide) -> Gateway:
    return network.gateway()


async def test_a_message_arrives_whole(network: NetworkSide, gateway: Gateway) -> None:
    zhang, li = network.people[:2]
    async with running(gateway) as heard:
        assert isinstance(heard.events[0], Listening)
        id_ = await network.say(network.room, zhang, "幸福里3栋 井盖没了 🕳️", (network.account, li))
        message = await heard.message(id_)
    assert (message.account, message.room, message.sender) == (network.account, network.room, zhang)
    assert message.text == "幸福里3栋 井盖没了 🕳️"
    assert message.kind is MessageKind.TEXT
    assert message.mentions == (network.account, li)
    assert not message.from_self
    assert message.sent_at.tzinfo is not None
    assert abs(message.sent_at - clock()) < timedelta(seconds=30)
    assert gateway.status.last_message_at is not None


async def test_a_private_message_has_no_room(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway) as heard:
        message = await heard.message(await network.say("", network.people[0], "状态"))
    assert message.is_private
    assert message.sender == network.people[0]


async def test_each_room_keeps_its_order(network: NetworkSide, gateway: Gateway) -> None:
    sent: dict[str, list[str]] = {network.room: [], network.other_room: []}
    async with running(gateway) as heard:
        for number in range(100):
            room = (network.room, network.other_room)[number % 2]
            sent[room].append(await network.say(room, network.people[number % 2], f"第{number}条"))
        await heard.until(lambda heard: len(heard.messages) == 100)
    for room, ids in sent.items():
        assert [message.id for message in heard.messages if message.room == room] == ids


async def test_a_slow_sink_loses_nothing(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway, Heard(delay=0.005)) as heard:
        ids = [await network.say(network.room, network.people[0], f"第{number}条") for number in range(100)]
        await heard.until(lambda heard: len(heard.messages) == 100)
    assert [message.id for message in heard.messages] == ids


async def test_says_into_a_room_with_mentions(network: NetworkSide, gateway: Gateway) -> None:
    zhang = network.people[0]
    outgoing = Outgoing("k1", network.room, "@张 收到 #31", mentions=(Mention(zhang, "张"),))
    async with running(gateway) as heard:
        id_ = await gateway.send(outgoing)
        if network.shows_own:
            await heard.until(lambda heard: heard.messages)
    assert await network.said() == [Told(network.room, "", "@张 收到 #31", (zhang,))]
    for own in heard.messages:
        assert own.from_self
        assert own.sender == own.account == network.account
        assert id_ in (None, own.id)


async def test_says_to_a_person_in_private(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway):
        await gateway.send(Outgoing("k1", "", "请确认", person=network.people[0]))
    assert await network.said() == [Told("", network.people[0], "请确认")]


async def test_an_unknown_room_is_a_final_failure(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway):
        with pytest.raises(SendFailed) as failure:
            await gateway.send(Outgoing("k1", "nowhere@chatroom", "有人吗"))
    assert failure.value.final
    assert await network.said() == []


async def test_a_picture_comes_and_goes(network: NetworkSide, gateway: Gateway, tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"
    await asyncio.to_thread(chart.write_bytes, PNG)
    async with running(gateway) as heard:
        message = await heard.message(await network.show(network.room, network.people[0], PNG))
        assert message.kind is MessageKind.IMAGE
        assert await gateway.fetch_picture(message.account, message.id) == PNG
        await gateway.send(Outgoing("k1", network.room, "今日简报", picture=chart))
    texts = [told.text for told in await network.said() if told.text]
    pictures = [told.picture for told in await network.said() if told.picture]
    assert (texts, pictures) == (["今日简报"], [PNG])


async def test_an_unknown_picture_is_none(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway):
        assert await gateway.fetch_picture(network.account, "no-such-message") is None


async def test_a_message_delivered_twice_has_one_id(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway) as heard:
        id_ = await network.say(network.room, network.people[0], "漏水了")
        await heard.message(id_)
        if await network.again(id_):
            await heard.until(lambda heard: len(heard.messages) == 2)
    assert {message.id for message in heard.messages} == {id_}


async def test_the_account_s_own_phone_is_known_as_itself(network: NetworkSide, gateway: Gateway) -> None:
    if not network.shows_own:
        pytest.skip("this network does not show own messages")
    async with running(gateway) as heard:
        message = await heard.message(await network.say(network.room, network.account, "我来处理"))
    assert message.from_self


async def test_cancelling_ends_it_soon(network: NetworkSide, gateway: Gateway) -> None:
    async with running(gateway) as heard:
        await heard.message(await network.say(network.room, network.people[0], "你好"))
        began = time.monotonic()
    assert time.monotonic() - began < 3
