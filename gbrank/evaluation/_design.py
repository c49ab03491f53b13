"""Who was measured how often on what: systems, folds, seeds and queries, from every form in which they are given.

A *training* is one fold and one seed.  Folds hold different queries; the seeds of a fold share its queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import DataError, ParameterError
from .._registry import unknown
from ..metrics import Measure, measure
from ._evaluate import Evaluation

NO_FOLD = ""  # the fold is not stated: all queries of the system are of one training
KEYS = ["measure", "system", "fold", "seed", "qid"]
NAMES = "a measure's name, as in measures='ndcg@10'"
LISTS = "a list does not say whether its items are folds or seeds; give a mapping from (fold, seed)"


@dataclass(frozen=True)
class System:
    """One measure of one system.

    Attributes
    ----------
    folds : dict from fold to DataFrame of shape (n_queries, n_seeds)
        Indexed by query id.
    """

    folds: dict[str, pd.DataFrame]

    def by_query(self) -> pd.Series[float]:
        """Return the mean over seeds of each query; NaN where a seed has none."""
        means: pd.Series[float] = pd.concat([table.mean(axis=1, skipna=False) for table in self.folds.values()])
        return means

    def seed_counts(self) -> list[int]:
        """Return the number of seeds of each fold."""
        return [table.shape[1] for table in self.folds.values()]


@dataclass(frozen=True)
class Design:
    """All that is compared.

    Attributes
    ----------
    systems : dict from measure to dict from system to System
    fold_of : Series
        The fold of each query of which one is stated.
    conventions : dict from measure to str
    higher_is_better : dict from measure to bool
    sizes : dict from measure to Series
        What each query counts in the mean, where that is not the same.
    """

    systems: dict[str, dict[str, System]]
    fold_of: pd.Series[str]
    conventions: dict[str, str]
    higher_is_better: dict[str, bool]
    sizes: dict[str, pd.Series[float]]


def read_design(given: Any, measures: Any) -> Design:
    """Return the design that `gbrank.compare` is given.

    Raises
    ------
    DataError
        Values that contradict each other or are no numbers.
    ParameterError
        A form that does not say what it holds, or an unknown measure.
    """
    reader = _Reader(None if measures is None else _names(measures))
    frame = pd.concat(list(reader.pieces(given)), ignore_index=True)
    frame = _chosen(frame, reader.wanted)
    _check(frame)
    for name in frame["measure"].unique():
        if name not in reader.conventions:
            reader.take_word(name)
    names = list(dict.fromkeys(frame["system"]))
    systems = {str(name): _systems(rows, str(name), names) for name, rows in frame.groupby("measure", sort=False)}
    folds = frame.loc[frame["fold"] != NO_FOLD, ["qid", "fold"]].drop_duplicates("qid").set_index("qid")["fold"]
    return Design(systems, folds, reader.conventions, reader.higher_is_better, reader.sizes)


def _names(measures: Any) -> list[str]:
    """Return the names as they are given: `compare` also knows measures that `gbrank.measure` does not."""
    names = [str(name) for name in ([measures] if isinstance(measures, str | Measure) else measures)]
    if not names:
        raise ParameterError("measures: give at least one, or leave it out for all.")
    return names


class _Reader:
    """Reads every form of systems into long tables, and keeps what each measure means."""

    def __init__(self, wanted: list[str] | None) -> None:
        self.wanted = wanted
        self.conventions: dict[str, str] = {}
        self.higher_is_better: dict[str, bool] = {}
        self.sizes: dict[str, pd.Series[float]] = {}

    def pieces(self, given: Any) -> Iterator[pd.DataFrame]:
        """Yield tables with the columns `KEYS` and "value"."""
        if isinstance(given, pd.DataFrame):
            yield self._long(given)
        elif isinstance(given, Evaluation):
            yield self._of_runs(given, NO_FOLD, "0", "systems")
        elif isinstance(given, Mapping) and given:
            if len({str(key) for key in given}) < len(given):
                raise ParameterError(f"systems: two names print alike, of {list(given)!r}; give them distinct names.")
            for key, value in given.items():
                yield from self._of_entry(key, value, f"systems[{key!r}]")
        else:
            reason = f" ({LISTS})" if isinstance(given, list | tuple) else ""
            raise ParameterError(
                "systems: give an Evaluation of several runs, a mapping from system to values, or a DataFrame with the "
                f"columns system, qid and value, not {type(given).__name__}{reason}."
            )

    def _of_entry(self, key: Any, value: Any, place: str) -> Iterator[pd.DataFrame]:
        if isinstance(key, tuple):
            yield self._of_runs(value, *_training(key, "systems"), place)
            return
        trainings = value if isinstance(value, Mapping) else {(NO_FOLD, "0"): value}
        if not trainings:
            raise DataError(f"{place}: the mapping is empty; give at least one training.")
        for training, values in trainings.items():
            fold, seed = _training(training, place)
            yield self._of_one(values, place).assign(system=str(key), fold=fold, seed=seed)

    def _of_runs(self, value: Any, fold: str, seed: str, place: str) -> pd.DataFrame:
        """Return the table of an evaluation of named runs."""
        if not isinstance(value, Evaluation) or not value.runs:
            form = "an Evaluation of named runs, as evaluate(data, {'A': ..., 'B': ...}, ...)"
            raise ParameterError(f"{place}: give {form}.")
        self._note(value, place)
        columns = {(run, str(m)): value.values(m, run) for run in value.runs for m in value.measures}
        pieces = [_column(series, name).assign(system=run) for (run, name), series in columns.items()]
        return pd.concat(pieces).assign(fold=fold, seed=seed)

    def _of_one(self, values: Any, place: str) -> pd.DataFrame:
        """Return the table of one training of one system, without its keys."""
        if isinstance(values, Evaluation):
            if len(values.runs) > 1:
                raise ParameterError(
                    f"{place}: the Evaluation holds {len(values.runs)} runs; give one of a single run."
                )
            self._note(values, place)
            return pd.concat([_column(values.values(m), str(m)) for m in values.measures])
        if not isinstance(values, pd.Series):
            reason = f"; {LISTS}" if isinstance(values, list | tuple) else ""
            raise ParameterError(
                f"{place}: give an Evaluation, a Series indexed by query id, or a mapping from (fold, seed) to these, "
                f"not {type(values).__name__}{reason}."
            )
        if self.wanted is not None and len(self.wanted) == 1:
            return _column(values, self.wanted[0])
        name = values.name[-1] if isinstance(values.name, tuple) else values.name
        if not isinstance(name, str):
            raise ParameterError(f"{place}: the Series does not say what it measures; name it, or give {NAMES}.")
        return _column(values, name)

    def _long(self, frame: pd.DataFrame) -> pd.DataFrame:
        for name in ("system", "qid", "value"):
            if name not in frame:
                raise DataError(f"systems: the DataFrame has no column {name!r}; it needs system, qid and value.")
        odd = [name for name in frame if name not in (*KEYS, "value")]
        if odd:
            raise DataError(f"systems: the column {odd[0]!r} is none of {', '.join(KEYS)}, value; leave it out.")
        usual = {"fold": NO_FOLD, "seed": "0"}
        if "measure" not in frame:
            if self.wanted is None or len(self.wanted) != 1:
                raise ParameterError(f"systems: the DataFrame has no column 'measure'; add it, or give {NAMES}.")
            usual["measure"] = self.wanted[0]
        frame = frame.assign(**{name: value for name, value in usual.items() if name not in frame})
        for name in KEYS:
            if frame[name].isna().any():
                raise DataError(f"systems: the column {name!r} has no value in row {int(frame[name].isna().argmax())}.")
        if frame.empty:
            raise DataError("systems: the DataFrame is empty; give one row for each value.")
        return frame.astype(dict.fromkeys(KEYS[:-1], str))

    def _note(self, value: Evaluation, place: str) -> None:
        """Keep what each measure means, and refuse one that means two things."""
        for m in value.measures:
            name, words = str(m), m.describe()
            if self.conventions.setdefault(name, words) != words:
                before = self.conventions[name]
                raise DataError(f"{place}: {words} Before it was: {before} Evaluate all systems by the same rules.")
            self.higher_is_better[name] = m.higher_is_better
            if m.convention.average == "documents":
                self._note_sizes(name, value.sizes, place)

    def _note_sizes(self, name: str, sizes: pd.Series[int], place: str) -> None:
        known = pd.concat([self.sizes[name], sizes]) if name in self.sizes else sizes
        known = known[~pd.MultiIndex.from_arrays([known.index, known]).duplicated()].astype(np.float64)
        if known.index.has_duplicates:
            qid = known.index[known.index.duplicated()][0]
            raise DataError(
                f"{place}: query {qid!r} has another number of documents than before, by which {name} weighs it; "
                "evaluate all systems on the same documents."
            )
        self.sizes[name] = known

    def take_word(self, name: str) -> None:
        """Keep what is known of a measure that is only named."""
        try:
            found = measure(name)
        except ParameterError:
            self.conventions[name], self.higher_is_better[name] = f"{name}: as given; a higher value is better.", True
            return
        if found.convention.average == "documents":
            raise ParameterError(
                f"{name}: weighs queries by their documents; give an Evaluation, which has their numbers."
            )
        self.conventions[name], self.higher_is_better[name] = found.describe(), found.higher_is_better


def _training(key: Any, place: str) -> tuple[str, str]:
    if not isinstance(key, tuple) or len(key) != 2:
        raise ParameterError(f"{place}: the key {key!r} names no training; write it as (fold, seed), as in ('1', 0).")
    return str(key[0]), str(key[1])


def _column(series: Any, name: str) -> pd.DataFrame:
    return pd.DataFrame({"qid": series.index.to_numpy(), "value": series.to_numpy(), "measure": name})


def _chosen(frame: pd.DataFrame, wanted: list[str] | None) -> pd.DataFrame:
    """Return the rows of the wanted measures, in their order."""
    if wanted is None:
        return frame
    known = frame["measure"].unique().tolist()
    names = [name if name in known else _spelling(name) for name in wanted]
    for name in names:
        if name not in known:
            raise unknown("measure of these systems", name, known)
    return pd.concat([frame[frame["measure"] == name] for name in dict.fromkeys(names)], ignore_index=True)


def _spelling(name: str) -> str:
    try:
        return str(measure(name))
    except ParameterError:
        return name


def _check(frame: pd.DataFrame) -> None:
    try:
        frame["value"] = frame["value"].astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"systems: every value must be a number ({error}).") from None
    infinite = np.isinf(frame["value"].to_numpy())
    if infinite.any():
        raise DataError(f"systems: {_told(frame, infinite)} is infinite; give a finite value, or NaN to skip it.")
    text = frame["qid"].map(lambda qid: isinstance(qid, str))
    if text.nunique() > 1:
        one, other = (frame.loc[text == kind].iloc[0] for kind in (True, False))
        raise DataError(
            f"systems: query ids are text in {one['system']} ({one['qid']!r}) and numbers in {other['system']} "
            f"({other['qid']!r}), which never match; give them as one kind."
        )
    folds = frame.loc[frame["fold"] != NO_FOLD, ["qid", "fold"]].drop_duplicates()
    twice = folds["qid"].duplicated()
    if twice.any():
        qid = folds.loc[twice, "qid"].iloc[0]
        of = " and ".join(folds.loc[folds["qid"] == qid, "fold"].head(2))
        raise DataError(
            f"systems: query {qid!r} is in the folds {of}.  Where these are two queries, make their ids distinct; "
            "where it is one that was tested twice, give each query's mean."
        )
    repeated = frame.duplicated(["measure", "system", "seed", "qid"]).to_numpy()
    if repeated.any():
        raise DataError(f"systems: {_told(frame, repeated)} is given twice; give each query once a seed.")


def _told(frame: pd.DataFrame, where: Any) -> str:
    row = frame.iloc[int(np.argmax(where))]
    return f"{row['measure']} of {row['system']}, query {row['qid']!r}, seed {row['seed']},"


def _systems(rows: pd.DataFrame, name: str, names: list[str]) -> dict[str, System]:
    """Return the systems of one measure, in the order of `names`."""
    tables: dict[str, dict[str, pd.DataFrame]] = {system: {} for system in names}
    for system, of_system in rows.groupby("system", sort=False):
        for fold, part in of_system.groupby("fold"):
            tables[str(system)][str(fold)] = part.pivot(index="qid", columns="seed", values="value")
    for system, folds in tables.items():
        if not folds:
            raise DataError(f"systems: {system} has no {name}, which others have; evaluate all by the same measures.")
    return {system: System(folds) for system, folds in tables.items()}
