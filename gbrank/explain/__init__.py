"""What a ranker learnt, and how it learns: importances by feature name, contributions, learning curves."""

from ._contributions import Contributions, contributions
from ._curves import Curve, curve_over_queries, curve_over_trees
from ._importances import importances

__all__ = ["Contributions", "Curve", "contributions", "curve_over_queries", "curve_over_trees", "importances"]
