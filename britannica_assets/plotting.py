"""Plots and tables for people: matplotlib figures as Markdown images or SVG, data frames as Markdown tables."""

import base64
import io
from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.markdown import escape_markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_plot(title: str, x: str, y: str) -> "Figure":
    """An empty figure with one labelled pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def as_markdown(figure: "Figure") -> str:
    """The figure as a Markdown image whose data is in the text itself."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    title = figure.get_suptitle() or figure.axes[0].get_title()
    return f"![{title}](data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()})"


def as_svg(figure: "Figure", label: str) -> str:
    """The figure as an SVG element, to stand in a page; the same for the same figure.

    Its text stays text, to be searched and read aloud; `label` says to a screen reader what it is.
    """
    from markupsafe import escape
    from matplotlib import rc_context

    picture = io.StringIO()
    with rc_context({"svg.hashsalt": "britannica", "svg.fonttype": "none"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
    drawn = picture.getvalue()
    return f'<svg role="img" aria-label="{escape(label)}"{drawn[drawn.index("<svg") + len("<svg") :]}'


def as_markdown_table(table: pl.DataFrame) -> str:
    """A table for Dagster's metadata, its text escaped; empty cells where a value is not known."""
    head = [escape_markdown(name.replace("_", " ")) for name in table.columns]
    rows = [[_cell(value) for value in row] for row in table.iter_rows()]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * table.width, *rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else escape_markdown(str(value))
