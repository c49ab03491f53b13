"""Checks of promises, for gbrank's own objectives and for yours."""

from ._objective import check_objective
from ._report import Check, CheckReport

__all__ = ["Check", "CheckReport", "check_objective"]
