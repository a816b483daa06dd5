"""A page of paper as all our PDF files use it: head, facts, tables that go on over pages, page numbers, a stamp."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, TableHeadingsDisplay, VAlign, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from bot.documents.typefaces import MAIN, drawable, embed, letters_of

MARGIN, LINE, SMALL, NORMAL, LARGE = 18, 5, 8, 9, 18
RESERVED = 2  # glyphs in the subset of a font that nothing was drawn with: no letter, and the space
GREY, RULE, SHADE, WHITE = (96, 96, 96), (190, 190, 190), (242, 242, 242), (255, 255, 255)
LABEL_WIDTH, STAMP_SIZE, STAMP_ANGLE, STAMP_OPACITY = 32, 110, 50, 0.12
SUMS_WIDTH = 84


@dataclass(frozen=True, slots=True)
class Grid:
    """A table on paper: headings, lines, widths as shares, and which columns are figures."""

    headings: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    widths: tuple[int, ...]
    figures: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sums:
    """Lines of label and amount at the right edge; bold ones are results."""

    lines: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph below a heading."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that stands on the paper; texts are as people typed them."""

    name: str  # of the file, without its ending
    title: str
    number: str
    company: str
    party: Sequence[str]  # who it is for: the first line is the name
    party_label: str
    facts: Sequence[tuple[str, str]]
    warning: str = ""  # what makes it no ordinary document, in a sentence
    stamp: str = ""  # the same in one word, across every page
    body: Sequence[Grid | Sums | Note] = field(default_factory=tuple)
    dated: datetime
    language: str = "en"
    customer_id: int | None = None  # whose it is


def write_pdf(document: Document, path: Path) -> int:
    """Lay a document out, as the one page that most are, else again with their number on each; returns how many."""
    paper = _laid_out(document, path, 1)
    if paper.pages_count > 1:
        paper.close_fonts()
        paper = _laid_out(document, path, paper.pages_count)
    paper.drop_fonts()
    paper.output(str(path))
    paper.close_fonts()
    return paper.pages_count


def _laid_out(document: Document, path: Path, pages: int) -> "_Paper":
    paper = _Paper(document, path.parent, pages)
    paper.add_page()
    paper.head()
    for part in document.body:
        match part:
            case Grid():
                paper.grid(part)
            case Sums():
                paper.sums(part)
            case Note():
                paper.note(part)
    return paper


