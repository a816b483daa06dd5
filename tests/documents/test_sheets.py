"""CSV and XLSX of one table: the same figures, text that nothing computes, and all of it readable again."""

import csv
import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot.documents import sheets
from bot.documents.inert import restore
from bot.documents.sheets import HEADER, is_exact, write_csv, write_xlsx
from bot.documents.table import Column, Kind, Row, Style, Table
from bot.domain.money import LARGEST_MICROS, Money, currency

HOSTILE = [
    "=1+1",
    "@SUM(A1:A9)",
    "+1",
    "-1",
    '=HYPERLINK("http://example.com","x")',
    "http://example.com",
    "mailto:a@example.com",
    "internal:Sheet2!A1",
    "\t=1",
    "\r=1",
    "line\nbreak",
    "line\r\nbreak",
    "'=1",
    "'quoted'",
    'say "yes"',
    "\u202eevil\u202c",
    "مؤسسة النور",
    "👩‍👩‍👧 🙂",
    "_x000D_",
    "\x01\x1f",
    " led by a blank ",
    "007",
    "1e5",
    "TRUE",
    "{=1}",
    "x" * 5000,
]
TEXT = (Column("text", width=30),)


def a_table(columns: tuple[Column, ...], rows: Iterable[Row]) -> Table:
    return Table(name="n", title="Aged receivables", facts=("Acme", "as of"), columns=columns, rows=rows, says=str)


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


def cells(path: Path) -> list[list[Any]]:
    """The cells below the headings."""
    return [list(row) for row in load_workbook(path)["Aged receivables"].iter_rows(min_row=HEADER + 2)]


def test_hostile_text_is_inert_in_a_spreadsheet_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_xlsx(a_table(TEXT, (Row((text,)) for text in HOSTILE)), path)
    found = [row[0] for row in cells(path)]
    assert {cell.data_type for cell in found} == {"s"}
    assert all(cell.hyperlink is None for cell in found)
    assert [unescaped(cell.value) for cell in found] == HOSTILE


def unescaped(value: str) -> str:
    """The spelling of control characters in the format, taken back as a spreadsheet program does."""
    from openpyxl.utils.escape import unescape

    return str(unescape(value))


def test_hostile_text_comes_back_unchanged_from_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(a_table(TEXT, (Row((text,)) for text in HOSTILE)), path)
    read = [row[0] for row in read_csv(path)]
    assert [restore(text) for text in read] == HOSTILE
    assert not [text for text in read if text.lstrip().startswith(("=", "+", "-", "@"))]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=1, max_size=20))
def test_any_text_comes_back_unchanged_from_both(tmp_path: Path, texts: list[str]) -> None:
    table = [Row((text,)) for text in texts]
    write_xlsx(a_table(TEXT, table), tmp_path / "a.xlsx")
    write_csv(a_table(TEXT, table), tmp_path / "a.csv")
    found = [row[0] for row in cells(tmp_path / "a.xlsx")]
    assert [unescaped(cell.value or "") for cell in found] == texts
    assert all(cell.data_type in {"s", "n"} and cell.hyperlink is None for cell in found)
    assert [restore(row[0]) if row else "" for row in read_csv(tmp_path / "a.csv")] == texts


@given(st.integers(min_value=-LARGEST_MICROS, max_value=LARGEST_MICROS))
def test_an_amount_is_a_number_only_where_a_spreadsheet_holds_it_exactly(micros: int) -> None:
    money = Money(micros, currency("SGD"))
    shown = Decimal(f"{float(money.decimal()):.15g}")
    assert not is_exact(money) or shown == money.decimal()
    assert is_exact(money) or len(money.decimal().normalize().as_tuple().digits) > 15


def test_amounts_and_days_are_numbers_and_dates_and_what_is_too_fine_is_text(tmp_path: Path) -> None:
    amounts = [("SGD", 1_234_500_000), ("JPY", 500_000_000), ("KWD", -1_250_000), ("SGD", 1), ("SGD", 0)]
    large = Money(999_999_999_999_123_456, currency("SGD"))
    moment = datetime(2026, 11, 23, 17, 30, 5, tzinfo=UTC)
    rows = [Row((Money(micros, currency(code)), date(2026, 11, 1), moment)) for code, micros in amounts]
    columns = (Column("a", Kind.AMOUNT), Column("d", Kind.DATE), Column("m", Kind.MOMENT))
    write_xlsx(a_table(columns, [*rows, Row((large, None, None), Style.TOTAL)]), tmp_path / "a.xlsx")
    found = cells(tmp_path / "a.xlsx")
    assert [row[0].value for row in found] == [1234.5, 500, -1.25, 0.000001, 0, "999999999999.123456"]
    formats = [row[0].number_format.split(";")[0] for row in found]
    assert formats == ["#,##0.00", "#,##0", "#,##0.000", "#,##0.000000", "#,##0.00", "@"]
    assert found[-1][0].alignment.horizontal == "right"
    assert found[0][1].value == datetime(2026, 11, 1)  # noqa: DTZ001  # a spreadsheet's days have no zone
    assert found[0][2].value == datetime(2026, 11, 23, 17, 30, 5)  # noqa: DTZ001  # nor have its instants
    write_csv(a_table(columns, rows), tmp_path / "a.csv")
    assert [row[0] for row in read_csv(tmp_path / "a.csv")] == ["1234.50", "500", "-1.250", "0.000001", "0.00"]
    assert read_csv(tmp_path / "a.csv")[0][1:] == ["2026-11-01", "2026-11-23T17:30:05+00:00"]


def test_the_head_of_a_sheet_is_frozen_and_says_whose_and_when(tmp_path: Path) -> None:
    write_xlsx(a_table(TEXT, [Row(("x",), Style.INSIDE)]), tmp_path / "a.xlsx")
    sheet = load_workbook(tmp_path / "a.xlsx")["Aged receivables"]
    assert (sheet["A1"].value, sheet["A2"].value, sheet["A4"].value) == ("Aged receivables", "Acme · as of", "text")
    assert sheet.freeze_panes == "B5"
    assert sheet.print_title_rows == "$4:$4"
    assert sheet.column_dimensions["A"].width == pytest.approx(30, abs=1)
    assert sheet.row_dimensions[5].outlineLevel == 1


def test_more_rows_than_a_sheet_holds_go_on_in_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", HEADER + 2)
    write_xlsx(a_table(TEXT, (Row((str(number),)) for number in range(5))), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    assert [[row[0].value for row in sheet.iter_rows(min_row=HEADER + 1)] for sheet in book] == [
        ["text", "0", "1"],
        ["text", "2", "3"],
        ["text", "4"],
    ]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_the_same_table_gives_the_same_bytes(tmp_path: Path, write: Callable[[Table, Path], None]) -> None:
    def digest(name: str) -> str:
        write(a_table(TEXT, [Row(("x",))]), tmp_path / name)
        return hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()

    assert digest("a") == digest("b")
