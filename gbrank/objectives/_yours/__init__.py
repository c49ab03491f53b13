"""Objectives made of a user's NumPy functions."""

from .decorators import PairFunction, PointFunction, pair_loss, point_loss

__all__ = ["PairFunction", "PointFunction", "pair_loss", "point_loss"]
