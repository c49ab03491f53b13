"""A ranker with other parameters, and trainings of which nothing is told: what searches need."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .._checks import GbrankWarning
from ._ranker import GBRanker

BACKEND = "backend_params__"


def with_params(ranker: GBRanker, params: Mapping[str, Any], **others: Any) -> GBRanker:
    """Return a new, unfitted ranker with other parameters; ``backend_params__x`` joins the ranker's own."""
    fresh = type(ranker)(**(ranker.get_params(deep=False) | others))
    own = {name.removeprefix(BACKEND): value for name, value in params.items() if name.startswith(BACKEND)}
    if own:
        fresh.backend_params = {**(ranker.backend_params or {}), **own}
    return fresh.set_params(**{name: value for name, value in params.items() if not name.startswith(BACKEND)})


@contextmanager
def quiet_trees() -> Iterator[None]:
    """Drop the warnings that a training gives of its trees: in a search, what they are worth tells it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"no tree could be grown|training ended after", GbrankWarning)
        yield
