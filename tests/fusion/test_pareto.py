import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import ParameterError
from gbrank.fusion import pareto_front, shares
from gbrank.fusion._pareto import efficient


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_efficient_by_definition(points):
    def beaten(a):
        return any(b[0] >= a[0] and b[1] >= a[1] and b != a for b in points)

    assert efficient(np.array(points)).tolist() == [not beaten(each) for each in points]


def test_front_runs_from_one_task_to_the_other(predict, even):
    scores, model = predict(n_tasks=3, n_queries=40), even(3)
    front = pareto_front(model, scores, "t0", "t2", n_points=11, n_jobs=1)
    table = front.table
    assert table["efficient"].any()
    assert table["ndcg_a"].iloc[-1] > table["ndcg_a"].iloc[0] + 0.05
    assert table["ndcg_b"].iloc[0] > table["ndcg_b"].iloc[-1] + 0.05
    for row in (3, 8):
        weights = {"t0": table["weight_a"][row], "t1": 1 / 3, "t2": table["weight_b"][row]}
        regret = shares(model.with_weights(weights), scores, by="regret", n_jobs=1)["regret"]
        np.testing.assert_allclose(1 - regret[["t0", "t2"]], table.loc[row, ["ndcg_a", "ndcg_b"]].astype(float))
    regret = shares(model, scores, by="regret", n_jobs=1)["regret"]
    assert front.current["ndcg_a"] == pytest.approx(1 - regret["t0"])


def test_wrong_tasks(predict, even):
    with pytest.raises(ParameterError, match="unknown task 't7'"):
        pareto_front(even(3), predict(n_tasks=3, n_queries=2), "t0", "t7")
    with pytest.raises(ParameterError, match="give two tasks"):
        pareto_front(even(3), predict(n_tasks=3, n_queries=2), "t0", "t0")
