"""Reports of a ranker: one result that renders as a page or as text, and every plot as a function over a result.

matplotlib and jinja2 are imported here and nowhere else.
"""

from ._gather import gather
from ._plots import cumulative, distribution, importance_bars, label_shares, learning_curve, query_sizes
from ._report import Report
from ._write import report

__all__ = [
    "Report",
    "cumulative",
    "distribution",
    "gather",
    "importance_bars",
    "label_shares",
    "learning_curve",
    "query_sizes",
    "report",
]
