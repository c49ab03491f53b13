"""Transformers of features that look at a document among the others of its query.

Both follow scikit-learn's protocol, with query ids as ``qid`` in `fit`, `transform` and `fit_transform`.  In a
`Pipeline` scikit-learn passes them on where metadata routing is switched on; a `RankingData` carries its own.
"""

from ._features import QueryFeatures
from ._normalizer import QueryNormalizer

__all__ = ["QueryFeatures", "QueryNormalizer"]
