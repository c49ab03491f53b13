"""What a ranker learnt: importances by feature name."""

from ._importances import importances

__all__ = ["importances"]
