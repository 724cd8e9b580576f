"""The digest's picture: one card with the day in numbers, for a phone in a chat.

matplotlib is imported when the first card is drawn: the bot's start and memory do not pay for it before.
"""

from handlers.figures.model import Figures


def draw(figures: Figures) -> bytes:
    """A PNG, 1080 px wide, below 300 KB. Takes about half a second; may be called from any thread."""
    from bot.card.drawing import card, png

    return png(card(figures))
