"""A cascade does what a loop over requests and stages does, and tells what became of whom."""

import numpy as np
import pandas as pd
import pytest

import gbrank
from gbrank.stages import Cascade, CascadeRun, concat_logs

DATA = gbrank.make_letor(12, n_features=6, max_documents=60, random_state=0)


def by_column(j):
    return lambda data: data.X[:, j]


def loop(data, columns, keeps):
    """The definition: sort the survivors of each request, stably, and keep the first."""
    reached = np.zeros(data.n_documents, int)
    for a, b in zip(data.query_ptr[:-1], data.query_ptr[1:], strict=True):
        rows = list(range(a, b))
        for number, (j, keep) in enumerate(zip(columns, keeps, strict=True), start=1):
            rows = sorted(sorted(rows), key=lambda row: -data.X[row, j])[:keep]
            reached[rows] = number
    return reached


@pytest.mark.parametrize("keeps", [(20, 5, 2), (7, 7, 1), (1000, 1, 1)])
def test_a_loop_over_requests_gives_the_same(keeps):
    coarse = gbrank.RankingData(np.round(DATA.X, 0), DATA.y, DATA.qid)  # with ties
    run = Cascade([(by_column(j), keep) for j, keep in zip((0, 3, 5), keeps, strict=True)]).run(coarse)
    np.testing.assert_array_equal(run.stage, loop(coarse, (0, 3, 5), keeps))
    flow = run.flow()
    assert flow["documents"].tolist() == [coarse.n_documents, *flow["kept"].tolist()[:-1]]
    assert (flow["seconds"] > 0).all()


def test_rankers_see_the_rows_that_are_left():
    seen = []

    class Ranker:
        def predict(self, X):
            seen.append(len(X))
            return X[:, 0]

    run = Cascade([("first", Ranker(), 10), ("second", Ranker(), 3)]).run(DATA)
    assert seen == [DATA.n_documents, int((run.stage >= 1).sum())]
    assert np.isnan(run.scores[1][run.stage == 0]).all()
    fitted = gbrank.GBRanker("mse", n_estimators=3, n_jobs=1).fit(DATA)
    run = Cascade([(fitted, 4)]).run(DATA)
    np.testing.assert_array_equal(run.scores[0], fitted.predict(DATA))


