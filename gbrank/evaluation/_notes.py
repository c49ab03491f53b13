"""What the text of an evaluation says, in few words, of queries and documents that are not as one would expect."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..metrics import Measure
from ._systems import Coverage

Mask = npt.NDArray[np.bool_]


def notes(m: Measure, skipped: Mask, missing: Mask, single: Mask, covered: Coverage | None) -> list[str]:
    """Return what is said of a mean.

    Parameters
    ----------
    m : Measure
    skipped, missing, single : bool array of shape (n_queries,)
        Queries without a value; for which the run retrieved nothing; of one document.
    covered : Coverage or None
    """
    told = []
    uses, rules = m.uses, m.convention
    if rules.missing_queries == "skip":
        told.append((missing.sum(), "missing from the run skipped", ""))
        skipped = skipped & ~missing
    alone = skipped & single & (rules.single_document == "skip")
    nothing = "relevant" if m.graded else "to tell apart"
    told += [
        ((skipped & ~alone).sum(), f"with nothing {nothing} skipped", ""),
        (alone.sum(), "of one document skipped", ""),
    ]
    if rules.missing_queries == "zero":
        told.append(((missing & ~skipped).sum(), "missing from the run counts as 0", "missing from the run count as 0"))
    if covered is not None and "unjudged" in uses:
        removed = rules.unjudged == "removed"
        n = covered.unjudged[None if removed else m.k]
        where = "" if removed or m.k is None else f" in the first {m.k} places"
        what = ("removed", "removed") if removed else ("counts as not relevant", "count as not relevant")
        told.append((n, f"unjudged document{where} {what[0]}", f"unjudged documents{where} {what[1]}"))
    return [f"{n} {one if n == 1 or not many else many}" for n, one, many in told if n]


def left_out(covered: Coverage) -> str:
    """Return what is said of the queries of a run that are not judged."""
    n, documents = len(covered.other_queries), covered.other_documents
    return f"{n} quer{'y' if n == 1 else 'ies'} ({documents} document{'s' * (documents != 1)}) not judged, left out"
