"""A ranker with other parameters."""

from gbrank import GBRanker
from gbrank.rankers._changed import with_params


def test_with_params_joins_backend_params_and_leaves_the_ranker_alone():
    ranker = GBRanker(backend_params={"path_smooth": 1.0, "extra_trees": True})
    changed = with_params(ranker, {"backend_params__path_smooth": 2.0, "objective__truncation": 5, "max_leaves": 7})
    assert changed.backend_params == {"path_smooth": 2.0, "extra_trees": True}
    assert changed.get_params()["objective__truncation"] == 5
    assert (ranker.max_leaves, ranker.objective) == (31, "lambdarank")
    assert ranker.backend_params == {"path_smooth": 1.0, "extra_trees": True}