def a_frame(n, kinds, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"price": rng.random(n), "kind": rng.choice(list(kinds), n), "age": rng.random(n)})


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_rankers_get_the_names_and_categories_that_they_were_trained_on(backend):
    train, worth = a_frame(600, "abcdef", 0), {"a": 3, "b": 0, "c": 5, "d": 1, "e": 4, "f": 2}
    ranker = gbrank.GBRanker("mse", backend=backend, n_estimators=20, n_jobs=1, categorical_features=["kind"]).fit(
        train, train["kind"].map(worth), qid=np.arange(600) // 20
    )
    frame = a_frame(200, "ecf", 1)  # its codes are not those of the training
    data = gbrank.RankingData(frame, np.zeros(200), np.arange(200) // 20)
    cascade = Cascade([("all", ranker, 15), ("best", lambda some: some.X[:, 0], 10), ("again", ranker, 4)])
    run = cascade.run(data)
    expected = ranker.predict(frame)
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(run.scores[0], expected)
    np.testing.assert_array_equal(run.scores[2][run.stage >= 2], expected[run.stage >= 2])
    again = run.log()
    assert again.feature_names == data.feature_names
    np.testing.assert_array_equal(again.categories["kind"], data.categories["kind"])
    assert again.to_frame()["kind"].tolist() == frame["kind"].tolist()
    other = gbrank.RankingData(frame.rename(columns={"age": "weight"}), np.zeros(200), np.arange(200) // 20)
    with pytest.raises(gbrank.DataError, match="column 2 is 'weight'"):
        cascade.run(other)


def test_a_ranker_of_bare_arrays_takes_columns_by_position():
    ranker = gbrank.GBRanker("mse", n_estimators=3, n_jobs=1).fit(DATA)
    named = gbrank.RankingData(DATA.X, DATA.y, DATA.qid, feature_names=list("abcdef"))
    np.testing.assert_array_equal(Cascade([(ranker, 4)]).run(named).scores[0], ranker.predict(DATA.X))


def test_other_estimators_get_a_frame_of_the_columns_that_they_name():
    seen = []

    class Named:
        feature_names_in_ = np.array(["kind", "price"], dtype=object)

        def predict(self, X):
            seen.append(X)
            return X["price"].to_numpy()

    frame = a_frame(60, "abc", 0)
    data = gbrank.RankingData(frame, np.zeros(60), np.arange(60) // 20)
    run = Cascade([(Named(), 10), (Named(), 2)]).run(data)
    assert seen[0].columns.tolist() == ["kind", "price"]
    assert seen[1]["kind"].tolist() == frame["kind"][run.stage >= 1].tolist()


def test_evaluation_of_stages():
    run = Cascade([(by_column(0), 20), (by_column(1), 5)]).run(DATA)
    worth = np.random.default_rng(0).random(DATA.n_documents)
    table = run.evaluate(interest=worth, measures=["ndcg@10", "r@5"], k=(5,))
    assert table.index.tolist() == ["stage 1", "stage 2"]
    full = gbrank.evaluate(DATA, DATA.X[:, 0], ["ndcg@10", "r@5"])
    assert table.loc["stage 1", "ndcg@10"] == pytest.approx(full.mean("ndcg@10"), rel=1e-12)
    shares, sums = [], []
    for a, b in zip(DATA.query_ptr[:-1], DATA.query_ptr[1:], strict=True):
        final = set(np.flatnonzero(run.stage[a:b] == 2))
        first = np.argsort(-DATA.X[a:b, 0], kind="stable")[:5]
        shares.append(len(final & set(first)) / len(final))
        sums.append(worth[a:b][run.stage[a:b] >= 1].sum())
    assert table.loc["stage 1", "final_r@5"] == pytest.approx(np.mean(shares), rel=1e-9)
    assert table.loc["stage 2", "final_r@5"] == pytest.approx(1)
    assert table.loc["stage 1", "utility"] == pytest.approx(np.mean(sums), rel=1e-12)


def test_sources_share_the_final_lists():
    run = Cascade([(by_column(0), 20), (by_column(1), 5)]).run(DATA)
    source = np.where(np.arange(DATA.n_documents) % 3 == 0, "graph", "vector")
    table = run.reveal_ratio(source)
    assert table["reveal_ratio"].sum() == pytest.approx(1)
    assert table.loc["graph", "revealed"] == ((source == "graph") & run.final).sum()
    assert table["candidates"].sum() == DATA.n_documents
    both = run.reveal_ratio({"graph": source == "graph", "all": np.ones(DATA.n_documents, bool), "none": source == ""})
    assert both.loc["all", "reveal_ratio"] == 1
    assert both.loc["none", "candidates"] == 0
    assert np.isnan(both.loc["none", "survival"])
    with pytest.raises(gbrank.DataError, match="has the shape"):
        run.reveal_ratio(source[:5])
    with pytest.raises(gbrank.DataError, match="give True or False"):
        run.reveal_ratio({"graph": np.where(source == "graph", "yes", "no")})
    with pytest.raises(gbrank.DataError, match="source"):
        run.reveal_ratio([None, *source[1:]])


def test_a_run_is_a_log():
    run = Cascade([(by_column(0), 20), (by_column(1), 5)]).run(DATA)
    log = run.log()
    np.testing.assert_array_equal(log.stage, run.stage)
    np.testing.assert_array_equal(np.isnan(log.feedback), ~run.final)
    np.testing.assert_array_equal(log.feedback[run.final], DATA.y[run.final])
    assert log.n_stages == 2
    assert isinstance(log.summary(), pd.DataFrame)
    with pytest.raises(gbrank.DataError, match="data: a ndarray does not tell"):
        Cascade([(by_column(0), 20)]).run(DATA.X)


@pytest.mark.parametrize("items", [[30, 4, -5, 2**62], ["a", "4", "5", "6"], ["007", "4", "5", "6"]], ids=str)
def test_ids_of_a_log_survive_a_run(items):
    log = gbrank.StageLog([1] * 4, items, [0] * 4, [np.nan] * 4, np.eye(4), n_stages=2)
    again = Cascade([(by_column(0), 2), (by_column(1), 1)]).run(log.to_data(np.ones(4))).log()
    assert again.item.tolist() == items
    other = gbrank.StageLog([2] * 4, items, [0] * 4, [np.nan] * 4, np.eye(4), n_stages=2, feature_names=None)
    assert concat_logs([again, other]).n_rows == 8


def test_ids_of_a_log_may_be_given():
    data = gbrank.RankingData(np.eye(2), [0, 1], [1, 1], doc_id=["1", "2"])
    run = Cascade([(by_column(0), 1)]).run(data)
    assert run.log().item.tolist() == [1, 2]
    assert run.log(item=data.doc_id).item.tolist() == ["1", "2"]


def test_one_stage_replaced():
    cascade = Cascade([("retrieval", by_column(0), 20), ("ranking", by_column(1), 5)])
    other = cascade.replace("ranking", by_column(2))
    assert [stage.keep for stage in other.stages] == [20, 5]
    assert isinstance(other.run(DATA), CascadeRun)
    np.testing.assert_array_equal(other.run(DATA).stage, loop(DATA, (0, 2), (20, 5)))
    np.testing.assert_array_equal(cascade.replace(2, by_column(2)).run(DATA).stage, other.run(DATA).stage)
    assert repr(other) == "Cascade(retrieval: 20 -> ranking: 5)"


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([], "there are none"),
        ([(by_column(0), 5), (by_column(1), 6)], "stage 2: keeps 6 documents of the 5"),
        ([(by_column(0), 0)], "keep of stage 1=0"),
        ([(3, 5)], "no predict"),
        ([by_column(0)], "entry 1"),
        ([("a", by_column(0), 5), ("a", by_column(1), 5)], "repeat"),
    ],
)
def test_what_is_no_cascade(stages, words):
    with pytest.raises(gbrank.ParameterError, match=words):
        Cascade(stages)


def test_bad_scores_name_their_stage():
    with pytest.raises(gbrank.DataError, match=r"scores of second: row 3 is nan"):
        Cascade([(by_column(0), 9), ("second", lambda d: np.where(np.arange(len(d.X)) == 3, np.nan, 1), 2)]).run(DATA)
    with pytest.raises(gbrank.DataError, match="scores of stage 1: 2 values"):
        Cascade([(lambda d: [1.0, 2.0], 9)]).run(DATA)
    with pytest.raises(gbrank.ParameterError, match="stage='none'"):
        Cascade([(by_column(0), 9)]).replace("none", by_column(0))
