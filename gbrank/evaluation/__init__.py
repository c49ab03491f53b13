"""Evaluation of scores query by query."""

from ._evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
