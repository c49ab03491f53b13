"""What the rankers of this room have in common: how a file holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone

from ..rankers._composite import Arrays, RankerOfRankers
from ..rankers._files import plain


class StageRanker(RankerOfRankers, BaseEstimator):  # type: ignore[misc]  # untyped
    """A ranker with the parameter `ranker`, which is None or what to train, and one fitted within, `ranker_`."""

    def _parts(self) -> dict[str, Any]:
        return {"ranker": self.ranker_}

    def _told(self) -> dict[str, Any]:
        params = self.get_params(deep=False)
        seed = params.pop("random_state", None)  # one that is a generator is not kept
        default = params.pop("ranker") is None
        params = {name: plain(value) for name, value in params.items()}
        if hasattr(self, "random_state"):
            params["random_state"] = int(seed) if isinstance(seed, int | np.integer) else None
        return {"params": params, "default_ranker": default}

    @classmethod
    def _retold(cls, told: Mapping[str, Any], arrays: Arrays, parts: Mapping[str, Any]) -> Self:
        fitted = parts["ranker"]
        found = cls(None if told["default_ranker"] else clone(fitted), **told["params"])
        found.ranker_ = fitted
        return found
