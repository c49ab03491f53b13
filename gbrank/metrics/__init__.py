"""Measures of ranked lists, one value per query, and the conventions under which they are computed."""

from ._convention import PRESETS, Convention
from ._measure import Measure, measure

__all__ = ["PRESETS", "Convention", "Measure", "measure"]
