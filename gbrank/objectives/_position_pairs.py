"""Pairwise losses whose pairs are multiplied by factors of their documents' positions."""

from __future__ import annotations

import numpy as np

from .._checks import DataError, ParameterError
from ._base import Bound, Labelled, Objective, Vector, single_labels
from ._frames.against_all import AgainstAllBound
from ._frames.position_pairs import PositionPairBound
from ._pairwise import Pairwise


def bind_pairs(
    loss: Objective, data: Labelled, up: Vector, down: Vector, engine: str = "compiled", n_jobs: int | None = None
) -> Bound:
    r"""Tie a pairwise objective to data, the pair of the better document i and the other j times ``up[i] * down[j]``.

    With :math:`1 / p` of the clicked document's position for `up` and 1 for `down`, this is the pairwise loss, or
    LambdaRank, weighted by inverse propensities.  Pairs of two documents with the same label, so of two that were
    clicked, stay out.

    Parameters
    ----------
    loss : Pairwise
    up, down : arrays of shape (n_documents,)

    Raises
    ------
    ParameterError
        A loss that is not of pairs made from labels, or that has pairs of equal labels.

    References
    ----------
    Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017, section 4.

    Agarwal, Takatsu, Zaitsev and Joachims, "A General Framework for Counterfactual Learning-to-Rank", SIGIR 2019,
    section 4.
    """
    if not isinstance(loss, Pairwise):
        raise ParameterError(f"loss={loss!r}: is no pairwise loss; give one, such as LambdaRank().")
    require_pairs_of_labels(loss)
    frame = loss.frame()
    return PositionPairBound(frame, loss.worth_of(single_labels(data, loss.name)), up, down, data, engine, n_jobs)


def of_equal_weights(loss: Pairwise) -> bool:
    """Return whether all pairs of a loss weigh the same, wherever their documents rank."""
    return loss.weight == "uniform" and loss.truncation is None and not (loss.score_norm or loss.query_norm)


def bind_against_all(
    loss: Pairwise, data: Labelled, up: Vector, engine: str = "compiled", n_jobs: int | None = None
) -> Bound:
    """Tie a pairwise objective to the pairs of each clicked document i with all others of its query, times ``up[i]``.

    Raises
    ------
    DataError
        Labels other than 0 and 1; no click in a query of several documents.

    References
    ----------
    Joachims, Swaminathan and Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017, section 4.
    """
    y = single_labels(data, loss.name)
    bad = (y != 0) & (y != 1)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"label {y[row]:g} in row {row}: against='all' needs 1 for a click and 0 for none.")
    clicked, sizes = y > 0, np.diff(data.query_ptr)
    if not (clicked & np.repeat(sizes > 1, sizes)).any():
        raise DataError("nothing to learn: no query of two documents or more has a click; check the labels and `qid`.")
    return AgainstAllBound(loss.frame(), clicked, up, data, engine, n_jobs)


def require_pairs_of_labels(loss: Pairwise) -> None:
    """Raise a `ParameterError` where a loss has pairs of which neither document was clicked rather than the other."""
    if loss.pairs == "given":
        raise ParameterError("pairs='given': a correction for positions needs pairs made from clicks; leave it out.")
    if loss.pair_of_equals() is not None:
        raise ParameterError(
            f"loss={loss!r}: counts pairs of equal labels, which have no clicked document whose position could correct "
            "them; choose another loss, or leave equal_pairs out."
        )
