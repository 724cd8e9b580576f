"""Who is speaking in a tab of the chat page, and whom a text mentions."""

import re
from dataclasses import dataclass
from typing import Final

from bot.gateways.local import ACCOUNT
from bot.web.names import BOT_NAME
from handlers.organisation import Group, Organisation, Role

_GUEST: Final = "guest:"
_LONGEST_NAME: Final = 20


@dataclass(frozen=True, slots=True)
class Speaker:
    id: str
    name: str
    role: Role = Role.RESIDENT

    @property
    def is_guest(self) -> bool:
        return self.id.startswith(_GUEST)


def guest(name: str) -> Speaker | None:
    """A newcomer by the name typed; the same name is the same person. None where nothing is left of it."""
    clean = re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff@#]+", "", name)[:_LONGEST_NAME]
    return Speaker(f"{_GUEST}{clean}", clean) if clean else None


def speaker(organisation: Organisation, person_id: str) -> Speaker | None:
    """Somebody of the organisation file, or a newcomer."""
    if person_id.startswith(_GUEST):
        return guest(person_id.removeprefix(_GUEST))
    person = organisation.person(person_id)
    if person is None or person.role is Role.BOT:
        return None
    return Speaker(person.id, person.name, person.role)


def usual(organisation: Organisation, group: Group | None) -> Speaker | None:
    """Whom a tab starts as: somebody who lives where the group is."""
    people = [person for person in organisation.people.values() if person.role is not Role.BOT]
    area = group.area if group else ""
    people.sort(key=lambda person: (person.role is not Role.RESIDENT, person.area != area))
    return Speaker(people[0].id, people[0].name, people[0].role) if people else guest("居民")


def by_role(organisation: Organisation) -> dict[Role, list[Speaker]]:
    found: dict[Role, list[Speaker]] = {role: [] for role in Role if role is not Role.BOT}
    for person in organisation.people.values():
        if person.role is not Role.BOT:
            found[person.role].append(Speaker(person.id, person.name, person.role))
    return {role: people for role, people in found.items() if people}


def mentioned(organisation: Organisation, text: str) -> tuple[str, ...]:
    """Ids of those the text calls by "@name", in the order of the file; the longest name wins."""
    called = {BOT_NAME: ACCOUNT} | {person.name: person.id for person in organisation.people.values()}
    names = sorted(called, key=len, reverse=True)
    found = re.findall("@(" + "|".join(re.escape(name) for name in names) + ")", text)
    return tuple(dict.fromkeys(called[name] for name in found))
