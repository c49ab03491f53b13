"""What a ranker learnt, and how it learns: importances by feature name, learning curves."""

from ._curves import Curve, curve_over_queries, curve_over_trees
from ._importances import importances

__all__ = ["Curve", "curve_over_queries", "curve_over_trees", "importances"]
