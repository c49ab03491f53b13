"""Measures of ranked lists, one value per query, and the conventions under which they are computed."""

from ._convention import PRESETS, Convention
from ._coverage import catalogue_coverage
from ._measure import Measure, all_values, measure
from ._own import list_measure

__all__ = ["PRESETS", "Convention", "Measure", "all_values", "catalogue_coverage", "list_measure", "measure"]
