"""Hold-out and folds of whole queries: no query is ever in two parts.

The splitters follow scikit-learn's protocol, with query ids as ``groups``.  A ranker needs the ids as well, in `fit`
and in `score`; scikit-learn passes both on where metadata routing is switched on::

    with sklearn.config_context(enable_metadata_routing=True):
        cross_validate(ranker, X, y, cv=QueryKFold(5), params={"qid": qid, "groups": qid})

Ids may be whole numbers or strings in any order.  `random_state` is everywhere an int, a NumPy
generator, a ``RandomState``, or None for another result at each call.
"""

from ._base import QuerySplitter
from ._nested import NestedFold, nested_folds, three_parts
from ._planned import QueryPredefinedSplit, QueryStratifiedKFold, QueryTimeSplit
from ._random import QueryKFold, QueryShuffleSplit, train_test_split

__all__ = [
    "NestedFold",
    "QueryKFold",
    "QueryPredefinedSplit",
    "QueryShuffleSplit",
    "QuerySplitter",
    "QueryStratifiedKFold",
    "QueryTimeSplit",
    "nested_folds",
    "three_parts",
    "train_test_split",
]
