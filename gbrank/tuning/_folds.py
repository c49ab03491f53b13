"""The folds of a study, binned once for all trials that bin alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import DataError, ParameterError, check_whole
from ..backends import Binned
from ..backends._cache import Kept, settings_key
from ..data import RankingData
from ..rankers import GBRanker
from ..splits import QueryKFold

Fold = tuple[RankingData, RankingData]
BinnedFold = tuple[Binned, Binned]

N_FOLDS = 5
KEPT = 3  # bin settings whose data sets are kept at a time


def make_folds(train: RankingData, valid: RankingData | None, cv: Any, seed: int) -> list[Fold]:
    """Return the pairs of training and validation data: one where `valid` is given, else those of `cv`.

    Raises
    ------
    ParameterError
        Both are given, or `cv` is neither a number nor a splitter of queries.
    DataError
        `train` or `valid` is not a `RankingData`.
    """
    for name, data in (("train", train), ("valid", valid)):
        if not isinstance(data, RankingData) and not (name == "valid" and data is None):
            raise DataError(f"{name}: give a RankingData, not {type(data).__name__}.")
    if valid is not None:
        if cv is not None:
            raise ParameterError("give valid= or cv=, not both.")
        return [(train, valid)]
    splitter = N_FOLDS if cv is None else cv
    if not hasattr(splitter, "split_data"):
        if not isinstance(splitter, int | np.integer) or isinstance(splitter, bool):
            raise ParameterError(f"cv={cv!r}: give a number of folds or a splitter of queries, such as QueryKFold(5).")
        check_whole("cv", splitter, lowest=2)
        splitter = QueryKFold(int(splitter), shuffle=True, random_state=seed)
    return list(splitter.split_data(train))


class BinnedFolds:
    """The folds as a backend trains on them, made once for each of the bin settings; the last `KEPT` are kept.

    May be asked from several threads; those that need the same settings wait for the first.
    """

    def __init__(self, folds: list[Fold]) -> None:
        self.folds = folds
        self._kept: Kept[list[BinnedFold]] = Kept(KEPT)

    def __len__(self) -> int:
        return len(self.folds)

    def get(self, ranker: GBRanker) -> list[BinnedFold]:
        """Return all folds binned as `ranker` would bin them."""
        settings = ranker._backend().bin_settings(ranker._tree_params())
        key = settings_key(ranker.backend, settings)
        return self._kept.get(key, lambda: [_bin(ranker, *fold) for fold in self.folds])


def _bin(ranker: GBRanker, train: RankingData, valid: RankingData) -> BinnedFold:
    binned = ranker.bin(train)
    return binned, ranker.bin(valid, reference=binned)
