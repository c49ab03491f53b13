"""Adapters to the libraries of boosted trees; nothing else here imports them."""

from .._registry import unknown
from ._base import Backend, Binned, Model, Trainer, TreeParams

__all__ = ["BACKENDS", "Backend", "Binned", "Model", "Trainer", "TreeParams", "backend"]

BACKENDS = ("lightgbm", "xgboost")


def backend(name: str) -> Backend:
    """Return the backend of that name, importing its library.

    Raises
    ------
    ParameterError
        Unknown name.
    """
    if name == "lightgbm":
        from ._lightgbm import LightGBMBackend

        return LightGBMBackend()
    if name == "xgboost":
        from ._xgboost import XGBoostBackend

        return XGBoostBackend()
    raise unknown("backend", name, BACKENDS)
