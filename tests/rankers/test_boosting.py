"""The rounds: gradients that a booster would take in silence are refused."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import gbrank
from gbrank.objectives import Bound, Objective
from gbrank.rankers._boosting import on_a_grid

DATA = gbrank.RankingData(np.arange(60.0)[:, None], np.arange(60) % 3, np.arange(60) // 6)


@dataclass(frozen=True)
class Scripted(Objective):
    """Returns what a test asks for."""

    name: ClassVar[str] = "scripted"
    kind: str = "fine"

    def bind(self, data, *, engine="compiled", n_jobs=None):
        return ScriptedBound(self.kind, data)


class ScriptedBound(Bound):
    def __init__(self, kind, data):
        self.kind, self.data = kind, data

    def loss(self, score):
        raise NotImplementedError

    def gradient_hessian(self, score, round):
        g, h = self.data.y - self.data.y.mean(), np.ones(60)
        if self.kind == "nan":
            g[13] = np.nan
        elif self.kind == "infinite hessian":
            h[20] = np.inf
        elif self.kind == "short":
            g = g[:-1]
        elif self.kind == "zero" or (self.kind == "zero later" and round == 2):
            g = 0 * g
        elif self.kind == "negative hessian":
            h = -h
        return g, h


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", r"the gradient of .* is nan in round 1, row 13 \(query 2\)"),
        ("infinite hessian", r"the hessian of .* is inf in round 1, row 20 \(query 3\)"),
        ("short", "shape"),
        ("zero", "no gradient at all"),
    ],
)
def test_bad_gradients_are_refused_with_their_place(backend, kind, message):
    with pytest.raises(gbrank.DataError, match=message):
        gbrank.GBRanker(Scripted(kind), backend=backend, n_estimators=3).fit(DATA)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_training_ends_with_a_warning_when_the_gradient_vanishes(backend):
    with pytest.warns(gbrank.GbrankWarning, match="ended after 2 of 9 rounds"):
        ranker = gbrank.GBRanker(Scripted("zero later"), backend=backend, n_estimators=9).fit(DATA)
    assert ranker.best_iteration_ == 2


def test_sums_of_gradients_do_not_depend_on_their_order():
    rng = np.random.default_rng(0)
    values = rng.normal(size=100_000) * np.exp(rng.normal(size=100_000) * 15)
    rounded = on_a_grid(values).astype(np.float32).astype(np.float64)
    sums = {float(np.cumsum(rng.permutation(rounded))[-1]) for _ in range(20)}
    assert len(sums) == 1
    assert np.abs(on_a_grid(values) - values).max() <= np.abs(values).max() * 2.0**-30
    assert on_a_grid(np.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("engine", ["compiled", "numpy"])
def test_the_model_does_not_depend_on_the_number_of_threads(backend, engine):
    data = gbrank.make_letor(40, n_features=20, random_state=1)
    params = {"backend": backend, "engine": engine, "n_estimators": 15, "subsample": 0.7, "random_state": 3}
    one, three = (gbrank.GBRanker(**params, n_jobs=n).fit(data).model_.to_bytes() for n in (1, 3))
    if backend == "lightgbm":  # which writes down the number of threads
        one, three = (text.split(b"parameters:")[0] for text in (one, three))
    assert one == three


def test_negative_hessians_are_floored_not_passed_on():
    with pytest.warns(gbrank.GbrankWarning, match="no tree could be grown"):
        gbrank.GBRanker(Scripted("negative hessian"), n_estimators=3).fit(DATA)
