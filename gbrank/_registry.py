"""Names to objects, with a suggestion for a name that is nearly right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from ._checks import ParameterError

T = TypeVar("T")


def unknown(kind: str, name: object, known: Iterable[str]) -> ParameterError:
    """Return the error for an unknown `name`, with the nearest known one or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
    return ParameterError(f"unknown {kind} {name!r}. {hint}")


class Registry(Generic[T]):
    """A table of named objects of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._table: dict[str, T] = {}

    def add(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters an object under `name`."""

        def enter(item: T) -> T:
            if name in self._table:
                raise ParameterError(f"the {self.kind} {name!r} exists already; choose another name.")
            self._table[name] = item
            return item

        return enter

    def __getitem__(self, name: str) -> T:
        if name not in self._table:
            raise unknown(self.kind, name, self._table)
        return self._table[name]

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._table))
