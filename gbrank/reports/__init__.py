"""Reports of a ranker: one result that renders as a page or as text, and every plot as a function over a result.

`gather` makes a `Report`; one of other content is put together from `Section`, `Text`, `Bullets`, `Table`, `Plot` and
`Headline`.  matplotlib and jinja2 are imported here and nowhere else.
"""

from ._content import block, frame_table
from ._document import Block, Bullets, Headline, Plot, Section, Table, Text
from ._gather import gather
from ._loss_plots import loss_curves, search_progress
from ._losses import loss_report
from ._plots import (
    cumulative,
    distribution,
    growth,
    importance_bars,
    label_shares,
    learning_curve,
    query_sizes,
    reliability_diagram,
    rule_contributions,
    slice_means,
    tuning_history,
)
from ._position_bias import position_bias
from ._propensity_plots import propensity_curve
from ._report import Report
from ._value_plots import pareto, task_shares
from ._write import report

__all__ = [
    "Block",
    "Bullets",
    "Headline",
    "Plot",
    "Report",
    "Section",
    "Table",
    "Text",
    "block",
    "cumulative",
    "distribution",
    "frame_table",
    "gather",
    "growth",
    "importance_bars",
    "label_shares",
    "learning_curve",
    "loss_curves",
    "loss_report",
    "pareto",
    "position_bias",
    "propensity_curve",
    "query_sizes",
    "reliability_diagram",
    "report",
    "rule_contributions",
    "search_progress",
    "slice_means",
    "task_shares",
    "tuning_history",
]
