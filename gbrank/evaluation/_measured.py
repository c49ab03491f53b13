"""The comparison of all systems by one measure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import DataError
from . import _significance as significance
from ._bootstrap import bca
from ._components import COMPONENTS, components, interval_over_seeds
from ._design import Design
from ._resampling import Matrix, Vector, resampled_means

if TYPE_CHECKING:
    from ._compare import Settings

Mask = npt.NDArray[np.bool_]
ROUNDING = 1e-12  # of the highest value: what differs by less is a tie
FIRST = ("measure", "a", "b", "mean_a", "mean_b", "difference", "low", "high", "statistic", "p", "p_adjusted")


class Measured:
    """Systems, pairs and components of one measure.

    Where a query weighs w in the mean, its error is e = w (x - mean) / mean w, of which the standard deviation and the
    acceleration are taken; for equal weights it is x - mean.
    """

    def __init__(
        self, name: str, design: Design, pairs: list[tuple[int, int]], settings: Settings, n_jobs: int | None
    ) -> None:
        self.name, self.design, self.pairs, self.settings, self.n_jobs = name, design, pairs, settings, n_jobs
        self.names, self.systems = list(design.systems[name]), list(design.systems[name].values())
        by_query = [system.by_query() for system in self.systems]
        table = pd.concat(by_query, axis=1, keys=self.names, sort=False).sort_index()
        self.qid, self.values = table.index, table.to_numpy()
        self.given = np.column_stack([self.qid.isin(series.index) for series in by_query])
        self.present = ~np.isnan(self.values)
        sizes = design.sizes.get(name)
        self.weights: Vector = np.ones(len(table))
        if sizes is not None:
            self.weights = np.asarray(sizes.reindex(self.qid), dtype=np.float64)
        for system, any_value in zip(self.names, self.present.any(axis=0), strict=True):
            if not any_value:
                raise DataError(f"systems: {system} has no query with a value of {name}; nothing can be compared.")
        self.resampled = self._resampled()

    def system_rows(self) -> pd.DataFrame:
        """Return the rows of `Comparison.systems`."""
        rows = []
        for j, (name, system) in enumerate(zip(self.names, self.systems, strict=True)):
            known = self.present[:, j]
            mean, error = _mean(self.values[known, j], self.weights[known])
            low, high = bca(mean, error, self.resampled[j], self.settings.confidence)
            rows.append(
                {
                    "measure": self.name,
                    "system": name,
                    "mean": mean,
                    "low": low,
                    "high": high,
                    "std": _deviation(error),
                    "queries": len(error),
                    "skipped": int((self.given[:, j] & ~known).sum()),
                    "missing": int((~self.given[:, j]).sum()),
                    "folds": self._folds(self.given[:, j]),
                    "seeds": max(system.seed_counts()),
                }
            )
        return pd.DataFrame(rows)

    def component_rows(self) -> pd.DataFrame:
        """Return the rows of `Comparison.components`."""
        named = zip(self.names, self.systems, strict=True)
        rows = [{"measure": self.name, "system": name, **components(system)} for name, system in named]
        return pd.DataFrame(rows, columns=["measure", "system", *COMPONENTS])

    def pair_rows(self) -> pd.DataFrame:
        """Return the rows of `Comparison.table`."""
        used = self.present
        if self.settings.correction == "tukey":
            used = used & used.all(axis=1, keepdims=True)
        shared = [used[:, a] & used[:, b] for a, b in self.pairs]
        for (a, b), rows in zip(self.pairs, shared, strict=True):
            self._require_two(a, b, int(rows.sum()))
        statistic, p = self._test(shared)
        adjusted = self._adjusted(p)
        tested = [{"statistic": statistic[j], "p": p[j], "p_adjusted": adjusted[j]} for j in range(len(p))]
        pairs = zip(self.pairs, shared, tested, strict=True)
        frame = pd.DataFrame([self._of_pair(a, b, rows) | found for (a, b), rows, found in pairs])
        return frame[[*FIRST, *(name for name in frame if name not in FIRST)]]

    def _of_pair(self, a: int, b: int, shared: Mask) -> dict[str, Any]:
        """Return what is told of a pair beside its test."""
        values, weights = self.values[shared][:, [a, b]], self.weights[shared]
        gaps = values[:, 0] - values[:, 1]
        mean, error = _mean(gaps, weights)
        low, high = bca(mean, error, self._resampled_gaps(a, b, shared, gaps), self.settings.confidence)
        rounding = ROUNDING * np.abs(values).max()
        wins, losses = int((gaps > rounding).sum()), int((gaps < -rounding).sum())
        if not self.design.higher_is_better[self.name]:
            wins, losses = losses, wins
        n, deviation, settings = len(gaps), _deviation(error), self.settings
        level = 1 - settings.confidence
        return {
            "measure": self.name,
            "a": self.names[a],
            "b": self.names[b],
            "mean_a": _mean(values[:, 0], weights)[0],
            "mean_b": _mean(values[:, 1], weights)[0],
            "difference": mean,
            "low": low,
            "high": high,
            "effect_size": mean / deviation if deviation > 0 else 0.0 if mean == 0 else math.nan,
            "superiority": (n + wins - losses) / (2 * n),
            "wins": wins,
            "ties": n - wins - losses,
            "losses": losses,
            "detectable": significance.detectable(n, deviation, power=settings.power, level=level),
            "queries": n,
            **self._of_folds(shared, gaps, weights),
            **self._of_seeds(a, b, shared, mean + error),
        }

    def _of_folds(self, shared: Mask, gaps: Vector, weights: Vector) -> dict[str, float]:
        if self._folds(shared) < 2:
            return {}
        folds = self.design.fold_of.reindex(self.qid[shared]).to_numpy()
        frame = pd.DataFrame({"total": gaps * weights, "weight": weights}).groupby(folds).sum()
        return {"fold_sd": float((frame["total"] / frame["weight"]).std())}

    def _of_seeds(self, a: int, b: int, shared: Mask, gaps: Vector) -> dict[str, float]:
        one, other = self.systems[a], self.systems[b]
        if max(one.seed_counts() + other.seed_counts()) < 2:
            return {}
        differences = pd.Series(gaps, index=self.qid[shared])
        weights = pd.Series(self.weights[shared], index=self.qid[shared])
        ends = interval_over_seeds(differences, weights, one, other, self.settings.confidence)
        return dict(zip(("seeds_low", "seeds_high", "seeds_p"), ends, strict=True))

    def _test(self, shared: list[Mask]) -> tuple[Vector, Vector]:
        """Return statistic and p of each pair."""
        pairs = list(zip(self.pairs, shared, strict=True))
        gaps = np.column_stack(
            [np.where(rows, self.values[:, a] - self.values[:, b], np.nan) for (a, b), rows in pairs]
        )
        weights = np.column_stack([self.weights / self.weights[rows].mean() for rows in shared])
        weighted, n, seed = gaps * weights, self.settings.n_resamples, self.settings.random_state
        if self.settings.test == "t":
            mean = np.nanmean(weighted, axis=0)
            return significance.paired_t(mean + weights * (gaps - mean))
        if self.settings.test == "wilcoxon":
            return significance.wilcoxon(weighted, n, seed, self.n_jobs)
        return significance.sign_flip(weighted, n, seed, self.n_jobs)

    def _adjusted(self, p: Vector) -> Vector:
        settings = self.settings
        if settings.correction != "tukey":
            return significance.holm(p) if settings.correction == "holm" else p
        complete = self.present.all(axis=1)
        order = np.argsort(self.names)  # so that the order of systems does not matter
        weights = self.weights[complete] / self.weights[complete].mean()
        values = self.values[complete][:, order] * weights[:, None]
        place = np.argsort(order).tolist()
        pairs = [(place[a], place[b]) for a, b in self.pairs]
        if settings.test == "t":
            return significance.tukey_hsd(values, pairs)
        return significance.randomised_tukey(values, pairs, settings.n_resamples, settings.random_state, self.n_jobs)

    def _resampled(self) -> dict[int, Vector]:
        """Return the resampled means of each system; those that have values for the same queries share resamples."""
        alike: dict[bytes, list[int]] = {}
        for j in range(len(self.names)):
            alike.setdefault(self.present[:, j].tobytes(), []).append(j)
        found: dict[int, Vector] = {}
        for columns in alike.values():
            rows = self.present[:, columns[0]]
            means = self._means(self.values[rows][:, columns], self.weights[rows])
            found |= {j: means[:, place] for place, j in enumerate(columns)}
        return found

    def _resampled_gaps(self, a: int, b: int, shared: Mask, gaps: Vector) -> Vector:
        if (shared == self.present[:, a]).all() and (shared == self.present[:, b]).all():
            return self.resampled[a] - self.resampled[b]
        return self._means(gaps[:, None], self.weights[shared])[:, 0]

    def _means(self, values: Matrix, weights: Vector) -> Matrix:
        columns = np.column_stack([values * weights[:, None], weights])
        means = resampled_means(columns, self.settings.n_resamples, self.settings.random_state, self.n_jobs)
        return means[:, :-1] / means[:, -1:]

    def _folds(self, rows: Mask) -> int:
        folds = self.design.fold_of
        return max(1, folds[folds.index.isin(self.qid[rows])].nunique()) if len(folds) else 1

    def _require_two(self, a: int, b: int, n: int) -> None:
        if n < 2:
            of_all = " of which all systems have a value" if self.settings.correction == "tukey" else ""
            raise DataError(
                f"systems: {self.names[a]} and {self.names[b]} have {n} queries with a value of {self.name} in "
                f"common{of_all}, and 2 are needed; check that they are of the same data, with the same query ids."
            )


def _mean(values: Vector, weights: Vector) -> tuple[float, Vector]:
    """Return the mean, and the error of each query."""
    mean = float(values @ weights / weights.sum())
    return mean, (values - mean) * (weights / weights.mean())


def _deviation(error: Vector) -> float:
    return math.sqrt(float(error @ error) / (len(error) - 1)) if len(error) > 1 else math.nan
