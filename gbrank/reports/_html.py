"""A report as one page that refers to nothing outside itself."""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from ._document import Plot, clean
from ._svg import to_svg

if TYPE_CHECKING:
    from ._report import Report


def to_html(report: Report) -> str:
    """Return the page of a report."""
    numbers = itertools.count(1)

    def svg(plot: Plot) -> Markup:
        # to_svg escapes what it draws; the description is escaped here.
        return Markup(to_svg(plot.draw(), f"plot{next(numbers)}", str(escape(clean(plot.alt)))))

    anchors = [f"s{number}-{slug(section.title)}" for number, section in enumerate(report.sections, 1)]
    return template().render(report=report, sections=list(zip(anchors, report.sections, strict=True)), svg=svg).lstrip()


@cache
def template() -> Template:
    """Return the page's template; everything that it prints is escaped."""
    environment = Environment(
        loader=PackageLoader("gbrank.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _cleaned(value: Any) -> Any:
    return value if isinstance(value, Markup) else clean(value)


def slug(title: str) -> str:
    """Return a title as part of an anchor.

    Examples
    --------
    >>> slug("Best & worst <queries>")
    'best-worst-queries'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
