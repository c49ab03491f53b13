"""What a ranker learnt of positions beside its trees: a section, and a plot."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..rankers import GBRanker
from ._content import frame_table
from ._document import Plot, Section, Text, fixed
from ._material import Material
from ._plots import MARKS, finish, label, line, new

TITLE = "Bias of positions"
TEXT = (
    "The labels were observed where documents were shown, and the objective learnt beside the trees what is due to "
    "the rank rather than to the document. Predictions, and all results here, are without it. Clicks tell such a curve "
    "up to its scale, so that it is relative to the first rank; and where lists were made by a good ranker, what is "
    "due to rank and what to relevance is not known from such data alone."
)


def position_bias(ranker: GBRanker) -> Figure:
    """Return the curves that the ranker learnt of positions, by rank."""
    figure, axes = new("learnt at a rank", "rank")
    for number, (name, values) in enumerate(ranker.position_bias_.items()):
        known = values.dropna()
        axes.plot(
            known.index, known, label=label(name), marker=MARKS[number % len(MARKS)], markersize=4, **line(number)
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    return finish(figure, axes)


def bias_sections(material: Material) -> list[Section]:
    """Return the section of positions, where the objective learnt of them."""
    ranker = material.ranker
    if not ranker.objective_.position_bias(ranker.state_):
        return []
    table = ranker.position_bias_
    told = "; ".join(
        f"{name}: {', '.join(f'rank {rank} {fixed(value, 3)}' for rank, value in values.dropna().head(10).items())}"
        for name, values in table.items()
    )
    plot = Plot("What was learnt of each rank", f"{told}.", partial(position_bias, ranker))
    return [Section(TITLE, ((Text(TEXT),), (plot, frame_table("Bias by rank", table))))]
