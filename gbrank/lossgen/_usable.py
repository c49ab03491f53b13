"""What a ranker may not have where it is to train losses that are compared: nothing of it is dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .._checks import ParameterError

IN_SEARCH: Mapping[str, str] = MappingProxyType(
    {
        "early_stopping_rounds": "all losses are trained for the same rounds; leave it out, and set n_estimators",
        "validation_fraction": "losses are measured on folds; leave it out, and set cv",
        "callbacks": "a search has many trainings; leave them out, and give the search progress=",
        "init_model": "losses are trained from scratch; leave it out",
    }
)
"""Parameters of a ranker that a search of losses has no use for, with the reason and the remedy."""
IN_TEST: Mapping[str, str] = MappingProxyType(
    {
        "validation_fraction": "each fold has a validation part; leave it out",
        "callbacks": "a test has many trainings; leave them out, and give compare_losses progress=",
        "init_model": "losses are trained from scratch; leave it out",
    }
)
"""The same, of a test."""


def require_usable(ranker: Any, unused: Mapping[str, str]) -> None:
    """Refuse a ranker of which something would not be used; what is no ranker, or None, is left to others.

    Raises
    ------
    ParameterError
        A parameter of `unused` is set.
    """
    for name, reason in unused.items():
        value = getattr(ranker, name, None)
        if value is not None:
            raise ParameterError(f"ranker: {name}={value!r} is not used here: {reason}.")
