"""Asks an OpenAI-compatible endpoint about messages on the review list, one by one, never in their way.

Off unless `opinion.url` is set. Whatever goes wrong leaves the message in the list as it is.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout
from sqlalchemy.exc import DBAPIError

from bot.settings import OpinionSettings
from bot.stored import from_row
from handlers import opinions, reviews
from handlers.context import Clock, Context, World
from handlers.opinions import INSTRUCTIONS, Opinion
from storage import opinions as budget
from storage import reviews as store
from storage.database import Database, short
from storage.tables import Message, Review, ReviewState

log = structlog.get_logger(__name__)

_BEFORE = 3  # messages shown along
_MOST_BYTES = 64 * 1024  # of an answer
_LOOK_SECONDS = 15.0  # how often the list is looked at without being woken
_PAUSE_SECONDS = 30.0  # after a failure: whoever is down or overloaded is left in peace


@dataclass(frozen=True, slots=True)
class Question:
    message_id: int
    text: str


class NoOpinion(Exception):
    """Nothing came that counts; the message says what went wrong, never what was said."""


class Opinions:
    """`on_change` is called in the event loop after an opinion was noted."""

    def __init__(
        self,
        database: Database,
        world: Callable[[], World],
        clock: Clock,
        settings: OpinionSettings,
        on_change: Callable[[], None] = lambda: None,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self._database = database
        self._world = world
        self._clock = clock
        self._settings = settings
        self._on_change = on_change
        self._pause = pause_seconds
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There may be something new on the list."""
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled; returns at once where no endpoint is set."""
        if not self._settings.url:
            return
        timeout = ClientTimeout(total=self._settings.seconds)
        async with ClientSession(timeout=timeout) as http:
            while True:
                self._news.clear()
                try:
                    while await self.ask_next(http):
                        pass
                except NoOpinion as reason:
                    log.warning("no_opinion", reason=str(reason))
                except Exception as error:  # noqa: BLE001  whatever it is: the bot works the same without
                    why = short(error) if isinstance(error, DBAPIError) else type(error).__name__
                    log.error("opinion_failed", reason=why)
                else:
                    await self._wait()
                    continue
                await asyncio.sleep(self._pause)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            pass

    async def ask_next(self, http: ClientSession) -> bool:
        """Asks about one message; False where none waits or the budget is spent. Raises NoOpinion."""
        question = await asyncio.to_thread(self._claim)
        if question is None:
            return False
        opinion = await self._ask(http, question.text)
        await asyncio.to_thread(self._note, question.message_id, opinion)
        self._on_change()
        return True

    def _claim(self) -> Question | None:
        with self._database.transaction() as session:
            ctx = Context(session, self._clock(), self._world())
            day = ctx.local(ctx.now).date()
            review = budget.claim(session, ctx.now, day, self._settings.per_day)
            if review is None:
                return None
            message = session.get_one(Message, review.message_id)
            before = store.before(session, message, _BEFORE)
            return Question(message.id, opinions.question(ctx, message, before))

    def _note(self, message_id: int, opinion: Opinion) -> None:
        with self._database.transaction() as session:
            review = store.locked(session, message_id)
            if review is None or review.state != ReviewState.WAITING:
                return  # somebody was quicker
            review.opinion_label, review.opinion_urgency = opinion.label, opinion.urgency
            session.add(review)
            session.flush()
            if self._settings.acts:
                self._act(Context(session, self._clock(), self._world()), review, opinion)

    def _act(self, ctx: Context, review: Review, opinion: Opinion) -> None:
        choice = opinions.deed(review, opinion)
        if choice is not None:
            message = ctx.session.get_one(Message, review.message_id)
            reviews.decide(ctx, from_row(message), choice, reviews.OPINION)

    async def _ask(self, http: ClientSession, text: str) -> Opinion:
        try:
            answer = await self._post(http, text)
        except TimeoutError:
            raise NoOpinion("no answer in time") from None
        except (ClientError, OSError, ValueError) as error:
            raise NoOpinion(type(error).__name__) from None
        opinion = opinions.understood(_said(answer))
        if opinion is None:
            raise NoOpinion("not what was asked for")
        return opinion

    async def _post(self, http: ClientSession, text: str) -> bytes:
        """The body, at most so much of it. Redirects are not followed: the text is for this endpoint only."""
        token = self._settings.token.get_secret_value()
        asked = {
            "model": self._settings.model,
            "messages": [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": text}],
            "temperature": 0,
            "max_tokens": 60,
        }
        async with http.post(
            self._settings.url.rstrip("/") + "/chat/completions",
            json=asked,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                raise NoOpinion(f"status {response.status}")
            body = b""
            async for chunk in response.content.iter_chunked(8192):
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise NoOpinion("the answer is too long")
            return body


def _said(body: bytes) -> str:
    """What the model said; "" where the body is no completion."""
    try:
        content: Any = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return content if isinstance(content, str) else ""
