"""DART: gradients of the trees that are not dropped, scores of the whole model."""

import numpy as np
import pytest

import gbrank
from gbrank import GBRanker, ParameterError
from gbrank.backends import TreeParams
from gbrank.backends import backend as find_backend

BACKENDS = {
    "lightgbm": {"drop_rate": 0.5, "skip_drop": 0.0},
    "xgboost": {"rate_drop": 0.5},
}
DATA = gbrank.make_letor(30, max_documents=12, n_features=5, random_state=3)


def trained(backend, n_rounds, gradients_of, data=DATA):
    """Step a trainer of DART through some rounds of least squares; return it, and what it had to improve each time."""
    library = find_backend(backend)
    params = TreeParams(boosting="dart", max_leaves=6, min_docs_in_leaf=0, backend_params=BACKENDS[backend])
    binned = library.bin(data, params)
    trainer = library.trainer(binned, [], params, n_outputs=1)
    seen = []
    for number in range(n_rounds):
        score = trainer.scores_to_improve()
        seen.append((score, trainer.scores()))
        trainer.round(*gradients_of(score, number))
    return trainer, seen


def least_squares(score, number):
    return score - DATA.y, np.ones_like(score)


@pytest.mark.parametrize("backend", BACKENDS)
def test_scores_of_the_training_data_are_the_models_predictions(backend):
    trainer, seen = trained(backend, 8, least_squares)
    scores = trainer.scores()
    np.testing.assert_allclose(scores, trainer.finish().raw(DATA.X), atol=1e-5)
    # What is improved is the model without some of its trees.
    assert not all(np.allclose(*both) for both in seen[1:])


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_are_those_of_the_trees_that_were_not_dropped(backend):
    """A tree takes a learning rate's part of the way to the labels from where it was told that scores stand."""
    library = find_backend(backend)
    every = {"drop_rate": 1.0, "skip_drop": 0.0, "max_drop": -1} if backend == "lightgbm" else {"rate_drop": 1.0}
    params = TreeParams(boosting="dart", max_leaves=6, min_docs_in_leaf=0, backend_params=every)
    trainer = library.trainer(library.bin(DATA, params), [], params, n_outputs=1)
    for number in range(4):
        np.testing.assert_allclose(trainer.scores_to_improve(), 0.0, atol=1e-6)
        assert number == 0 or np.ptp(trainer.scores()) > 0
        trainer.round(*least_squares(trainer.scores_to_improve(), number))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_tree_that_does_not_grow_leaves_the_model_as_it_was(backend):
    """LightGBM turns the dropped trees' signs before it knows."""

    def nothing_later(score, number):
        gradient, hessian = least_squares(score, number)
        return (gradient if number < 6 else np.zeros_like(gradient)), hessian

    whole, _ = trained(backend, 6, least_squares)
    cut, _ = trained(backend, 7, nothing_later)
    expected = cut.scores()
    np.testing.assert_allclose(cut.finish().raw(DATA.X), expected, atol=1e-5)
    if backend == "lightgbm":
        np.testing.assert_allclose(expected, whole.finish().raw(DATA.X))


@pytest.mark.parametrize("engine", ["compiled", "native"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ranker_follows_the_measure_of_what_it_predicts(backend, engine, tmp_path):
    held = gbrank.make_letor(20, max_documents=12, n_features=5, random_state=4)
    ranker = GBRanker(
        backend=backend, engine=engine, boosting="dart", n_estimators=9, max_leaves=6, learning_rate=0.3, n_jobs=1,
        backend_params=BACKENDS[backend],
    )  # fmt: skip
    ranker.fit(DATA, eval_set={"train": DATA, "held": held})
    assert ranker.history_["train"][-1] == pytest.approx(ranker.score(DATA), abs=1e-6)
    assert ranker.history_["held"][-1] == pytest.approx(ranker.score(held), abs=1e-6)
    ranker.save(tmp_path / "m")
    np.testing.assert_array_equal(gbrank.load(tmp_path / "m").predict(held), ranker.predict(held))
    plain = GBRanker(backend=backend, engine=engine, n_estimators=9, max_leaves=6, learning_rate=0.3, n_jobs=1)
    assert not np.allclose(plain.fit(DATA).predict(held), ranker.predict(held))


@pytest.mark.parametrize("backend", BACKENDS)
def test_dart_by_name_is_dart_of_the_library(backend):
    own = {"lightgbm": {"boosting": "dart"}, "xgboost": {"booster": "dart"}}[backend]
    rankers = [
        GBRanker(backend=backend, n_estimators=8, n_jobs=1, boosting="dart", backend_params=BACKENDS[backend]),
        GBRanker(backend=backend, n_estimators=8, n_jobs=1, backend_params=BACKENDS[backend] | own),
    ]
    np.testing.assert_array_equal(*(ranker.fit(DATA).predict(DATA) for ranker in rankers))
    with pytest.raises(ParameterError, match="remove it, or boosting='dart'"):
        rankers[1].set_params(boosting="dart").fit(DATA)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"early_stopping_rounds": 3, "validation_fraction": 0.2}, "DART changes earlier trees"),
        ({"objective": "mae"}, "leave DART out"),
        ({"boosting": "rf"}, "boosting='rf': choose one of 'gbdt', 'dart'"),
    ],
    ids=["stopping", "renewal", "unknown"],
)
def test_what_is_refused(backend, params, words):
    with pytest.raises(ParameterError, match=words):
        GBRanker(**{"backend": backend, "boosting": "dart", **params}).fit(DATA)


def test_catboost_has_none():
    pytest.importorskip("catboost")
    with pytest.raises(ParameterError, match="CatBoost has no DART"):
        GBRanker("mse", backend="catboost", engine="native", boosting="dart").fit(DATA)
