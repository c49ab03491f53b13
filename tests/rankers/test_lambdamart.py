"""LambdaMART is the ranker with its objective fixed."""

import inspect

import numpy as np
from sklearn.base import clone

import gbrank
from gbrank.objectives import LambdaRank


def test_it_is_the_ranker_with_that_objective():
    data = gbrank.make_letor(20, n_features=8, random_state=0)
    mart = gbrank.LambdaMART(truncation=5, sigmoid=2.0, n_estimators=8)
    ranker = gbrank.GBRanker(LambdaRank(truncation=5, sigmoid=2.0), n_estimators=8)
    np.testing.assert_array_equal(mart.fit(data).predict(data), ranker.fit(data).predict(data))
    assert "objective" not in mart.get_params()
    assert mart.set_params(truncation=7).fit(data).objective_.truncation == 7
    assert clone(mart).get_params() == mart.get_params()


def test_its_parameters_are_those_of_both_with_the_same_defaults():
    def defaults(function):
        return {p.name: p.default for p in inspect.signature(function).parameters.values() if p.name != "self"}

    both = defaults(LambdaRank) | defaults(gbrank.GBRanker.__init__)
    for other in ("objective", "pairs", "equal_pairs"):  # RankNet's, and what has no meaning with weights of a measure
        del both[other]
    assert defaults(gbrank.LambdaMART.__init__) == both
