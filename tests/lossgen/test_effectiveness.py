"""Losses that were found beside those made by hand, and constants tuned."""

import numpy as np
import pandas as pd
import pytest

import gbrank
from gbrank import DataError, GBRanker, ParameterError
from gbrank.lossgen import compare_losses, tune_constants
from gbrank.lossgen._forms import as_objectives, scaled
from gbrank.splits import QueryKFold, three_parts

TREES = GBRanker(n_estimators=6, max_leaves=4, min_docs_in_leaf=5, subsample=0.7, n_jobs=1)
RANKNET = gbrank.objective("pairwise_logistic")


@pytest.fixture(scope="module")
def data():
    return gbrank.make_letor(45, n_features=5, max_documents=12, random_state=0)


@pytest.fixture(scope="module")
def found(data):
    folds = list(three_parts(data, QueryKFold(3)))[:2]
    losses = {"copy": "softplus(-d)", "mute": "max(0, 1 - 1e-3 * d)"}
    return compare_losses(
        losses, folds, transfer={"other": folds[:1]}, against=["lambdarank", "pairwise_logistic"], ranker=TREES,
        seeds=(0, 1), learning_rates=(0.05, 0.2), scales=(0.5, 1.0), n_resamples=200, n_jobs=1,
    )  # fmt: skip


def test_a_copy_of_a_loss_is_no_better(found):
    copy = found.table[(found.table["loss"] == "copy") & (found.table["other"] == "pairwise_logistic")]
    assert len(copy) == 4  # two data sets, two forms
    plain = copy[copy["form"] == "plain"]
    assert (plain["difference"].abs() < 1e-12).all()
    assert (plain["p"] == 1).all()


def test_values_are_those_of_trainings_by_hand(found, data):
    folds = list(three_parts(data, QueryKFold(3)))[:2]
    values = []
    for fold in folds:
        for seed in (0, 1):
            ranker = GBRanker(
                **TREES.get_params(deep=False) | {"objective": "lambdarank", "random_state": seed},
            ).set_params(backend_params={"min_sum_hessian_in_leaf": 0.0})  # fmt: skip
            fitted = ranker.fit(fold.train, eval_set=fold.vali)
            values.append(gbrank.evaluate(fold.test, fitted.predict(fold.test), "ndcg@10").table["ndcg@10"])
    by_query = [np.mean([values[0], values[1]], axis=0), np.mean([values[2], values[3]], axis=0)]
    expected = np.nanmean(np.concatenate(by_query))
    row = found.means[(found.means["data"] == "data") & (found.means["form"] == "plain")]
    assert row["lambdarank"].item() == pytest.approx(expected)


def test_tables_agree_and_render(found):
    pair = found.comparisons["data", "tuned", "mute"].table
    row = found.table.query("data == 'data' and form == 'tuned' and loss == 'mute' and other == 'lambdarank'")
    assert row["difference"].item() == -pair.loc[pair["a"] == "lambdarank", "difference"].item()
    assert row["low"].item() <= row["difference"].item() <= row["high"].item()
    assert set(found.choices["learning_rate"]) <= {0.05, 0.2}
    assert len(found.choices) == 3 * 4  # folds of both data sets, losses
    assert "softplus(-d)" in found.to_html()
    notes = found.notes()
    assert len(notes) == len(set(notes))
    assert any(note.startswith("other: ") and "1 fold" in note for note in notes)  # where data sets differ
    assert not any("Superiority" in note for note in notes)  # no such column here
    assert any("Among the 2 losses tested nothing is corrected" in note for note in notes)
    assert found.to_dict()["losses"]["copy"] == "softplus(-d)"


def test_scaled_forms_are_the_same_loss_in_another_unit():
    made = as_objectives(["softplus(-d)", "pairwise_logistic", "pairwise_hinge", "pairwise_exponential"], None)
    assert list(made) == ["found", "pairwise_logistic", "pairwise_hinge", "pairwise_exponential"]
    y, s, ptr = np.array([2.0, 0, 1]), np.array([0.3, -0.2, 0.9]), np.array([0, 3])
    ours = scaled(made["found"], 2.0).gradient_hessian(y, s, ptr)
    theirs = scaled(made["pairwise_logistic"], 2.0).gradient_hessian(y, s, ptr)
    assert ours[0] == pytest.approx(theirs[0], abs=1e-6)
    assert ours[1] == pytest.approx(theirs[1], abs=1e-6)
    assert scaled(made["pairwise_hinge"], 2.0).margin == 2.0
    assert scaled(made["pairwise_exponential"], 2.0) is None


@pytest.mark.parametrize(
    ("losses", "others", "error", "told"),
    [
        ("softplus(-d)", {"seeds": ()}, ParameterError, "one or more"),
        ("softplus(-d)", {"ranker": GBRanker(n_estimators=2)}, ParameterError, "nothing is drawn at random"),
        ({"lambdarank": "softplus(-d)"}, {}, ParameterError, "also the name"),
        ("softplus(-d", {}, ParameterError, "never closed"),
        ("lambdrank", {}, ParameterError, "Did you mean 'lambdarank'"),
        ([], {}, ParameterError, "at least one"),
        ("softplus(-d)", {"transfer": {"data": None}}, ParameterError, "another name"),
        ("softplus(-d)", {"scales": (0.0,)}, ParameterError, "scales"),
        ("softplus(-d)", {"objective_params": {"formula": "-d"}}, ParameterError, "leave 'formula' out"),
        ("softplus(-d)", {"candidates": pd.DataFrame({"folds": [(0.1,)], "same_as": [None]})}, DataError, "two folds"),
        ("softplus(-d)", {"data": [1]}, DataError, "LetorFold"),
    ],
)
def test_refuses(data, losses, others, error, told):
    with pytest.raises(error, match=told):
        compare_losses(losses, others.pop("data", data), **{"ranker": TREES, **others})


def test_constants_are_tuned_and_never_worse(data):
    tuned = tune_constants("softplus(-0.001 * d)", data, ranker=TREES, cv=2, n_trials=6, n_jobs=1)
    rewards = tuned.table["reward"]
    assert len(rewards) == 6
    assert tuned.reward == rewards.max() >= tuned.start_reward == rewards[0]
    assert tuned.loss == tuned.table["loss"][rewards.idxmax()]
    again = tune_constants("softplus(-0.001 * d)", data, ranker=TREES, cv=2, n_trials=6, n_jobs=1)
    assert again.table["reward"].tolist() == rewards.tolist()


def test_constants_refuse(data):
    with pytest.raises(ParameterError, match="no constant to tune"):
        tune_constants("softplus(-d)", data, slope=False, n_jobs=1)
    with pytest.raises(ParameterError, match="nowhere falls with d"):
        tune_constants("softplus(2 * d)", data, ranker=TREES, cv=2, n_trials=1, n_jobs=1)
    with pytest.raises(ParameterError, match=r"rejected as it is \(reversed: pushes the worse document up\)"):
        tune_constants("(d - 1)**2 - 3 * d * min(d, 0)", data, ranker=TREES, cv=2, n_trials=1, n_jobs=1)
