"""Where every candidate is kept: an SQLite file, or memory.

A killed process loses what it was training, no more: a candidate is written once it is known, and a search that goes on
asks its searcher the same again and reads what became of it.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import pandas as pd

from .._checks import DataError, ParameterError

FORMAT = "2"
GRID, SHORT, FULL = "grid", "short", "full"
"""Stages: questions on a grid, a short training, the full proxy."""
_TABLES = """
CREATE TABLE IF NOT EXISTS search (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS candidate (
    number INTEGER PRIMARY KEY, graph TEXT NOT NULL, loss TEXT NOT NULL, fingerprint TEXT NOT NULL,
    stage TEXT NOT NULL, reason TEXT, reward REAL NOT NULL, folds TEXT NOT NULL, same_as INTEGER, turn INTEGER NOT NULL,
    seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS advance (turn INTEGER PRIMARY KEY, loss TEXT NOT NULL, before REAL NOT NULL,
    after REAL NOT NULL, kept INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Candidate:
    """What became of one program.

    Attributes
    ----------
    number : int
        In the order asked; those that the search began with come first.
    graph, loss : str
        The program, and the loss it stands for in its canonical form.
    fingerprint : str
        Digest of its normalised gradient; empty where it did not come to that.
    stage : str
        "grid", "short" or "full": the last stage it came to.
    reason : str or None
        Why it was rejected.
    reward : float
    folds : tuple of float
        Gain on each fold; empty where it did not come to the full proxy.
    same_as : int or None
        Number of the candidate whose duplicate it is.
    turn : int
        Turn of an alternating search, else 0.
    seconds : float
        Time in training.
    """

    number: int
    graph: str
    loss: str
    fingerprint: str
    stage: str
    reason: str | None
    reward: float
    folds: tuple[float, ...] = ()
    same_as: int | None = None
    turn: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Advance:
    """A turn's attempt to train the real model on with the best loss so far: its measure before and after."""

    turn: int
    loss: str
    before: float
    after: float
    kept: bool


COLUMNS = tuple(each.name for each in fields(Candidate))


class Store:
    """The candidates of one search.

    Parameters
    ----------
    path : path, optional
        An SQLite file, made where there is none; None for memory.

    Raises
    ------
    DataError
        It cannot be opened, or is no file of a search.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        if path is not None and not isinstance(path, str | os.PathLike):
            raise ParameterError(f"storage={path!r}: give the path of a file.")
        self.path = None if path is None else Path(path)
        if self.path is not None and not self.path.absolute().parent.is_dir():
            raise DataError(f"storage {self.path}: the folder {self.path.parent} does not exist; create it first.")
        try:
            self._open()
        except sqlite3.Error as error:
            raise DataError(f"storage {self.path}: cannot be opened as the file of a loss search ({error}).") from None

    def _open(self) -> None:
        self._database = sqlite3.connect(":memory:" if self.path is None else self.path, timeout=60)
        tables = {name for (name,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "search" not in tables:
            raise DataError(f"storage {self.path}: is a database of something else; give another file.")
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def claim(self, description: Mapping[str, str]) -> None:
        """Write into a new file what its rewards are rewards of; refuse one that was for something else."""
        self.check(description)
        if not self.description():
            with self._database:
                wanted = {"format": FORMAT, **description}
                self._database.executemany("INSERT INTO search VALUES (?, ?)", wanted.items())

    def check(self, description: Mapping[str, str]) -> None:
        """Refuse a file that was for something else; one that is new may be for anything.

        Raises
        ------
        ParameterError
            The file was made for other data, another space, ....
        """
        stored = self.description()
        for name, value in {"format": FORMAT, **description}.items() if stored else ():
            if stored.get(name) != value:
                raise ParameterError(
                    f"storage {self.path}: was made with {_differing(name, stored.get(name), value)}, so its rewards "
                    "cannot be compared; give another file."
                )

    def description(self) -> dict[str, str]:
        """Return what the file says its rewards are rewards of."""
        return dict(self._database.execute("SELECT name, value FROM search").fetchall())

    def put(self, candidates: Iterable[Candidate]) -> None:
        """Add candidates.

        Raises
        ------
        DataError
            One of that number is there: another process works on the file.
        """
        marks = ", ".join("?" * len(COLUMNS))
        rows = [astuple(replace(one, folds=json.dumps(one.folds))) for one in candidates]  # type: ignore[arg-type]  # text
        try:
            with self._database:
                self._database.executemany(f"INSERT INTO candidate VALUES ({marks})", rows)
        except sqlite3.IntegrityError:
            raise DataError(f"storage {self.path}: another process works on this file; give each its own.") from None

    def candidates(self) -> dict[int, Candidate]:
        """Return all candidates by number."""
        rows = self._database.execute(f"SELECT {', '.join(COLUMNS)} FROM candidate ORDER BY number")
        found = (Candidate(**dict(zip(COLUMNS, row, strict=True))) for row in rows)
        return {each.number: _read(each) for each in found}

    def put_advance(self, advance: Advance) -> None:
        """Add what a turn did to the real model."""
        with self._database:
            self._database.execute("INSERT INTO advance VALUES (?, ?, ?, ?, ?)", astuple(advance))

    def advances(self) -> list[Advance]:
        """Return the turns' advances in order."""
        rows = self._database.execute("SELECT turn, loss, before, after, kept FROM advance ORDER BY turn")
        return [Advance(turn, loss, before, after, bool(kept)) for turn, loss, before, after, kept in rows]


def _differing(name: str, stored: str | None, wanted: str) -> str:
    """Tell in what two descriptions differ, and of settings in JSON only which and how."""
    if name.startswith("data"):
        return f"other {name}"
    try:
        one, other = json.loads(stored or ""), json.loads(wanted)
    except ValueError:
        return f"another {name} ({stored}, not {wanted})"
    if not isinstance(one, dict) or not isinstance(other, dict):
        return f"another {name} ({stored}, not {wanted})"
    names = [each for each in {**one, **other} if one.get(each) != other.get(each)]
    told = [f"{each}={one.get(each, 'its default')}, not {other.get(each, 'its default')}" for each in names]
    return f"another {name} ({'; '.join(told)})"


def _read(stored: Candidate) -> Candidate:
    return replace(stored, folds=tuple(json.loads(str(stored.folds))))


def table(candidates: Iterable[Candidate]) -> pd.DataFrame:
    """Return one row for each candidate; the reward of one that was rejected unmeasured is NaN."""
    frame = pd.DataFrame([vars(each) for each in candidates], columns=list(COLUMNS))
    return frame.assign(reward=frame["reward"].where(frame["reward"] > -math.inf, math.nan))
