"""What a browser calls itself, in a word or two: enough to know one's own in a list."""

from collections.abc import Sequence
from typing import Final

# The first that stands in the text counts: most browsers name others as well.
_APPS: Final = (
    ("wxwork/", "企业微信"),
    ("micromessenger/", "微信"),
    ("edg", "Edge"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("qqbrowser/", "QQ浏览器"),
    ("huaweibrowser/", "华为浏览器"),
    ("chrome/", "Chrome"),
    ("crios/", "Chrome"),
    ("safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("harmony", "鸿蒙"),
    ("android", "安卓"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os", "Mac"),
    ("linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """微信 · 安卓; 浏览器 for what is not known."""
    text = user_agent[:1000].lower()
    return " · ".join(part for part in (_first(text, _APPS) or "浏览器", _first(text, _SYSTEMS)) if part)


def _first(text: str, table: Sequence[tuple[str, str]]) -> str:
    return next((name for mark, name in table if mark in text), "")
