"""The words of a PDF file that the bot wrote, read back with the standard library alone, in the order of drawing."""

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)endobj", re.DOTALL)
STREAM = re.compile(rb"stream\n(.*)\nendstream", re.DOTALL)
FONT = re.compile(rb"/(F\d+) (\d+) 0 R")
GLYPH = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4,})>")
DRAWN = re.compile(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\()])*)\)", re.DOTALL)
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def text_of(pdf: bytes) -> str:
    """Each piece of text on a line of its own; a glyph that the file gives no letter for is left out."""
    objects = {int(number): body for number, body in OBJECT.findall(pdf)}
    letters = {name: _letters(objects, int(number)) for body in objects.values() for name, number in FONT.findall(body)}
    said: list[str] = []
    for body in objects.values():
        found = STREAM.search(body)
        if found is not None and b" Tf" in (page := _opened(found[1])):
            said += _drawn(page, letters)
    return "\n".join(said)


def _opened(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _letters(objects: dict[int, bytes], font: int) -> dict[int, str]:
    """What each glyph of a font means, as the file says it for copying text out of it."""
    means = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    assert means is not None, "a font of the file has no letters"
    return {
        int(glyph, 16): bytes.fromhex(word.decode()).decode("utf-16-be")
        for glyph, word in GLYPH.findall(objects[int(means[1])])
    }


def _drawn(page: bytes, letters: dict[bytes, dict[int, str]]) -> list[str]:
    said, font = [], b""
    for chosen, escaped in DRAWN.findall(page):
        if chosen:
            font = chosen
            continue
        drawn = ESCAPED.sub(lambda each: ESCAPES.get(each[1], each[1]), escaped)
        glyphs = [int.from_bytes(drawn[place : place + 2]) for place in range(0, len(drawn), 2)]
        said.append("".join(letters[font].get(glyph, "") for glyph in glyphs))
    return said
