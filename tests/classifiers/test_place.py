"""Places: cut from the text as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.place import Places

PLACES = Places(["来福士", "十八梯", "天官府社区"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("来福士负二楼进水了", "来福士负二楼"),
        ("健康路1号有煤气味", "健康路1号"),
        ("3栋2单元电梯坏了", "3栋2单元电梯"),
        ("地下车库积水", "地下车库"),
        ("B2进水了", "B2"),
        ("十八梯那边有人打架", "十八梯"),
        ("３號樓進水了", "３號樓"),
        ("健康路9号楼上漏水", "健康路9号"),
        ("十八梯大梯道滑得很", "十八梯大梯道"),
        ("巡查发现大顺里9号一层漏电", "大顺里9号一层"),
        ("门口插座坏了 3栋2单元楼道", "3栋2单元楼道"),
        ("1803房的客人没出来", "1803房"),
        ("水好大", ""),
        ("今天吃什么", ""),
        ("", ""),
    ],
)
def test_place(text: str, place: str) -> None:
    assert PLACES.find(text) == place


@given(st.text() | st.text(alphabet="负二楼3栋单元健康路号门口B2来福士 ，\ud800", max_size=80))
def test_a_place_is_part_of_the_text(text: str) -> None:
    assert PLACES.find(text) in text
