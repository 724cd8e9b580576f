"""Reads a conversation file and plays it. README.md beside this file says what the lines mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import yaml
from sqlmodel import Session, col, func, select

from handlers import digest
from handlers.figures import periods
from handlers.figures.model import DigestKind
from handlers.incoming import Incoming, MessageKind, Quote
from handlers.joining import Invitation, invite, post_name
from handlers.organisation import Group, Organisation, Person, RiskPoint, Role, Unit
from handlers.permissions import OPERATOR
from handlers.reviews import Choice
from handlers.rules import Rules
from storage import organisation
from storage.database import Database
from storage.people import write_posts
from storage.tables import (
    Attachment,
    Erasure,
    Offer,
    OrgPerson,
    Question,
    Reply,
    ReviewState,
    Room,
    Ticket,
    TicketUnit,
)
from storage.tickets import count_reports
from tests.support.street import ACCOUNT, ZONE, Street, make_world

PRIVATE = "私聊"
_MOVE = re.compile(r"^\+(\d+)([mhd])$")
_DIGEST = re.compile(r"^(早报|日报|周报) (\d{4}-\d\d-\d\d)$")
_DIGESTS = {"早报": DigestKind.MORNING, "日报": DigestKind.EVENING, "周报": DigestKind.WEEKLY}
_DECISION = re.compile(r"^确认「([^」]+)」 (\S+)$")
_SETTING = re.compile(r"^设 (群|人|单位|规则|没有|风险点|关爱) (\{.*\})$")
_SAYING = re.compile(
    r"^(?:(?P<at>\d\d:\d\d) )?(?P<place>\S+) (?P<who>\S+?)"
    r"(?: ↩(?:「(?P<quoted>[^」]*)」|『(?P<words>[^』]*)』))?(?P<twice> ×2)?[:：]\s*(?P<text>.*)$"
)
_ANSWER = re.compile(r"^    → (?P<place>[^:：]+)[:：](?P<text>.*)$")
_FACT = re.compile(r"^    = (?P<fact>.*)$")
_CODE = re.compile(r"^加入码 (\{.*\})$")
_IMPORTED = re.compile(r"^导入 (\{.*\})$")
_REMOVED = re.compile(r"^删除 (\S+)$")
_CHANGE = re.compile(r"^(进群|出群|改名|再叫|走了|来了) (\S+)(?: (\S+))?$")
_CHANGES = {
    "进群": "joined",
    "出群": "left",
    "改名": "renamed",
    "走了": "member_left",
    "来了": "member_joined",
}
_CHOICES = {
    "建单": Choice.ACCEPT,
    "不是": Choice.IGNORE,
    "汛情": Choice.FLOOD,
    "纠纷": Choice.DISPUTE,
    "安全": Choice.SAFETY,
    "服务": Choice.SERVICE,
}
_DUE = (
    select(func.min(col(Ticket.due_at))),
    select(func.min(col(TicketUnit.due_at))),
    select(func.min(col(Question.expires_at))),
    select(func.min(col(Erasure.due_at))),
    select(func.min(col(Offer.expires_at))).where(Offer.state == "open"),
)
_SPANS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass
class Step:
    """One line that does something, with the answers wanted (place, text) and facts checked after it."""

    line: int
    text: str
    answers: list[tuple[str, str]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


@dataclass
class Scene:
    file: str
    title: str
    settings: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def scenes(file: Path) -> Iterator[Scene]:
    scene: Scene | None = None
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("== "):
            if scene:
                yield scene
            scene = Scene(file.stem, line[3:].strip())
        elif scene is not None and line.strip() and not line.startswith("# "):
            _take(scene, number, line.rstrip())
    if scene:
        yield scene


def _take(scene: Scene, number: int, line: str) -> None:
    if line.startswith("设 "):
        scene.settings.append(line)
    elif answer := _ANSWER.match(line):
        scene.steps[-1].answers.append((answer["place"].strip(), answer["text"].strip()))
    elif fact := _FACT.match(line):
        scene.steps[-1].facts.append(fact["fact"])
    elif line.startswith("      "):
        place, text = scene.steps[-1].answers[-1]
        scene.steps[-1].answers[-1] = (place, f"{text}\n{line.strip()}")
    else:
        assert not line.startswith(" "), f"{scene.file}.txt:{number}: not understood: {line}"
        scene.steps.append(Step(number, line))


class Stage:
    """The street on which one scene is played."""

    def __init__(self, scene: Scene, database: Database) -> None:
        self._scene = scene
        world = make_world()
        organisation, rules = _set(scene.settings, world.organisation, world.rules)
        self._street = Street(database, replace(world, organisation=organisation, rules=rules))
        self._street.keep_in_care(*(yaml.safe_load(_care(line)) for line in scene.settings if _care(line)))
        self._said: list[Reply] = []
        self._codes: list[str] = []
        self._renamed: dict[str, str] = {}  # groups by the name that they had

    @property
    def _organisation(self) -> Organisation:
        return self._street.world.organisation

    def play(self) -> None:
        for step in self._scene.steps:
            found = self.do(step)
            self._compare(step, found)
            for fact in step.facts:
                self._check(step, fact)

    def do(self, step: Step) -> list[Reply]:
        """Does what the line says; what the bot answered, everywhere, in order."""
        found = self._do(step)
        self._said += found
        return found

    def _do(self, step: Step) -> list[Reply]:
        if move := _MOVE.match(step.text):
            return self._wait(self._street.clock() + timedelta(**{_SPANS[move[2]]: int(move[1])}))
        if day := _DIGEST.match(step.text):
            with self._street.context() as ctx:
                window = periods.window(ctx, _DIGESTS[day[1]], date.fromisoformat(day[2]))
                made = digest.ready(ctx, ACCOUNT, window)
                assert made is not None
                digest.post(ctx, ACCOUNT, made)
            return self._street.new_replies()
        if decision := _DECISION.match(step.text):
            return self._street.decide(decision[1], _CHOICES[decision[2]])
        if code := _CODE.match(step.text):
            with self._street.context() as ctx:
                self._codes.append(invite(ctx, OPERATOR, Invitation(**yaml.safe_load(code[1]))))
            return self._street.new_replies()
        if imported := _IMPORTED.match(step.text):
            values = yaml.safe_load(imported[1])
            with self._street.context() as ctx:
                ctx.session.add(OrgPerson(id=values["id"], name=values["name"]))
                ctx.session.flush()
                write_posts(ctx.session, values["id"], [(values["role"], values["area"], "")])
                organisation.changed(ctx.session)
            return self._renewed()
        if removed := _REMOVED.match(step.text):
            with self._street.context() as ctx:
                write_posts(ctx.session, removed[1], [])
                ctx.session.delete(ctx.session.get_one(OrgPerson, removed[1]))
                organisation.changed(ctx.session)
            return self._renewed()
        if change := _CHANGE.match(step.text):
            return self._change(change[1], change[2], change[3] or "")
        saying = _SAYING.match(step.text)
        assert saying, self._where(step, "not understood")
        found = self._wait(self._at(saying["at"])) if saying["at"] else []
        incoming = self._incoming(step, saying)
        return found + self._street.hear(*([incoming, incoming] if saying["twice"] else [incoming]))

    def _renewed(self) -> list[Reply]:
        self._street.renew()
        return self._street.new_replies()

    def _change(self, what: str, name: str, more: str) -> list[Reply]:
        """Something happens to a group: it gets the bot, another name, or somebody comes or goes."""
        room, people = self._room(name), [p.id for p in self._organisation.people.values() if p.name == more]
        if what in {"改名", "再叫"}:
            self._renamed[name] = more
        if what == "再叫":
            return []
        topic = self._renamed.get(name, name) if what in {"改名", "进群"} else ""
        return self._street.change(room, _CHANGES[what], topic, tuple(people or [more]))

    def shown(self, found: list[Reply]) -> list[tuple[str, str]]:
        """(place, text) of each answer."""
        return [(self._place(reply), reply.text) for reply in found]

    def _at(self, clock: str) -> datetime:
        """The next time it is that late in the street."""
        now = self._street.clock().astimezone(ZONE)
        hour, minute = clock.split(":")
        then = now.replace(hour=int(hour), minute=int(minute))
        return then if then >= now else then + timedelta(days=1)

    def _wait(self, until: datetime) -> list[Reply]:
        """Moves the clock from deadline to deadline, as the sweep of the running bot would."""
        found: list[Reply] = []
        while True:
            due = self._next_due()
            if due is None or due > until:
                break
            self._street.clock.now = max(self._street.clock.now, due)
            found += self._street.sweep()
        if until > self._street.clock.now:
            self._street.sent()
        self._street.clock.now = until
        return found

    def _next_due(self) -> datetime | None:
        """The earliest instant at which a sweep has something to look at."""
        with self._street.reading() as session:
            found = [session.exec(statement).one() for statement in _DUE]
        found += [self._street.held_until(), self._street.visits_due()]
        return min((due for due in found if due is not None), default=None)

    def _incoming(self, step: Step, saying: re.Match[str]) -> Incoming:
        person = next((p for p in self._organisation.people.values() if p.name == saying["who"]), None)
        sender = person.id if person else saying["who"]
        place = "" if saying["place"] == PRIVATE else self._room(saying["place"])
        text = saying["text"].replace("⏎", "\n")
        for number, code in enumerate(self._codes, 1):
            text = text.replace(f"【码{number}】", code).replace(f"【无横码{number}】", code.replace("-", ""))
        incoming = self._street.incoming(place, sender, text)
        if place and (not incoming.room_topic or saying["place"] in self._renamed):
            topic = self._renamed.get(saying["place"], saying["place"])
            incoming = replace(incoming, room_topic=topic)
        if text == "[图片]":
            return replace(incoming, text="", kind=MessageKind.IMAGE)
        return replace(
            incoming, mentions=self._mentions(text), quote=self._quote(step, saying, place, sender)
        )

    def _mentions(self, text: str) -> tuple[str, ...]:
        people = [p.id for p in self._organisation.people.values() if f"@{p.name}" in text]
        return (*((ACCOUNT,) if "@网格助手" in text else ()), *people)

    def _quote(self, step: Step, saying: re.Match[str], place: str, sender: str) -> Quote | None:
        words = saying["words"]
        if words is not None:
            return Quote(words)
        if saying["quoted"] is None:
            return None
        here = [r for r in self._said if r.room == place and (place or r.person == sender)]
        reply = next((r for r in reversed(here) if saying["quoted"] in r.text), None)
        assert reply is not None, self._where(step, "the bot said no such thing here")
        return self._street.quoted(reply)

    def _room(self, name: str) -> str:
        return next((g.id for g in self._organisation.groups if name in (g.topic, g.id) and g.id), name)

    def _place(self, reply: Reply) -> str:
        if not reply.room:
            person = self._organisation.person(reply.person)
            return f"{PRIVATE} {person.name if person else reply.person}"
        return self._organisation.group(reply.room).topic or reply.room

    def _compare(self, step: Step, found: list[Reply]) -> None:
        shown = self.shown(found)
        told = "\n".join(answer_lines(shown)) or "    (nothing)"
        assert like(step.answers, shown), self._where(step, f"\nthe bot said:\n{told}")
        for reply in found:
            for person in self._organisation.people.values():
                called = f"@{person.name} " in reply.text + " "
                assert called == any(m["id"] == person.id for m in reply.mentions), self._where(
                    step, f"mention of {person.name}: {reply.text} {reply.mentions}"
                )

    def _check(self, step: Step, fact: str) -> None:
        tickets = {ticket.number: ticket for ticket in self._street.tickets()}
        if fact == "没有工单":
            assert not tickets, self._where(step, f"there are {list(tickets)}")
            return
        number, *wanted = fact.split()
        if number in {"群", "人"}:
            true = self._group(wanted[0]) if number == "群" else self._posts(wanted[0])
            assert true == wanted[1:], self._where(step, f"{wanted[0]}: {' '.join(true)}")
            return
        if number == "待确认":
            waiting = [r for r in self._street.reviews() if r.state == ReviewState.WAITING]
            assert len(waiting) == int(wanted[0]), self._where(step, f"{len(waiting)} wait")
            return
        with self._street.reading() as session:
            true = self._facts(session, tickets[number])
        missing = [word for word in wanted if word not in true]
        assert not missing, self._where(step, f"{number} is {' '.join(true)}, not {' '.join(missing)}")

    def _group(self, name: str) -> list[str]:
        """What a group is bound to, and what has become of it."""
        room = self._room(name)
        group = self._organisation.bound_group(room, self._renamed.get(name, name))
        texts = self._street.world.texts
        with self._street.reading() as session:
            row = session.get(Room, (ACCOUNT, room))
        facts = [
            self._organisation.area_name(group.area) if group else "没绑",
            texts(f"names.kind.{group.kind}") if group else "",
            f"原名{row.former_topic}" if row and row.renamed_at else "",
            "负责人走了" if row and row.owner_left_at else "",
            "机器人不在" if row and not row.present else "",
        ]
        return [fact for fact in facts if fact]

    def _posts(self, name: str) -> list[str]:
        person = next(p for p in self._organisation.people.values() if name in (p.name, p.id))
        with self._street.context() as ctx:
            return [post_name(ctx, post) for post in person.posts]

    def _facts(self, session: Session, ticket: Ticket) -> list[str]:
        texts = self._street.world.texts
        owner = self._organisation.person(ticket.owner or "")
        pictures = select(func.count()).where(Attachment.ticket_id == ticket.id)
        facts = [
            texts(f"names.state.{ticket.state}"),
            texts(f"names.resolution.{ticket.resolution}") if ticket.resolution else "",
            texts(f"names.label.{ticket.label}"),
            texts(f"names.urgency.{ticket.urgency}"),
            texts(f"names.level.{ticket.level}"),
            texts(f"names.track.{ticket.track}"),
            ticket.risk_point or "",
            "反复办" if ticket.recurring else "",
            owner.name if owner else "无人",
            ticket.handler_name,
            f"{session.exec(pictures).one()}图",
            f"{count_reports(session, ticket.id)}人",
            "" if ticket.due_at else "不计时",
        ]
        return [fact for fact in facts if fact]

    def _where(self, step: Step, why: str) -> str:
        return f"{self._scene.file}.txt:{step.line}: {step.text}: {why}"


def _care(line: str) -> str:
    return line.removeprefix("设 关爱 ") if line.startswith("设 关爱 ") else ""


def _set(settings: list[str], organisation: Organisation, rules: Rules) -> tuple[Organisation, Rules]:
    for line in settings:
        match = _SETTING.match(line)
        assert match, f"not understood: {line}"
        values = yaml.safe_load(match[2])
        if match[1] == "群":
            organisation = replace(organisation, groups=(*organisation.groups, Group(**values)))
        elif match[1] == "人":
            person = Person(**values)
            organisation = replace(organisation, people={**organisation.people, person.id: person})
        elif match[1] == "风险点":
            point = RiskPoint(**values)
            organisation = replace(organisation, risk_points={**organisation.risk_points, point.code: point})
        elif match[1] == "单位":
            unit = Unit(**values)
            organisation = replace(organisation, units={**organisation.units, unit.code: unit})
        elif match[1] == "关爱":
            continue  # once the street stands
        elif match[1] == "没有":
            groups = tuple(g for g in organisation.groups if g.kind != values["kind"])
            people = {i: p for i, p in organisation.people.items() if p.role != values["role"]}
            units = {} if values["role"] == Role.UNIT else organisation.units
            organisation = replace(organisation, groups=groups, people=people, units=units)
        else:
            rules = Rules.model_validate(rules.model_dump() | values)
    return organisation, rules


def like(wanted: list[tuple[str, str]], got: list[tuple[str, str]]) -> bool:
    """Whether the answers are those wanted, where … stands for anything."""
    return len(wanted) == len(got) and all(
        place == there and re.fullmatch(".*".join(map(re.escape, text.split("…"))), said, re.DOTALL)
        for (place, text), (there, said) in zip(wanted, got, strict=True)
    )


def answer_lines(answers: list[tuple[str, str]]) -> list[str]:
    """Answers as they stand in a file."""
    shown = [f"    → {place}：{text}".replace("\n", "\n        ") for place, text in answers]
    return [line for answer in shown for line in answer.splitlines()]
