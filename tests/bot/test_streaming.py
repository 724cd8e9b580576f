"""Rows into files: what Excel opens, whole or not at all, without holding them."""

import csv
import tracemalloc
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot import streaming
from handlers.files import ConfigError
from handlers.tabling.base import Row, columns

COLUMNS = columns("编号 16, 件数 8, 时间 17, 日期 12")
MOMENT = datetime(2026, 7, 12, 12, 5)  # noqa: DTZ001 - a spreadsheet knows no zones
ROWS: list[Row] = [
    ("CTM0712-001", 3, MOMENT, date(2026, 7, 12)),
    ('=HYPERLINK("http://x")', None, None, None),
    ("+8613800000000", 0, None, None),
    ("-1", 1, None, None),
    ("@SUM(1)", 1, None, None),
    (" \t=1+1", 1, None, None),
    ("第一行\r\n第二行\x00\x0b\ud800", 1, None, None),
]


def written(file: Path, rows: list[Row] = ROWS) -> int:
    return streaming.write(file, "设施问题清单", COLUMNS, [rows[:2], [], rows[2:]])


def test_csv_is_what_excel_opens(tmp_path: Path) -> None:
    file = tmp_path / "new" / "清单.csv"
    assert written(file) == len(ROWS)
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") and content.count(b"\r\n") == len(ROWS) + 1
    assert content.count(b"\n") == content.count(b"\r\n")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        header, *rows = list(csv.reader(lines))
    assert header == ["编号", "件数", "时间", "日期"]
    assert rows[0] == ["CTM0712-001", "3", "2026-07-12 12:05", "2026-07-12"]
    first = [row[0] for row in rows[1:]]
    assert first == [
        '\'=HYPERLINK("http://x")',
        "'+8613800000000",
        "'-1",
        "'@SUM(1)",
        "'=1+1",
        "第一行 第二行",
    ]


def test_xlsx_has_types_widths_and_a_header_that_stays(tmp_path: Path) -> None:
    file = tmp_path / "清单.xlsx"
    assert written(file) == len(ROWS)
    sheet: Any = openpyxl.load_workbook(file).active
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("设施问题清单", "A2", "A1:D8")
    assert sheet.column_dimensions["A"].width == pytest.approx(16, abs=1)
    assert [cell.value for cell in sheet[1]] == ["编号", "件数", "时间", "日期"]
    assert [cell.value for cell in sheet[2]] == ["CTM0712-001", 3, MOMENT, MOMENT.replace(hour=0, minute=0)]
    assert sheet["C2"].is_date and sheet["C2"].number_format == "yyyy-mm-dd hh:mm"
    texts = [sheet.cell(row, 1) for row in range(3, 9)]
    assert {cell.data_type for cell in texts} == {"s"}
    assert texts[0].value == '=HYPERLINK("http://x")'  # a text, not a formula
    assert texts[-1].value == "第一行 第二行"


def test_more_rows_than_a_sheet_takes_go_on_in_the_next(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(streaming, "MOST_ROWS", 3)
    file = tmp_path / "a.xlsx"
    written(file)
    book = openpyxl.load_workbook(file)
    assert [sheet.max_row for sheet in book.worksheets] == [4, 4, 2]
    assert {sheet["A1"].value for sheet in book.worksheets} == {"编号"}


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError], ids=lambda error: error.__name__)
def test_what_is_given_up_leaves_nothing_and_spoils_nothing(
    tmp_path: Path, suffix: str, error: type[BaseException]
) -> None:
    file = tmp_path / f"old.{suffix}"
    file.write_text("what was there before")

    def batches() -> Iterator[list[Row]]:
        yield ROWS
        raise error

    with pytest.raises(error):
        streaming.write(file, "x", COLUMNS, batches())
    assert file.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in \.csv or \.xlsx"):
        written(tmp_path / "a.pdf")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        written(tmp_path / "file" / "a.csv")


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, suffix: str) -> None:
    def batches(count: int) -> Iterator[list[Row]]:
        for batch in range(count):
            yield [(f"CTM0712-{batch}-{row}", row, MOMENT, None) for row in range(200)]

    def peak(count: int) -> int:
        tracemalloc.start()
        streaming.write(tmp_path / f"a.{suffix}", "x", COLUMNS, batches(count))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = peak(5), peak(60)
    assert many < few + 1_000_000  # bytes: 12,000 rows take no more than a thousand do
