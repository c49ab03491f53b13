"""Synthetic learning-to-rank data that look like web search: MSLR-WEB30K is the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import check_positive, check_whole
from ._ranking_data import RankingData

Vector = npt.NDArray[np.float32]

GRADE_SHARES = (0.52, 0.32, 0.13, 0.02, 0.01)  # of grades 0-4 in MSLR-WEB30K
TYPICAL_DOCUMENTS = 95  # median number of documents of a query
N_LATENT = 6

# What the columns hold, over and over: a view of a latent property (0-5), of the query (q), noise (n), a constant (c).
_CONTENTS = "0123450q12n045301n5q2c3401nq253n"
# How they show it: reals of any size, ratios within 0-1, counts, sparse counts, skewed reals.
_FORMS = "lzczsrszzrc"


def make_letor(
    n_queries: int,
    *,
    n_features: int = 136,
    max_documents: int = 900,
    n_grades: int = 5,
    noise: float = 1.0,
    random_state: int | np.random.Generator | None = None,
) -> RankingData:
    r"""Make data like those of a web search engine.

    Each document has six latent properties (say text match, popularity, quality, ...), three of which also vary by
    query.  Its utility is not linear in them: a property of the query says which of two properties counts, two others
    act only together, and one harms above a threshold.  A query has a level of its own, which no feature shows: some
    queries have nothing relevant, and labels compare within a query better than across.  Utility plus noise is cut
    into grades 0, 1, ... whose overall shares are those of MSLR-WEB30K (52, 32, 13, 2 and 1 %; for another number of
    grades they fall by half).

    The features are noisy views of the latent properties, several for each and therefore correlated; properties of
    the query; noise; and constants.  They are shown as reals, ratios, counts, mostly zero counts and skewed reals,
    with at most six decimals.

    Parameters
    ----------
    n_queries : int
    n_features : int
    max_documents : int
        A query has 1 to so many documents: a skewed distribution with a mean of about 116 by default.
    n_grades : int
        At least 2.
    noise : float
        Standard deviation of the noise in the utility, whose own is about 1.5.
    random_state : int, numpy.random.Generator or None
        Equal seeds give equal data.

    Returns
    -------
    RankingData
        float32 features, query ids 1, 2, ....

    Raises
    ------
    ParameterError
        A number is out of its range.

    Examples
    --------
    >>> data = make_letor(3, n_features=4, max_documents=10, random_state=0)
    >>> data.n_queries, data.n_features, data.X.dtype.name, bool(data.query_sizes.max() <= 10)
    (3, 4, 'float32', True)
    """
    for name, value, lowest in (
        ("n_queries", n_queries, 1),
        ("n_features", n_features, 1),
        ("max_documents", max_documents, 1),
        ("n_grades", n_grades, 2),
    ):
        check_whole(name, value, lowest=lowest)
    check_positive("noise", noise, zero=True)
    rng = np.random.default_rng(random_state)
    sizes = _query_sizes(rng, n_queries, max_documents)
    query = np.repeat(np.arange(n_queries), sizes)
    of_query = rng.standard_normal((4, n_queries), dtype=np.float32)
    latent = rng.standard_normal((N_LATENT, len(query)), dtype=np.float32)
    latent[:3] += 0.7 * of_query[1:, query]
    utility = _utility(latent, of_query[0, query]) + np.float32(1.4) * of_query[3, query]
    utility += np.float32(noise) * rng.standard_normal(len(query), dtype=np.float32)
    X = _features(rng, n_features, latent, of_query[:3, query])
    return RankingData(X, _grades(utility, n_grades), query + 1)


def _query_sizes(rng: np.random.Generator, n_queries: int, most: int) -> npt.NDArray[np.int64]:
    median = min(TYPICAL_DOCUMENTS, 0.4 * most)
    sizes = np.rint(rng.lognormal(np.log(median), 0.63, n_queries))
    rare = rng.random(n_queries) < 0.02  # few queries have next to no documents
    return np.clip(np.where(rare, rng.integers(1, 11, n_queries), sizes), 1, most).astype(np.int64)


def _utility(latent: npt.NDArray[np.float32], intent: Vector) -> Vector:
    """Return what a user gains from each document, before noise."""
    match, popularity, quality, freshness, length, spam = latent
    either = np.where(intent > 0, match, popularity)
    together = np.maximum(quality, 0) * np.maximum(freshness, 0)
    middling = -0.5 * np.abs(length)
    return np.asarray(1.1 * either + 1.2 * together + middling - 1.5 * (spam > 1), dtype=np.float32)


def _grades(utility: Vector, n_grades: int) -> npt.NDArray[np.float64]:
    shares = np.array(GRADE_SHARES) if n_grades == len(GRADE_SHARES) else 0.5 ** np.arange(n_grades)
    cuts = np.quantile(utility, np.cumsum(shares)[:-1] / shares.sum())
    return np.searchsorted(cuts, utility, side="right").astype(np.float64)


def _features(
    rng: np.random.Generator, n_features: int, latent: npt.NDArray[np.float32], of_query: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    n = latent.shape[1]
    X = np.empty((n, n_features), np.float32)
    for j in range(n_features):
        content = _CONTENTS[j % len(_CONTENTS)]
        if content == "c":
            X[:, j] = j % 3
            continue
        if content == "q":
            view = of_query[j % len(of_query)]
        elif content == "n":
            view = rng.standard_normal(n, dtype=np.float32)
        else:
            blur = np.float32(0.4 + 1.6 * rng.random())
            view = latent[int(content)] + blur * rng.standard_normal(n, dtype=np.float32)
        X[:, j] = _shown(_FORMS[j % len(_FORMS)], view, np.float32(3 * rng.random()))
    return X


def _shown(form: str, view: Vector, scale: np.float32) -> npt.NDArray[Any]:
    """Return a rising function of `view` that looks like a feature of the given form."""
    shown: npt.NDArray[Any]
    match form:
        case "l":
            shown = 10 * scale + 4 * view
        case "r":
            shown = 1 / (1 + np.exp(-view))
        case "c":
            return np.asarray(np.floor(np.exp(view + scale - 1)))
        case "z":
            return np.asarray(np.floor(np.exp(1.5 * view - 1)))
        case _:
            shown = np.where(view > scale - 1.5, np.exp(view - scale), 0)
    return np.round(shown.astype(np.float64), 6)
