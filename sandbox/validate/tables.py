"""Tables and charts: rows of cells, columns, series and their labels."""

from collections.abc import Mapping
from typing import Any

from sandbox.validate.rich_text import RICH_TEXT, shown_text
from sandbox.validate.rules import (
    Registry,
    Spec,
    choice,
    flag,
    listing,
    number,
    one_of,
    shape,
    string,
    whole,
    within,
)
from sandbox.validate.walk import Rule, Walk, below

MOST_COLUMNS = 20
MOST_TABLE_ROWS = 100
MOST_DATA_ROWS = 201
MOST_DATA_CHARACTERS = 20_000
MOST_SERIES = 12
MOST_CATEGORIES = 20
LONGEST_LABEL = 20
LONGEST_TITLE = 50

CELLS: Registry = {
    "raw_text": Spec({"text": shown_text}),
    "raw_number": Spec({"value": number, "text": shown_text}),
    "rich_text": RICH_TEXT,
}


def cell_rows(least: int, most: int) -> Rule:
    cell = one_of(CELLS, CELLS, place="a cell of a table")
    return listing(listing(cell, least=1, most=MOST_COLUMNS), least=least, most=most)


def column_setting(walk: Walk, value: Any, pointer: str) -> None:
    # A gap in the list leaves that column as it is.
    if value is not None:
        shape(Spec(optional={"align": choice("left", "center", "right"), "is_wrapped": flag}))(walk, value, pointer)


TABLE_ROWS = cell_rows(1, MOST_TABLE_ROWS)
COLUMN_SETTINGS = listing(column_setting, most=MOST_COLUMNS)


def data_rows(walk: Walk, value: Any, pointer: str) -> None:
    """The rows of a data table have a text allowance of their own, apart from the message's."""
    before = walk.characters["shown"]
    cell_rows(2, MOST_DATA_ROWS)(walk, value, pointer)
    characters = walk.characters["shown"] - before
    walk.characters["shown"] = before
    within(walk, characters, pointer, least=None, most=MOST_DATA_CHARACTERS, unit="characters in all")


def even_rows(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    rows = value["rows"]
    width = len(rows[0])
    for position, row in enumerate(rows):
        if len(row) != width:
            where = below(below(pointer, "rows"), position)
            walk.fault(where, f"each row must have as many cells as the first: {width}, and this has {len(row)}")


def plain_header(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    for position, cell in enumerate(value["rows"][0]):
        if cell["type"] == "rich_text":
            walk.fault(f"{pointer}/rows/0/{position}", "a header cell must be raw_text or raw_number and is rich_text")


def existing_row_header(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    width = len(value["rows"][0])
    if value.get("row_header_column_index", 0) >= width:
        index = value["row_header_column_index"]
        where = below(pointer, "row_header_column_index")
        walk.fault(where, f"row_header_column_index must be at most {width - 1}, the last column, and is {index}")


LABEL = string(LONGEST_LABEL, least=1)


def share(walk: Walk, value: Any, pointer: str) -> None:
    number(walk, value, pointer)
    if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
        walk.fault(pointer, f"the value of a pie segment must be above 0 and is {value}")


def points_follow_categories(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    categories = list(value["axis_config"]["categories"])
    for position, series in enumerate(value["series"]):
        labels = [point["label"] for point in series["data"]]
        if sorted(labels) != sorted(categories):
            where = f"{pointer}/series/{position}/data"
            sentence = f"a series must have one point for each of the {len(categories)} categories, and has {labels}"
            walk.fault(where, sentence)


def series_names_differ(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    names = [series["name"] for series in value["series"]]
    for position, name in enumerate(names):
        if name in names[:position]:
            walk.fault(
                f"{pointer}/series/{position}/name", f"each series needs a name of its own, and {name!r} is used"
            )


POINTS = listing(shape(Spec({"label": LABEL, "value": number})), least=1, most=MOST_CATEGORIES)
SERIES_CHART = Spec(
    {
        "series": listing(shape(Spec({"name": LABEL, "data": POINTS})), least=1, most=MOST_SERIES),
        "axis_config": shape(
            Spec(
                {"categories": listing(LABEL, least=1, most=MOST_CATEGORIES, unique=True)},
                {"x_label": string(LONGEST_TITLE, least=1), "y_label": string(LONGEST_TITLE, least=1)},
            )
        ),
    },
    checks=(points_follow_categories, series_names_differ),
)
PIE_CHART = Spec(
    {"segments": listing(shape(Spec({"label": LABEL, "value": share})), least=1, most=MOST_SERIES)},
)
CHARTS: Registry = {"pie": PIE_CHART, "bar": SERIES_CHART, "area": SERIES_CHART, "line": SERIES_CHART}

TABLE = Spec({"rows": TABLE_ROWS}, {"column_settings": COLUMN_SETTINGS})
DATA_TABLE = Spec(
    {"rows": data_rows, "caption": string(least=1)},
    {"page_size": whole(1, 100), "row_header_column_index": whole(0, MOST_COLUMNS - 1)},
    checks=(even_rows, plain_header, existing_row_header),
)
DATA_VISUALIZATION = Spec(
    {"title": string(LONGEST_TITLE, least=1), "chart": one_of(CHARTS, CHARTS, place="a data_visualization")}
)
