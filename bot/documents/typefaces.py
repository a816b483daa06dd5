"""The fonts that are embedded in PDF files, and text made ready for them: nothing vanishes that has no letter."""

import importlib.util
import logging
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import TextEmphasis
from fpdf.fonts import TTFFont

MAIN = "FiraGO"  # Latin, Greek, Cyrillic, Thai, Arabic, Hebrew, Devanagari, Georgian
# The Thai vowel of two signs, as it is drawn: the ring below the tone mark, then the vowel. Else the second is a glyph
# without a letter, and whoever copies the name gets a stray sign.
_SARA_AM = re.compile("([\u0e48-\u0e4b]*)\u0e33")
_KEPT = frozenset("\u200b\u200c\u200d\u200e\u200f\u061c")  # they shape and order words, and are not seen themselves


class _Flowing(TTFFont):
    """A font whose letters stand where their own width puts them.

    One of 2,048 units is compared with advances in thousandths, so each letter would be placed by itself, and a Chinese
    name would be many pieces to whoever copies it.
    """

    __slots__ = ()

    def shape_text(self, *given: Any, **named: Any) -> Any:
        return [{**each, "force_positioning": False} for each in super().shape_text(*given, **named)]


def embed(pdf: FPDF, folder: Path) -> None:
    """The main font in both weights, and what stands in where it has no letter: CJK, symbols, more Latin."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of hints that a printed font does without
    from pymupdf_fonts import FiraGO_Bold, FiraGO_Regular, NotoSans_Regular, NotoSansSymbols2_Regular

    files = {
        (MAIN, ""): _written(folder / "main.ttf", FiraGO_Regular.fontbuffer),
        (MAIN, "B"): _written(folder / "bold.ttf", FiraGO_Bold.fontbuffer),
        ("CJK", ""): japanese(),
        ("Symbols", ""): _written(folder / "symbols.ttf", NotoSansSymbols2_Regular.fontbuffer),
        ("More", ""): _written(folder / "more.ttf", NotoSans_Regular.fontbuffer),
    }
    for (family, style), path in files.items():
        pdf.add_font(family, TextEmphasis.coerce(style).style, str(path))
    pdf.set_fallback_fonts(["CJK", "Symbols", "More"], exact_match=False)
    # Without kerning and ligatures a line is one piece of text, which can be searched for and copied.
    pdf.set_text_shaping(use_shaping_engine=True, features={"kern": False, "liga": False})
    pdf.fonts["cjk"].__class__ = _Flowing


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def japanese() -> Path:
    """IPAexGothic lies as a file in a package that is not to be imported, since that changes settings of matplotlib."""
    found = importlib.util.find_spec("matplotlib_fontja")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "fonts" / "ipaexg.ttf"


def letters_of(pdf: FPDF) -> frozenset[int]:
    """All that one of the embedded fonts can draw."""
    return frozenset().union(*(each.cmap for each in pdf.fonts.values() if isinstance(each, TTFFont)))


def drawable(text: str, letters: frozenset[int]) -> str:
    """A text that the fonts can draw; what has no letter is spelled as its code in brackets, never left out."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(_drawn(each, letters) for each in _SARA_AM.sub("\u0e4d\\1\u0e32", text))


def _drawn(letter: str, letters: Iterable[int]) -> str:
    kind = unicodedata.category(letter)
    if letter in "\n\t" or kind in {"Zs", "Zl", "Zp"}:
        return "\n" if letter in "\n\u2028\u2029" else " " if letter != "\u00a0" else letter
    if kind == "Cf" or "\ufe00" <= letter <= "\ufe0f":
        return letter if letter in _KEPT and ord(letter) in letters else ""
    return letter if ord(letter) in letters else f"[U+{ord(letter):04X}]"
