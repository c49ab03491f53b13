"""What an objective learnt of positions, as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..objectives import Objective
from ..objectives._base import State


def position_bias(objective: Objective, state: State) -> pd.DataFrame:
    """Return a row for each rank from 1, and a column for each curve that was learnt; a shorter one ends in NaN.

    Raises
    ------
    AttributeError
        The objective learns none.
    """
    curves = objective.position_bias(state) if state else {}
    if not curves:
        raise AttributeError(
            f"position_bias_: {objective} learns nothing of positions, or in a version of the library's own that keeps "
            "it to itself; train with an objective that does, such as position_term, and engine='compiled'."
        )
    ranks = np.arange(1, 1 + max(map(len, curves.values())))
    named = {name: pd.Series(values, ranks[: len(values)]) for name, values in curves.items()}
    return pd.DataFrame(named, pd.Index(ranks, name="position"))
