"""Adapters to the libraries of boosted trees; nothing else here imports them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .._registry import unknown
from ._base import Backend, Binned, Model, Start, Trainer, TreeParams
from ._cache import BinCache, bin_cache

__all__ = [
    "BACKENDS",
    "LIBRARIES",
    "Backend",
    "BinCache",
    "Binned",
    "Model",
    "Start",
    "Trainer",
    "TreeParams",
    "backend",
    "bin_cache",
]

LIBRARIES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}
"""What the libraries call themselves, by the names of their backends."""
BACKENDS = tuple(LIBRARIES)


def backend(name: str) -> Backend:
    """Return the backend of that name, importing its library.

    Raises
    ------
    ParameterError
        Unknown name, or a library that is not installed.
    """
    with _waiting_asleep():
        if name == "lightgbm":
            from ._lightgbm import LightGBMBackend

            return LightGBMBackend()
        if name == "xgboost":
            from ._xgboost import XGBoostBackend

            return XGBoostBackend()
        if name == "catboost":
            from ._catboost import CatBoostBackend

            return CatBoostBackend()
    raise unknown("backend", name, BACKENDS)


@contextmanager
def _waiting_asleep() -> Iterator[None]:
    """Have an OpenMP runtime that is loaded now let its threads sleep, not spin, while they wait for each other.

    Spinning threads hold the cores that the others need: where anything else runs on the machine, training in two
    threads on two cores took up to twenty times as long.  A user's own setting stands, as does that of a library that
    was imported before.
    """
    name = "OMP_WAIT_POLICY"
    if name in os.environ:
        yield
        return
    os.environ[name] = "PASSIVE"
    try:
        yield
    finally:
        del os.environ[name]
