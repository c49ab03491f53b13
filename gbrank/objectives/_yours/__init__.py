"""Objectives made of a user's NumPy functions."""

from .decorators import PairFunction, PointFunction, pair_loss, point_loss
from .lists import ListFunction, list_loss

__all__ = ["ListFunction", "PairFunction", "PointFunction", "list_loss", "pair_loss", "point_loss"]
