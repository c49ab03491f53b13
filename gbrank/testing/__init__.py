"""Checks of promises, for gbrank's own objectives and measures and for yours."""

from ._measure import check_measure
from ._objective import check_objective
from ._report import Check, CheckReport

__all__ = ["Check", "CheckReport", "check_measure", "check_objective"]
