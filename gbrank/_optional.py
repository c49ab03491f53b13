"""Deferred imports: the package is light until something heavy is used."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ._checks import DataError


def lazy_attributes(package: str, where: dict[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package whose names are imported when first used.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    where : dict
        Public name to the module, relative to `package`, that holds it.
    """

    def get(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with waiting_asleep():
            value = getattr(importlib.import_module(where[name], package), name)
        setattr(importlib.import_module(package), name, value)
        return value

    def names() -> list[str]:
        return sorted(where)

    return get, names


@contextmanager
def waiting_asleep() -> Iterator[None]:
    """Have an OpenMP runtime that is loaded now let its threads sleep, not spin, while they wait for each other.

    Spinning threads hold the cores that the others need: where anything else runs on the machine, training in two
    threads on two cores took up to twenty times as long.  A user's own setting stands, as does that of a library that
    was imported before.  XGBoost trains on the runtime that scikit-learn brings along where that is loaded first, so
    every deferred import of gbrank's is made so, not those of boosters alone.
    """
    name = "OMP_WAIT_POLICY"
    if name in os.environ:
        yield
        return
    os.environ[name] = "PASSIVE"
    try:
        yield
    finally:
        os.environ.pop(name, None)


def optional_module(name: str) -> Any:
    """Return a module that gbrank does not require.

    Raises
    ------
    DataError
        It is not installed.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise DataError(f"{package} is not installed; install it: pip install {package}") from None
