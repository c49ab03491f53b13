"""Figures as SVG inside a page: text stays text, colours follow the page's scheme, nothing refers to the outside."""

from __future__ import annotations

import io
import re
import warnings

import matplotlib as mpl
from matplotlib.figure import Figure

from ._plots import GRID, INK, MUTED, PAPER, SERIES

# Colours become variables of the page, which has others for dark screens.
VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper"} | {
    colour: f"series-{number}" for number, colour in enumerate(SERIES, 1)
}
_COLOUR = re.compile("|".join(VARIABLES))
_TAG = re.compile(r"<[^>]*>")  # matplotlib escapes these signs in texts and attributes


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """Return a figure as an SVG element.

    Parameters
    ----------
    figure : Figure
    name : str
        What its ids begin with; distinct in a page.
    alt : str
        Escaped text that tells what it shows.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "gbrank"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the reader's fonts draw the text, not ours
        figure.savefig(file, format="svg", metadata=nothing, transparent=True)
    text = file.getvalue()
    size = re.search(r'viewBox="([^"]*)"', text)
    assert size is not None
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = _TAG.sub(lambda tag: of_page(tag[0], name), body)
    body = re.sub(r"\n\s*", "\n", body).strip()
    return f'<svg viewBox="{size[1]}" role="img" aria-label="{alt}">{body}'


def of_page(tag: str, name: str) -> str:
    """Return a tag of a figure with the page's ids and colours; texts between tags are never touched."""
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', tag).replace("url(#", f"url(#{name}-")
    return _COLOUR.sub(lambda found: f"var(--{VARIABLES[found[0]]})", tag)
