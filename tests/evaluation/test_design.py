"""What `compare` reads: every form of the same values is the same design, and what is unclear is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gbrank import DataError, ParameterError, RankingData, compare, evaluate
from gbrank.evaluation._design import read_design


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return RankingData(np.zeros((60, 1)), rng.integers(0, 3, 60), qid=np.repeat(np.arange(12), 5))


def runs(data, seed=0):
    rng = np.random.default_rng(seed)
    return {"A": rng.random(60) + 0.3 * data.y, "B": rng.random(60) + 0.2 * data.y}


def part(data, fold):
    return data.take(np.flatnonzero(np.arange(12) % 3 == fold))


def same(one, other):
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.systems, other.systems)
    pd.testing.assert_frame_equal(one.components, other.components)
    assert one.conventions == other.conventions


def test_forms_of_one_evaluation_agree(data):
    scores = runs(data)
    together = evaluate(data, scores, ["ndcg@3", "ap"])
    first = compare(together, n_resamples=200)
    same(first, compare({name: evaluate(data, s, ["ndcg@3", "ap"]) for name, s in scores.items()}, n_resamples=200))
    same(
        compare(together, "NDCG@3", n_resamples=200),
        compare({name: together.values("ndcg@3", name) for name in scores}, n_resamples=200),
    )
    long = pd.concat(
        [
            pd.DataFrame({"system": run, "measure": str(m), "qid": values.index, "value": values.to_numpy()})
            for run in together.runs
            for m in together.measures
            for values in [together.values(m, run)]
        ]
    )
    same(first, compare(long.sample(frac=1, random_state=0).sort_values(["system", "measure"], ascending=[True, False]),
                        n_resamples=200))  # fmt: skip


def test_forms_of_folds_and_seeds_agree(data):
    by_training = {
        (str(fold), seed): evaluate(part(data, fold), {
            name: np.random.default_rng([seed, fold, j]).random(part(data, fold).n_documents) + 0.2 * part(data, fold).y
            for j, name in enumerate("AB")
        }, "ndcg@3")
        for fold in range(3) for seed in range(2)
    }  # fmt: skip
    first = compare(by_training, n_resamples=200)
    by_system = {name: {key: each.values("ndcg@3", name) for key, each in by_training.items()} for name in ("A", "B")}
    same(first, compare(by_system, n_resamples=200))
    long = pd.concat(
        pd.DataFrame({"system": name, "fold": fold, "seed": seed, "qid": values.index, "value": values.to_numpy()})
        for name, trainings in by_system.items()
        for (fold, seed), values in trainings.items()
    )
    same(first, compare(long, "ndcg@3", n_resamples=200))
    assert first.systems[["folds", "seeds"]].to_numpy().tolist() == [[3, 2], [3, 2]]
    mean = {
        name: pd.concat([(trainings[f, 0] + trainings[f, 1]).dropna() / 2 for f in "012"])
        for name, trainings in by_system.items()
    }
    pd.testing.assert_series_equal(
        read_design(by_training, None).systems["ndcg@3"]["A"].by_query().dropna(), mean["A"], check_names=False
    )
    tested = compare(by_training, test="t", n_resamples=200).table.loc[0]
    assert tested["p"] == pytest.approx(stats.ttest_rel(mean["A"], mean["B"]).pvalue)
    assert tested["seeds_p"] != tested["p"]


def test_a_query_counts_where_all_seeds_have_a_value():
    a = {("1", 0): pd.Series([0.1, 0.2, np.nan, 0.6]), ("1", 1): pd.Series([0.3, 0.4, 0.5, 0.8])}
    b = pd.Series([0.0, 0.1, 0.2, np.nan, 0.5], index=[0, 1, 2, 3, 9])
    found = compare({"A": a, "B": b}, "ap", n_resamples=100)
    assert found.table.loc[0, ["queries", "mean_a", "mean_b"]].tolist() == pytest.approx([2, 0.25, 0.05])
    counts = found.systems.set_index("system")[["queries", "skipped", "missing", "folds", "seeds"]]
    assert counts.loc["A"].tolist() == [3, 1, 1, 1, 2]
    assert counts.loc["B"].tolist() == [4, 1, 0, 1, 1]


def test_a_system_without_folds_matches_one_with():
    a = {("1", 0): pd.Series([0.1, 0.2], index=["u", "v"]), ("2", 0): pd.Series([0.3, 0.4], index=["x", "y"])}
    b = pd.Series([0.0, 0.0, 0.0, 0.1], index=list("uvxy"))
    found = compare({"A": a, "B": b}, "ap", n_resamples=100)
    assert found.systems["folds"].tolist() == [2, 2]
    assert found.table.loc[0, "fold_sd"] == pytest.approx(np.std([0.15, 0.3], ddof=1))


def test_gauc_weighs_queries_by_their_documents():
    data = RankingData(np.zeros((9, 1)), [0, 1, 0, 1, 0, 1, 1, 0, 0], qid=[1, 1, 2, 2, 2, 2, 3, 3, 3])
    scores = {"A": np.array([0, 1, 0, 1, 2, 3, 3, 1, 2.0]), "B": np.array([1, 0, 0, 1, 2, 3, 3, 1, 4.0])}
    result = evaluate(data, scores, "gauc")
    found = compare(result, n_resamples=200)
    name = found.measures[0]
    values = {run: result.values(name, run).to_numpy() for run in scores}
    sizes = np.array([2, 4, 3])
    assert found.systems["mean"].tolist() == pytest.approx([values[run] @ sizes / 9 for run in scores])
    gaps = (values["A"] - values["B"]) * sizes
    assert found.table.loc[0, "difference"] == pytest.approx(gaps.sum() / 9)
    sums = [abs(s @ gaps) for s in np.array(np.meshgrid(*[[1, -1]] * 3)).reshape(3, -1).T]
    assert found.table.loc[0, "p"] == np.mean(np.array(sums) >= gaps.sum() - 1e-12)
    with pytest.raises(ParameterError, match="give an Evaluation"):
        compare({run: pd.Series(v, name=name) for run, v in values.items()})


S = pd.Series([0.1, 0.2, 0.3], index=["u", "v", "w"], name="ap")
LONG = pd.DataFrame({"system": ["A", "B"] * 2, "qid": ["u", "u", "v", "v"], "value": [0.1, 0.2, 0.3, 0.4]})


@pytest.mark.parametrize(
    ("given", "measures", "error", "told"),
    [
        ({"A": [S, S], "B": S}, None, ParameterError, r"systems\['A'\]: .* does not say whether its items are folds"),
        ([S, S], None, ParameterError, "does not say whether its items are folds"),
        ({}, None, ParameterError, "give an Evaluation of several runs"),
        ({"A": S}, None, DataError, "there is 'A' only"),
        ({"A": {0: S}, "B": S}, None, ParameterError, r"the key 0 names no training; write it as \(fold, seed\)"),
        ({"A": {}, "B": S}, None, DataError, "the mapping is empty"),
        ({"1": S, 1: S}, None, ParameterError, "two names print alike"),
        ({"A": S.rename(None), "B": S}, None, ParameterError, "does not say what it measures"),
        ({"A": S, "B": S.rename("rr")}, None, DataError, "B has no ap"),
        ({"A": S, "B": S}, ["rr", "ap"], ParameterError, "unknown measure of these systems 'rr'"),
        ({"A": S, "B": S}, [], ParameterError, "give at least one"),
        ({"A": S, "B": pd.concat([S, S])}, None, DataError, "ap of B, query 'u', seed 0, is given twice"),
        ({"A": S, "B": S * np.inf}, None, DataError, "ap of B, query 'u', seed 0, is infinite"),
        ({"A": S, "B": S * np.nan}, None, DataError, "B has no query with a value"),
        ({"A": S, "B": S.astype(object).replace(0.2, "x")}, None, DataError, "must be a number"),
        ({"A": S, "B": S.set_axis(["x", "y", "u"])}, None, DataError, "A and B have 1 queries .* in common"),
        ({"A": S, "B": S.set_axis([1, 2, 3])}, None, DataError, r"text in A \('u'\) and numbers in B \(1\)"),
        ({"A": {("1", 0): S, ("2", 0): S}, "B": S}, None, DataError, "query 'u' is in the folds 1 and 2"),
        ({"A": {("1", 0): S}, "B": {("2", 0): S}}, None, DataError, "query 'u' is in the folds 1 and 2"),
        ({("1", 0): S}, None, ParameterError, "give an Evaluation of named runs"),
        (LONG, None, ParameterError, "no column 'measure'"),
        (LONG.drop(columns="qid"), "ap", DataError, "no column 'qid'"),
        (LONG.assign(split=1), "ap", DataError, "the column 'split' is none of"),
        (LONG.assign(seed=[0, 0, np.nan, 1]), "ap", DataError, "'seed' has no value in row 2"),
        (LONG.iloc[:0], "ap", DataError, "is empty"),
    ],
)  # fmt: skip
def test_refusals(given, measures, error, told):
    with pytest.raises(error, match=told):
        compare(given, measures, n_resamples=100)


def test_two_conventions_are_refused(data):
    a = evaluate(data, runs(data)["A"], "ap")
    b = evaluate(data, runs(data)["B"], "ndcg@3")
    with pytest.raises(DataError, match="B has no ap"):
        compare({"A": a, "B": b})
    several = evaluate(data, runs(data), "ap")
    with pytest.raises(ParameterError, match="holds 2 runs"):
        compare({"A": a, "B": several})
    with pytest.raises(ParameterError, match="give an Evaluation of named runs"):
        compare(a)