class _Paper(FPDF):
    """A4, upright; metadata says what the document is and nothing of the machine that made it."""

    def __init__(self, document: Document, folder: Path, pages: int) -> None:
        super().__init__(format="A4")
        self._document, self._pages = document, pages
        self.alias_nb_pages(None)  # type: ignore[arg-type]  # or a name like {nb} would become a number
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + LINE)
        self.c_margin = 1
        embed(self, folder)
        self._letters = letters_of(self)
        self.set_title(f"{document.title} {document.number}")
        self.set_author(document.company)
        self.set_producer("Duedesk")
        self.set_creator("Duedesk")
        self.set_lang(document.language)
        self.set_creation_date(document.dated)
        self.set_draw_color(*RULE)

    def drop_fonts(self) -> None:
        """Leave out the fonts that nothing was drawn with: to reduce them to no letter takes half of all the time."""
        for key, font in list(self.fonts.items()):
            if isinstance(font, TTFFont) and len(font.subset) <= RESERVED:
                font.close()
                del self.fonts[key]

    def close_fonts(self) -> None:
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def drawn(self, text: str) -> str:
        return drawable(text, self._letters)

    def header(self) -> None:
        """On later pages, which document they belong to."""
        if self.page_no() > 1:
            self.set_font(MAIN, "", SMALL)
            self.set_text_color(*GREY)
            about = " · ".join(
                filter(None, (self._document.company, f"{self._document.title} {self._document.number}"))
            )
            self.cell(0, LINE, self.drawn(about), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.ln(2)
            self.set_text_color(0)

    def footer(self) -> None:
        """The page's number, and the stamp across all that stands on the page."""
        if self._document.stamp:
            self._stamp(self._document.stamp)
        self.set_y(-MARGIN)
        self.set_font(MAIN, "", SMALL)
        self.set_text_color(*GREY)
        self.cell(0, LINE, f"{self.page_no()} of {self._pages}", align=Align.R)
        self.set_text_color(0)

    def _stamp(self, word: str) -> None:
        self.set_font(MAIN, "B", STAMP_SIZE)
        middle_x, middle_y = self.w / 2, self.h / 2
        with self.rotation(STAMP_ANGLE, middle_x, middle_y), self.local_context(fill_opacity=STAMP_OPACITY):
            self.text(middle_x - self.get_string_width(word) / 2, middle_y + STAMP_SIZE / 8, word)

    def head(self) -> None:
        """Company and title side by side, below them whom it is for and the facts."""
        half = self.epw / 2
        top = self.get_y()
        self.set_font(MAIN, "B", 12)
        self.multi_cell(half - 4, 6, self.drawn(self._document.company), align=Align.L)
        left_end = self.get_y()
        self.set_xy(MARGIN + half, top)
        self.set_font(MAIN, "B", LARGE)
        self.multi_cell(half, 9, self._document.title, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_x(MARGIN + half)
        self.set_font(MAIN, "", 12)
        self.multi_cell(half, 6, self.drawn(self._document.number), align=Align.R)
        self.set_xy(MARGIN, max(left_end, self.get_y()) + 8)
        self._warning()
        top = self.get_y()
        self._party(half - 4)
        left_end = self.get_y()
        self.set_y(top)
        self._facts(MARGIN + half, half)
        self.set_xy(MARGIN, max(left_end, self.get_y()) + 6)

    def _warning(self) -> None:
        if self._document.warning:
            self.set_font(MAIN, "B", NORMAL)
            self.set_fill_color(*SHADE)
            self.multi_cell(0, 7, self.drawn(self._document.warning), align=Align.L, fill=True)
            self.set_fill_color(*WHITE)
            self.set_xy(MARGIN, self.get_y() + 5)

    def _party(self, width: float) -> None:
        self._label(self._document.party_label, width)
        for index, line in enumerate(self._document.party):
            self.set_x(MARGIN)
            self.set_font(MAIN, "" if index else "B", NORMAL if index else 11)
            self.multi_cell(width, LINE if index else 6, self.drawn(line), align=Align.L, new_x=XPos.LMARGIN)

    def _label(self, text: str, width: float) -> None:
        self.set_font(MAIN, "", SMALL)
        self.set_text_color(*GREY)
        self.cell(width, LINE, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(0)

    def _facts(self, left: float, width: float) -> None:
        for label, value in self._document.facts:
            top = self.get_y()
            self.set_xy(left, top)
            self.set_font(MAIN, "", NORMAL)
            self.set_text_color(*GREY)
            self.cell(LABEL_WIDTH, LINE, label)
            self.set_text_color(0)
            self.multi_cell(width - LABEL_WIDTH, LINE, self.drawn(value), align=Align.R, new_x=XPos.LMARGIN)

    def grid(self, grid: Grid) -> None:
        """A table whose headings stand on each page that it reaches; a line is never parted."""
        self.set_font(MAIN, "", NORMAL)
        with self.table(
            col_widths=grid.widths,
            text_align=tuple(Align.R if place in grid.figures else Align.L for place in range(len(grid.headings))),
            v_align=VAlign.T,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=LINE,
            padding=(1, 1),
            headings_style=FontFace(emphasis="BOLD", fill_color=SHADE),
            repeat_headings=TableHeadingsDisplay.ON_TOP_OF_EVERY_PAGE,
        ) as table:
            for line in (grid.headings, *grid.lines):
                row = table.row()
                for text in line:
                    row.cell(self.drawn(text))
        self.ln(4)

    def sums(self, sums: Sums) -> None:
        """All of them on one page, at the right edge."""
        if self.will_page_break(LINE * len(sums.lines) + 4):
            self.add_page()
        for label, value, bold in sums.lines:
            self.set_x(MARGIN + self.epw - SUMS_WIDTH)
            self.set_font(MAIN, "B" if bold else "", NORMAL)
            border: Literal[0] | str = "T" if bold else 0
            self.cell(SUMS_WIDTH / 2, LINE + 1, self.drawn(label), border=border)
            self.cell(
                SUMS_WIDTH / 2,
                LINE + 1,
                self.drawn(value),
                border=border,
                align=Align.R,
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )
        self.ln(4)

    def note(self, note: Note) -> None:
        if self.will_page_break(3 * LINE):
            self.add_page()
        self._label(note.heading, self.epw)
        self.set_font(MAIN, "", NORMAL)
        self.multi_cell(0, LINE, self.drawn(note.text), align=Align.L, new_x=XPos.LMARGIN)
        self.ln(3)
