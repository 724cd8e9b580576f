"""How alike two texts are in wording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.alike import alike


@pytest.mark.parametrize(
    ("text", "closer", "farther"),
    [
        ("栏杆断了一截", "那截栏杆底座都锈空了", "我们这片停电了"),
        ("車庫進水了", "车库水到大腿了", "门口路灯坏了"),
        ("楼道里有狗咬人", "那条狗又在咬人了", "电梯里有人"),
    ],
)
def test_what_is_told_of_one_thing_is_closer(text: str, closer: str, farther: str) -> None:
    assert alike(text, closer) > alike(text, farther)


def test_common_words_say_little() -> None:
    assert alike("我这里的水也是黄的", "我这里的路也是黑的") < 0.5


@given(st.text(), st.text())
def test_bounds(one: str, other: str) -> None:
    assert 0 <= alike(one, other) <= 1
    assert alike(one, other) == pytest.approx(alike(other, one))
    assert alike(one, one) in (0.0, pytest.approx(1.0))
