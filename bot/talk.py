"""What was said last in each group, in memory: a message is read with what came before it."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifiers.context import MOST_TURNS, WINDOW, recent
from classifiers.verdict import Turn
from handlers.incoming import Incoming, MessageKind
from handlers.organisation import Organisation

RECENT = timedelta(seconds=WINDOW)
_MOST_GROUPS = 2000  # those silent longest are forgotten
_LONGEST = 400  # characters; the classifier reads no more

_Group = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Said:
    id: int
    at: datetime
    sender: str
    text: str


class Talk:
    """The last turns of each group, or of each private chat. Used from one thread."""

    def __init__(self) -> None:
        self._groups: OrderedDict[_Group, deque[_Said]] = OrderedDict()

    def hear(self, incoming: Incoming) -> None:
        """Notes a message; one that is handled again counts once."""
        if incoming.kind is not MessageKind.TEXT or incoming.from_self or not incoming.text.strip():
            return
        turns = self._groups.setdefault(_group(incoming), deque(maxlen=MOST_TURNS + 1))
        self._groups.move_to_end(_group(incoming))
        if all(said.id != incoming.row_id for said in turns):
            turns.append(_Said(incoming.row_id, incoming.sent_at, incoming.sender, incoming.text[:_LONGEST]))
        while len(self._groups) > _MOST_GROUPS:
            self._groups.popitem(last=False)

    def hear_all(self, messages: Iterable[Incoming]) -> None:
        for incoming in messages:
            self.hear(incoming)

    def before(self, organisation: Organisation, incoming: Incoming) -> tuple[Turn, ...]:
        """What was said before the message, oldest first; not what came after it."""
        ages = [
            ((incoming.sent_at - said.at).total_seconds(), said)
            for said in self._groups.get(_group(incoming), ())
            if said.id != incoming.row_id
        ]
        return recent(Turn(said.sender, age, said.text, organisation.role(said.sender)) for age, said in ages)


def _group(incoming: Incoming) -> _Group:
    return incoming.account, incoming.room, incoming.sender if incoming.is_private else ""
