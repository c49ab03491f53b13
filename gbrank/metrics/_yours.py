"""Users' functions of one ranked list, put into the form of `_lists` and compiled, or left to Python."""

from __future__ import annotations

import functools
import inspect
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import GbrankWarning
from .._compile import list_pointer, plain
from ._ranking import SIGNATURE


def own(*labels: Any) -> float:
    """Stand for the user's function, which is put in this one's place."""
    raise NotImplementedError


def of_labels(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """The user's function of the labels in ranked order, down to the cutoff."""
    return float(own(value[: min(k, len(tie_end))]))


def of_labels_and_all(value: Any, tie_end: Any, k: int, norm: float, table: Any) -> float:
    """The user's function of the labels in ranked order, down to the cutoff, and of all labels of the query."""
    return float(own(value[: min(k, len(tie_end))], value))


@functools.lru_cache(maxsize=256)
def own_pointer(of_list: Callable[..., float], function: Callable[..., float]) -> Any:
    """Return the machine code, or None, with a warning that says why, where there can be none."""
    try:
        compiled = plain(function)
        trial = [np.array([1.0, 0.0])] * len(inspect.signature(function).parameters)
        why = differs(float(function(*trial)), float(compiled(*trial)))
        if why is None:
            return list_pointer(of_list, SIGNATURE, compile=plain, own=function)
    except Exception as error:  # what cannot be compiled may fail in any way
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = [line for line in lines if not line.startswith("Failed in")]
        why = (told or [type(error).__name__])[0].rstrip(":.")
    text = f"{function.__name__}: cannot be compiled and runs as Python, many times slower: {why}."
    warnings.warn(text, GbrankWarning, stacklevel=2)
    return None


def differs(wanted: float, got: float) -> str | None:
    """Return how machine code differs from Python on a trial, if it does."""
    if np.isclose(wanted, got, rtol=1e-9, atol=1e-12, equal_nan=True):
        return None
    return f"of the labels 1, 0 machine code makes {got:g}, and Python {wanted:g}"


def plain_form(of_list: Callable[..., float], function: Callable[..., float]) -> Callable[..., float]:
    """Return the list function with the user's function in it, as Python."""
    names = of_list.__globals__ | {"own": function}
    return types.FunctionType(of_list.__code__, names, of_list.__name__)
