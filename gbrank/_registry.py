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
    """A table of named objects of one kind; iteration gives their main names."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._table: dict[str, T] = {}
        self.aliases: dict[str, str] = {}

    def add(self, name: str, *aliases: str) -> Callable[[T], T]:
        """Return a decorator that enters an object under `name`, and under other names by which the field knows it."""

        def enter(item: T) -> T:
            for each in (name, *aliases):
                if each in self:
                    raise ParameterError(f"the {self.kind} {each!r} exists already; choose another name.")
            self._table[name] = item
            self.aliases |= dict.fromkeys(aliases, name)
            return item

        return enter

    def put(self, name: str, item: T) -> None:
        """Enter an object under `name`, in the place of another that may be there."""
        self.aliases.pop(name, None)
        self._table[name] = item

    def __getitem__(self, name: str) -> T:
        if name not in self:
            raise unknown(self.kind, name, [*self._table, *self.aliases])
        return self._table[self.aliases.get(name, name)]

    def __contains__(self, name: object) -> bool:
        return name in self._table or name in self.aliases

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._table))
