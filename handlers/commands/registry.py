"""The commands: each declares name, aliases, usage, permission and help where it is defined."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handlers.commands.plain_words import Plain, declare
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.permissions import Actor, Permission
from storage.tables import Ticket


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a command. `number` is "31" or "CTM0712-031" as typed, "" where none was."""

    command: "Command"
    incoming: Incoming
    actor: Actor
    number: str
    argument: str
    word: str = ""  # the name or alias as typed, in small letters


Handler = Callable[[Context, Call], Ticket | None]
Fits = Callable[[Context, Call, Ticket], bool]


@dataclass(frozen=True, slots=True)
class Command:
    """`glued`: text may follow the name without a space (#办结水已抽干).

    `numbered`: digits after the name are a ticket's number; else they belong to what is said (#报 3号楼…).
    `bare`: the name is a word of everyday talk (大事不好), which without `#` counts only when nothing but a
    number follows.
    `clings`: text may follow without a space even where no `#` stands in front (已访张春花).
    `fits`: whether a plain word may mean it of this ticket and person, where the lifecycle does not tell.
    """

    name: str
    aliases: tuple[str, ...]
    usage: str
    permission: Permission
    help: str
    handler: Handler
    glued: bool
    numbered: bool
    bare: bool = False
    clings: bool = False
    fits: Fits | None = None


# Commands that are done without what was asked for, where nobody tells it.
GOES_ON = frozenset({"不满意"})


class UsageError(Exception):
    """命令用法不对。"""


class NoteMissing(UsageError):
    """还差一句话。"""

    def __init__(self, ticket: Ticket, ask: str, said: str = "") -> None:
        """ask: the key of the sentence that asks for it. said: what was said of it so far."""
        super().__init__(ask)
        self.ticket, self.ask, self.said = ticket, ask, said


COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    *aliases: str,
    usage: str,
    permission: Permission,
    help: str,
    glued: bool = False,
    numbered: bool = True,
    bare: bool = False,
    clings: bool = False,
    plain: Iterable[Plain] = (),
    fits: Fits | None = None,
) -> Callable[[Handler], Handler]:
    """Registers a handler; it returns the ticket it spoke of, if any, and raises UsageError for wrong use.

    plain: what people say for it in answer to the bot, without a #; see plain_words.
    """

    def register(handler: Handler) -> Handler:
        entry = Command(name, aliases, usage, permission, help, handler, glued, numbered, bare, clings, fits)
        declare(name, plain)
        for word in (name, *aliases):
            if word in COMMANDS:
                raise ValueError(f"two commands are called {word}")
            COMMANDS[word] = entry
        return handler

    return register


def all_commands() -> list[Command]:
    """Every command once: those of the work in the order of definition, then those for everybody.

    Of those of the work what is done to no ticket comes last.
    """
    everybody = {Permission.ANYONE, Permission.REPORTER}

    def place(entry: Command) -> tuple[bool, bool]:
        for_all = entry.permission in everybody
        return for_all, not for_all and not entry.numbered

    return sorted(dict.fromkeys(COMMANDS.values()), key=place)
