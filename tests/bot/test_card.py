"""The digest's picture: what is on it, whether each letter can be drawn, and how large it is."""

import struct
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from matplotlib.colors import to_hex
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from bot.card import draw, letters, words
from bot.card.drawing import card
from classifiers.verdict import Label
from handlers.figures.model import Counts, DigestKind, Durations, Figures, Period, Share, Usual
from handlers.figures.wording import period_of
from tests.support.figures import END, NAMES, areas_of, days_of, made_up

SAMPLE = Path(__file__).parents[2] / "docs" / "digest.png"
NOTHING = made_up(
    total=Counts(),
    usual=Usual(),
    urgent=0,
    areas=(),
    answered=Durations(),
    closing=Durations(),
    response=Share(),
    solution=Share(),
    satisfaction=Share(),
    on_time=Share(),
    days=days_of(((0, 0, 0, 0),) * 14),
)
MUCH = made_up(
    name="名字很长很长很长的某某街道办事处及其下属的网格",
    total=Counts(12345, 9999, 10000, 4321),
    areas=areas_of(tuple(f"第{at}网格，名字也很长很长很长" for at in range(60)), most=900),
    days=days_of(((900, 800, 700, 600),) * 14),
)


def texts(figures: Figures) -> list[str]:
    return [text.get_text() for text in card(figures).findobj(Text) if text.get_text()]


@pytest.mark.parametrize("figures", [made_up(), NOTHING, MUCH], ids=["busy", "nothing", "much"])
def test_a_card_is_a_picture_for_a_phone(figures: Figures) -> None:
    picture = draw(figures)
    width, height = struct.unpack(">II", picture[16:24])
    assert picture.startswith(b"\x89PNG")
    assert width == 1080
    assert 1000 < height < 2000
    assert len(picture) < 300_000


@pytest.mark.parametrize("figures", [made_up(), NOTHING, MUCH], ids=["busy", "nothing", "much"])
def test_nothing_is_written_off_the_card_or_too_small(figures: Figures) -> None:
    drawn = card(figures)
    for text in drawn.findobj(Text):
        if text.get_text():
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= 1080 and box.y0 >= 0, text.get_text()
            assert box.y1 <= drawn.bbox.height, text.get_text()
            # A phone shows 1080 px as 360: no letter is smaller than 8 there.
            assert text.get_fontsize() * 100 / 72 >= 24, text.get_text()


def test_the_numbers_are_those_of_the_figures() -> None:
    written = texts(made_up())
    assert {"解放碑街道日报", "7月11日 18:00 – 7月12日 18:00", "紧急 2 件"} <= set(written)
    assert {"17", "21", "63", "9", "平时 11.5", "平时 48"} <= set(written)
    assert {"94%", "16/17", "90%", "18/20", "92%", "8 件不计", "85%"} <= set(written)
    assert "一半在 8 分钟内，九成在 47 分钟内" in written
    assert {*NAMES, "18（超时 5）", "3"} <= set(written)


def test_what_is_nothing_is_said_to_be_nothing() -> None:
    written = texts(NOTHING)
    assert {"14 天里没有新报", "没有在办的事项", "—", "0/0"} <= set(written)
    assert not any("平时" in text or "紧急" in text for text in written)


def test_the_days_are_stacked_by_label_in_colours_that_all_can_tell_apart() -> None:
    axes = next(axes for axes in card(made_up()).axes if axes.get_label() == "days")
    stacks = {bars.get_label(): bars for bars in axes.containers}
    assert list(stacks) == [label.value for label in words.COLOURS]
    assert [to_hex(bars[0].get_facecolor()).upper() for bars in stacks.values()] == [
        *("#0072B2", "#E69F00", "#D55E00", "#009E73")
    ]
    assert [bar.get_height() for bar in stacks["flood"]] == [1, 0, 2, 0, 1, 3, 9] * 2
    tops = [sum(bars[at].get_height() for bars in stacks.values()) for at in range(14)]
    assert tops == [day.total for day in made_up().days]


def test_of_sixty_areas_the_busiest_are_shown_and_the_rest_as_one() -> None:
    shown, rest = words.loads(MUCH)
    assert (len(shown), len(rest)) == (7, 53)
    total = sum((area.counts for area in rest), Counts())
    assert f"其余 53 处共 {total.open}" in texts(MUCH)
    assert any(text.startswith("第0网格") and text.endswith("…") for text in texts(MUCH))


@pytest.mark.parametrize("kind", [*DigestKind, None], ids=["morning", "evening", "weekly", "asked"])
def test_the_font_has_every_letter(kind: DigestKind | None) -> None:
    known = FT2Font(str(letters.path())).get_charmap()
    for figures in (made_up(kind=kind), NOTHING, MUCH):
        for text in texts(figures):
            assert {letter for letter in text if ord(letter) not in known} == set(), text


def test_names_with_letters_that_the_font_lacks_leave_no_boxes() -> None:
    odd = made_up(name="𪚥街🌊道 ①区", areas=areas_of(("𠮷野街\n社区", "Straße $x^2$")))
    written = texts(odd)
    assert "〓街道 ①区日报" in written
    assert {"〓野街 社区", "Straße $x^2$"} <= set(written) or {"𠮷野街 社区", "Straße $x^2$"} <= set(written)
    known = FT2Font(str(letters.path())).get_charmap()
    assert all(ord(letter) in known for text in written for letter in text)
    assert draw(odd)


def test_labels_are_called_as_everywhere(texts_of_bot: dict[str, str]) -> None:
    assert {label.value: name for label, name in words.LABELS.items()} == {
        label.value: texts_of_bot[label.value] for label in Label if label is not Label.NONE
    }


@pytest.fixture
def texts_of_bot() -> dict[str, str]:
    path = Path(__file__).parents[2] / "handlers" / "texts" / "zh.yaml"
    names: dict[str, str] = yaml.safe_load(path.read_text("utf-8"))["names"]["label"]
    return names


def test_whole_days_are_told_without_clock_times() -> None:
    midnight = END.replace(hour=0)
    assert period_of(Period(midnight - timedelta(days=7), midnight)) == "7月5日 – 7月11日"
    assert period_of(Period(midnight - timedelta(days=1), midnight)) == "7月11日"
    assert period_of(Period(midnight, END)) == "7月12日 00:00 – 18:00"
    assert [words.duration(n) for n in (None, 0, 59, 90, 60 * 24, 60 * 36)] == [
        *("—", "1 分钟", "59 分钟", "1.5 小时", "1 天", "1.5 天")
    ]


def test_the_same_figures_give_the_same_picture() -> None:
    assert draw(made_up()) == draw(made_up())


def test_the_sample_in_the_docs_is_of_today() -> None:
    assert SAMPLE.stat().st_size < 300_000
    assert SAMPLE.read_bytes()[16:24] == draw(made_up())[16:24]


def test_the_bot_starts_without_the_drawing() -> None:
    code = "import sys, bot.app, bot.card; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
