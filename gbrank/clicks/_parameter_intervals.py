"""Bootstrap intervals of the parameters of click models."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from .._checks import GbrankWarning, ParameterError, check_choice, check_confidence, check_whole
from ._intervals import UNITS, resampled
from ._log import ClickLog
from ._model import ClickModel


def parameter_intervals(
    model: ClickModel,
    log: ClickLog,
    *,
    n_resamples: int = 200,
    confidence: float = 0.95,
    unit: str = "session",
    random_state: int = 0,
    **options: Any,
) -> dict[str, pd.DataFrame]:
    """Return intervals of a click model's parameters: quantiles over models that are fitted to resamples of the log.

    Parameters
    ----------
    model : ClickModel
        Fitted to `log`.
    log : ClickLog
    n_resamples : int
    confidence : float
    unit : {"session", "query"}
        What is drawn at random: sessions, which the models hold to be independent; or queries, each with all its
        sessions, for what is the same in all queries.
    random_state : int
    **options
        What the model was fitted with, such as ``prior``, for the resamples.

    Returns
    -------
    dict of str to DataFrame
        The parameters of `ClickModel.to_tables`, with the columns ``estimate``, ``low`` and ``high``; of a pair, over
        the resamples that show it.  What is set by convention, as the highest examination, has no width.

    Raises
    ------
    ParameterError
        A number or unit that is out of range, or an option that the model's `fit` does not have.

    Examples
    --------
    >>> from gbrank import make_letor, simulate_clicks
    >>> from gbrank.clicks import PlackettLuce, PositionBased
    >>> data = make_letor(5, random_state=0)
    >>> users = PositionBased([1, 0.5])
    >>> log = simulate_clicks(data, PlackettLuce(data.X[:, 0], 3), users, 10_000, random_state=0, top_k=2)
    >>> found = parameter_intervals(PositionBased.fit(log), log, n_resamples=50)["examination"]
    >>> bool(found.loc[2, "low"] < 0.5 < found.loc[2, "high"])
    True
    """
    check_whole("n_resamples", n_resamples, lowest=2)
    check_confidence(confidence)
    check_choice("unit", unit, UNITS)
    estimates = _parameters(model)
    drawn: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in estimates}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GbrankWarning)  # of resamples that converge slowly
        for weight in resampled(log, n_resamples, unit, random_state):
            sessions = log.take(np.repeat(np.arange(log.n_sessions), weight))
            for name, values in _parameters(_fitted(type(model), sessions, options)).items():
                drawn[name].append(values.reindex(estimates[name].index).to_numpy())
    return {name: _framed(values, np.array(drawn[name]), confidence) for name, values in estimates.items()}


def _fitted(kind: type[ClickModel], log: ClickLog, options: dict[str, Any]) -> ClickModel:
    try:
        return kind.fit(log, **options)
    except TypeError:
        raise ParameterError(f"options: {kind.__name__}.fit has no {', '.join(map(repr, options))}.") from None


def _parameters(model: ClickModel) -> dict[str, pd.Series]:
    """Return the parameters as Series, by name."""
    found: dict[str, Any] = model.to_tables()
    for name, each in found.items():
        if isinstance(each, pd.DataFrame):
            found[name] = each.stack().dropna()
    return found


def _framed(values: pd.Series, drawn: np.ndarray[Any, Any], confidence: float) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where no resample shows a pair: NaN
        low, high = np.nanquantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return pd.DataFrame({"estimate": values, "low": low, "high": high})
