"""Charts as a picture, for workspaces where Slack does not draw them; the drawing library is loaded when needed."""

import io
from typing import Any

INCHES = (7.2, 3.2)
DOTS_PER_INCH = 110
COLOURS = ("#9fb6cd", "#1d6fa5")


def draw(charts: list[dict[str, Any]]) -> bytes:
    """Bars by age, one panel for each chart block, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES[0], INCHES[1] * len(charts)), dpi=DOTS_PER_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for place, block in enumerate(charts, start=1):
        _panel(figure.add_subplot(len(charts), 1, place), block)
    picture = io.BytesIO()
    canvas.print_png(picture)  # type: ignore[no-untyped-call]  # the library types its drawing, not its canvas
    return picture.getvalue()


def _panel(axes: Any, block: dict[str, Any]) -> None:
    chart = block["chart"]
    categories = chart["axis_config"]["categories"]
    series = chart["series"]
    width = 0.8 / len(series)
    for order, one in enumerate(series):
        left = [index + (order - (len(series) - 1) / 2) * width for index in range(len(categories))]
        colour = COLOURS[order - len(series)]
        axes.bar(left, [point["value"] for point in one["data"]], width=width * 0.94, label=one["name"], color=colour)
    axes.set_xticks(range(len(categories)), categories)
    axes.set_title(block["title"])
    axes.set_xlabel(chart["axis_config"]["x_label"])
    axes.set_ylabel(chart["axis_config"]["y_label"])
    axes.yaxis.set_major_formatter(lambda value, _place: f"{value:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
