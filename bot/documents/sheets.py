"""CSV and XLSX files of a table, written row by row; a text is never a formula, a link or a number in either."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from bot.documents.inert import neutralise
from bot.documents.table import Cell, Column, Kind, Style, Table, digits_of, plain_amount
from bot.domain.money import Money

MOST_ROWS = 1_000_000  # of one sheet; a spreadsheet program has room for 48,576 more
EXACT_DIGITS = 15  # what a spreadsheet's numbers hold without loss
FIRST_YEAR = 1900  # of a spreadsheet's calendar
HEADER = 3  # the line of the headings, below title, facts and an empty line
TITLE_SIZE = 14
SHADE = "#F2F2F2"
PLACE_OF_NOTHING = "–"


def write_csv(table: Table, path: Path) -> None:
    """Headings and rows, with a byte-order mark so that spreadsheet programs read names in any script."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([neutralise(each.title) for each in table.columns])
        writer.writerows([_plain(cell) for cell in row.cells] for row in table.rows)


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return neutralise(cell)
        case Money():
            return plain_amount(cell)
    return cell.isoformat()


def write_xlsx(table: Table, path: Path) -> None:
    """A sheet with title and facts, frozen headings, amounts and days as a spreadsheet computes with them.

    In constant memory: a row is on disk before the next one is made. Beyond a million rows a further sheet follows.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    with Workbook(str(path), options) as book:
        book.set_properties({"title": table.title, "created": datetime(2000, 1, 1)})  # noqa: DTZ001  # a file has no clock
        sheets = _Sheets(book, table)
        for row in table.rows:
            sheets.write(row.cells, row.style)


def is_exact(money: Money) -> bool:
    """Whether a spreadsheet's number is this amount to the last digit."""
    return len(str(abs(money.micros)).rstrip("0")) <= EXACT_DIGITS


class _Sheets:
    """The sheets of one table, each begun with its headings."""

    def __init__(self, book: Workbook, table: Table) -> None:
        self._book, self._table = book, table
        self._formats: dict[tuple[str, Style], Format] = {}
        self._count = 0
        self._begin()

    def write(self, cells: tuple[Cell, ...], style: Style) -> None:
        if self._line > MOST_ROWS:
            self._begin()
        if style is Style.INSIDE:
            self._sheet.set_row(self._line, None, None, {"level": 1})
        for place, (cell, column) in enumerate(zip(cells, self._table.columns, strict=True)):
            self._cell(place, cell, column, style)
        self._line += 1

    def _cell(self, place: int, cell: Cell, column: Column, style: Style) -> None:
        sheet, line = self._sheet, self._line
        match cell:
            case None:
                sheet.write_blank(line, place, None, self._format("", style))
            case str():
                sheet.write_string(line, place, _writable(cell), self._format("@", style))
            case Money() if is_exact(cell):
                sheet.write_number(line, place, float(cell.decimal()), self._format(_number_format(cell), style))
            case Money():
                sheet.write_string(line, place, plain_amount(cell), self._format("right", style))
            case _ if cell.year < FIRST_YEAR:
                sheet.write_string(line, place, cell.isoformat(), self._format("@", style))
            case _:
                kind = "yyyy-mm-dd hh:mm:ss" if column.kind is Kind.MOMENT else "yyyy-mm-dd"
                sheet.write_datetime(line, place, _naive(cell), self._format(kind, style))

    def _begin(self) -> None:
        """A sheet with its headings; each is printed across, as wide as the page, the headings on every page."""
        self._count += 1
        table = self._table
        sheet: Worksheet = self._book.add_worksheet(f"{table.title[:25]}{f' {self._count}' if self._count > 1 else ''}")
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, column.width)
        sheet.outline_settings(visible=True, symbols_below=False)
        sheet.freeze_panes(HEADER + 1, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEADER)
        sheet.set_footer("&R&P / &N")
        sheet.write_string(0, 0, _writable(table.title), self._made({"bold": True, "font_size": TITLE_SIZE}))
        sheet.write_string(1, 0, _writable(" · ".join(filter(None, table.facts))), self._made({}))
        look = {"bold": True, "bg_color": SHADE, "bottom": 1, "text_wrap": True, "valign": "top"}
        left, right = self._made(look), self._made({**look, "align": "right"})
        for place, column in enumerate(table.columns):
            look_of = right if column.kind is Kind.AMOUNT else left
            sheet.write_string(HEADER, place, column.title, look_of)
        self._sheet, self._line = sheet, HEADER + 1

    def _format(self, kind: str, style: Style) -> Format:
        found = self._formats.get((kind, style))
        if found is None:
            look: dict[str, object] = {"valign": "top"}
            if kind == "right":
                look |= {"num_format": "@", "align": "right"}
            elif kind:
                look["num_format"] = kind
            if kind.startswith("yyyy"):
                look["align"] = "left"
            if style in {Style.GROUP, Style.TOTAL}:
                look["bold"] = True
            if style is Style.TOTAL:
                look |= {"top": 1, "bg_color": SHADE}
            found = self._formats[kind, style] = self._made(look)
        return found

    def _made(self, look: dict[str, object]) -> Format:
        made: Format = self._book.add_format(look)
        return made


def _number_format(money: Money) -> str:
    """As many decimals as the amount has; nothing is a dash, which keeps a wide report legible."""
    digits = digits_of(money)
    number = f"#,##0.{'0' * digits}" if digits else "#,##0"
    return f'{number};-{number};"{PLACE_OF_NOTHING}"'


def _naive(moment: date) -> date:
    """A spreadsheet's instants have no zone; ours are UTC there."""
    return moment.astimezone(UTC).replace(tzinfo=None) if isinstance(moment, datetime) else moment


def _writable(text: str) -> str:
    """Two code points that no XML may hold, in the way that the format spells them."""
    return text.replace("\ufffe", "_xFFFE_").replace("\uffff", "_xFFFF_")


WRITERS: dict[str, Callable[[Table, Path], None]] = {"csv": write_csv, "xlsx": write_xlsx}
