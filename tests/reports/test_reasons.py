"""Why the first is first, against the scores themselves."""

import numpy as np
import pytest

import gbrank
from gbrank.reports import gather

KIND = {"n_estimators": 6, "n_jobs": 1}
CAPTION = "Why the first is first"


def found(ranker, data):
    blocks = next(each for each in gather(ranker, data).sections if each.title == "Queries").blocks
    return next((each for each in blocks if getattr(each, "caption", "").startswith(CAPTION)), None)


@pytest.fixture(scope="module")
def data():
    return gbrank.make_letor(40, n_features=6, max_documents=25, random_state=0)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_the_first_against_the_best(data, backend):
    ranker = gbrank.GBRanker(backend=backend, **KIND).fit(data)
    score, table = ranker.predict(data), found(ranker, data)
    assert 0 < len(table.rows) <= 5
    for query, (first, better), rank, gap, why in table.rows:
        number = data.query_ids.tolist().index(int(query))
        rows = np.arange(data.query_ptr[number], data.query_ptr[number + 1])
        order = rows[np.argsort(-score[rows], kind="stable")]
        assert f"row {data.order[order[0]]}" == first.name
        assert f"row {data.order[order[int(rank) - 1]]}" == better.name
        assert float(better.label) == data.y[rows].max() > float(first.label) == data.y[order[0]]
        assert float(gap) == pytest.approx(score[order[0]] - score[order[int(rank) - 1]], abs=5e-4)
        name, size = why.split(" ")[:2]
        explained = gbrank.contributions(ranker, data).why(int(query), 1, int(rank))
        assert explained["difference"].idxmax() == name
        assert explained["difference"].max() == pytest.approx(float(size), abs=5e-4)


def test_where_there_is_nothing_to_say(data):
    assert found(gbrank.GBRanker("mcrank", **KIND).fit(data), data) is None  # several outputs
    perfect = gbrank.RankingData(data.y[:, None], data.y, data.qid)
    assert found(gbrank.GBRanker("mse", n_estimators=60, min_docs_in_leaf=1, n_jobs=1).fit(perfect), perfect) is None


def test_trees_that_cannot_be_explained(data):
    ranker = gbrank.GBRanker("mse", backend_params={"linear_tree": True}, **KIND).fit(data)
    assert found(ranker, data) is None
    assert "is not known: LightGBM refuses" in str(gather(ranker, data)).replace("\n", " ")
