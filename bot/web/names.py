"""Chinese names of codes: the texts' `names.*`, which a street may override, and the pages' own."""

from collections.abc import Mapping

from bot.gateways.base import Connection
from handlers.records import ACTION_NAMES
from handlers.texts import Texts
from storage.tables import AttachmentState, ReplyState, ReviewState

BOT_NAME = "网格助手"

_OWN: Mapping[str, Mapping[str, str]] = {
    "reply": {
        ReplyState.WAITING: "等待发送",
        ReplyState.SENDING: "正在发送",
        ReplyState.SENT: "已发送",
        ReplyState.FAILED: "发送失败",
        ReplyState.DROPPED: "不发了",
    },
    "review": {
        ReviewState.WAITING: "待确认",
        ReviewState.ACCEPTED: "已建单",
        ReviewState.RELABELLED: "已改类建单",
        ReviewState.IGNORED: "不是事项",
        ReviewState.EXPIRED: "过期没有确认",
    },
    "attachment": {
        AttachmentState.WANTED: "图片还没取到",
        AttachmentState.KEPT: "图片",
        AttachmentState.FAILED: "图片没取到",
    },
    "due": {"accept": "接单", "arrive": "到场", "solve": "办结"},
    "connection": {
        Connection.STARTING: "正在启动",
        Connection.CONNECTED: "已连接，未登录",
        Connection.LOGGED_IN: "正常",
        Connection.LOST: "已断开，正在重连",
        Connection.REFUSED: "被拒绝，需要处理",
    },
    "gateway": {"local": "内置聊天", "wechaty": "微信（Wechaty）"},
    "outcome": {
        "opened": "立事项",
        "joined": "并入事项",
        "command": "指令",
        "picture": "图片",
        "review": "待确认",
        "failed": "处理失败",
    },
    # Of the action log; those of tickets are the texts' names.event.
    "action": ACTION_NAMES,
    "message": {"image": "［图片］", "other": "［语音、视频或其他消息］"},
}


class Names:
    """`names("state", "reported")` is 已上报; a code that nobody named is shown as it is."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def __call__(self, table: str, code: object) -> str:
        if code is None:
            return ""
        key = f"names.{table}.{code}"
        if self._texts.has(key):
            return self._texts(key)
        return _OWN.get(table, {}).get(str(code), str(code))

    def table(self, table: str) -> list[tuple[str, str]]:
        """(code, name) of all that the texts name, in their order in the file."""
        prefix = f"names.{table}."
        return [
            (key.removeprefix(prefix), self._texts(key))
            for key in self._texts.keys()  # noqa: SIM118 - a method of Texts, no dict
            if key.startswith(prefix)
        ]
