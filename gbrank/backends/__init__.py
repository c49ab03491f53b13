"""Adapters to the libraries of boosted trees; nothing else here imports them."""

from .._optional import waiting_asleep
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
    with waiting_asleep():
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
