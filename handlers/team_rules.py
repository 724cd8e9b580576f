"""The clocks of joint dispatch and of orders, as settings."""

from typing import Annotated

from pydantic import Field

from handlers.files import Part

_Minutes = Annotated[float, Field(ge=0, le=60 * 24 * 60)]


class Joint(Part):
    """Minutes from the call for each unit of a joint dispatch; 0 for no limit."""

    receive_minutes: _Minutes = 15
    arrive_minutes: _Minutes = 60
    """For urgency 2 and 3; what is routine has `routine_arrive_minutes`."""
    routine_arrive_minutes: _Minutes = 24 * 60
    every_minutes: Annotated[float, Field(ge=1, le=60 * 24)] = 15
    most: Annotated[int, Field(ge=0, le=10)] = 2
    """Reminders to a unit before its silence is told to the owner."""

    def arrive(self, urgency: int) -> float:
        return self.arrive_minutes if urgency >= 2 else self.routine_arrive_minutes


class Orders(Part):
    minutes: Annotated[float, Field(gt=0, le=60 * 24 * 7)] = 30
    """How long an order waits in a volunteers' group before it goes back to its owner."""
