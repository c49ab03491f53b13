"""`Report`: one immutable result, which renders as text or as a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from .._files import atomic_write
from ..evaluation import Calibration, Evaluation
from ._document import Headline, Section
from ._html import to_html
from ._text import to_text


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """All that a report says; made by `gbrank.report` or `gbrank.reports.gather`.

    Attributes
    ----------
    title, subject : str
        What it is called, and in a line what was trained on what.
    date : datetime
    headlines : tuple of Headline
        The numbers at its head.
    cautions : tuple of str
        Why the numbers deserve care.
    sections : tuple of Section
        Texts, tables and plots.
    evaluations : dict of str to Evaluation
        The ranker's results on each data set.
    comparison : Evaluation or None
        The ranker beside other runs on the last data set.
    importances : DataFrame
        As `gbrank.importances`.
    calibrations : dict of str to Calibration
        How well the ranker's probabilities hold on each data set; empty where it states none.
    """

    title: str
    subject: str
    date: datetime
    headlines: tuple[Headline, ...]
    cautions: tuple[str, ...]
    sections: tuple[Section, ...]
    evaluations: Mapping[str, Evaluation]
    comparison: Evaluation | None
    importances: pd.DataFrame
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)

    def __str__(self) -> str:
        return to_text(self)

    def __repr__(self) -> str:
        return f"Report({self.title!r}, sections: {', '.join(section.title for section in self.sections)})"

    def to_html(self) -> str:
        """Return the report as a page that needs no other file."""
        return to_html(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to `path`; an existing file is replaced only when the new one is whole."""
        page = self.to_html()
        with atomic_write(path) as file:
            file.write(page)
