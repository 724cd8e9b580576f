"""What every handler is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from classifiers.verdict import Classifier
from handlers.care import Register
from handlers.organisation import Organisation
from handlers.rules import Rules
from handlers.texts import Texts

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class World:
    """What stays the same from message to message; replaced whole when the organisation is reloaded."""

    organisation: Organisation
    rules: Rules
    texts: Texts
    classifier: Classifier
    zone: ZoneInfo
    care: Register = field(default_factory=Register, repr=False)
    pages: str = "http://127.0.0.1:8080"  # where people open the pages; without a slash at the end


@dataclass(frozen=True, slots=True)
class Context:
    """One handling: a session inside its transaction, the instant it counts as, and the world."""

    session: Session
    now: datetime
    world: World
    commanded: tuple[str, str] | None = None  # (account, room) where the command being done was given

    @property
    def organisation(self) -> Organisation:
        return self.world.organisation

    @property
    def rules(self) -> Rules:
        return self.world.rules

    @property
    def texts(self) -> Texts:
        return self.world.texts

    @property
    def care(self) -> Register:
        return self.world.care

    def local(self, instant: datetime) -> datetime:
        """The instant in the street's zone, for showing and for days."""
        return instant.astimezone(self.world.zone)
