"""Decisions by utility: against enumeration, and by the threshold that theory gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbrank import DataError, ParameterError, best_decision, expected_utility, realised_utility


@given(st.integers(0, 10**6))
def test_expectation_and_choice_by_enumeration(seed):
    rng = np.random.default_rng(seed)
    n, decisions, grades = rng.integers(1, 6, 3)
    p, value = rng.dirichlet(np.ones(grades), n), rng.uniform(0, 5, n)
    per_document = rng.normal(size=(n, decisions, grades))
    for utility in (per_document[0, 0], per_document[0], per_document):
        expected = expected_utility(p, utility, value=value)
        for i in range(n):
            own = utility[i] if utility.ndim == 3 else utility
            truth = [sum(p[i, g] * row[g] for g in range(grades)) * value[i] for row in np.atleast_2d(own)]
            np.testing.assert_allclose(np.atleast_1d(expected[i]), truth, atol=1e-12)
        if utility.ndim > 1:
            assert best_decision(p, utility, value=value).tolist() == expected.argmax(axis=1).tolist()


def test_the_threshold_of_two_decisions():
    # To show costs 1 where it is not relevant and brings 4 where it is: worth it from p = 1 / 5 on.
    p = np.linspace(0, 1, 101)
    shown = best_decision(np.column_stack([1 - p, p]), [[0, 0], [-1, 4]])
    assert p[shown == 1].min() == pytest.approx(0.21)  # of equal ones, the first


def test_no_rule_brings_more_than_the_best_decision():
    rng = np.random.default_rng(0)
    p, utility = rng.dirichlet([3, 1, 1], 40_000), np.array([[0, 0, 0], [-1, 1, 2], [-3, -1, 9]])
    y = (rng.random(40_000)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    ptr = np.arange(0, 40_001, 10)
    best = realised_utility(y, best_decision(p, utility), utility, ptr)
    assert len(best) == 4000
    assert best.sum() == pytest.approx(expected_utility(p, utility).max(axis=1).sum(), rel=0.03)
    for rule in ([0] * 40_000, [2] * 40_000, p.argmax(axis=1)):
        assert realised_utility(y, rule, utility, ptr).sum() < best.sum()


def test_realised_utility_by_hand():
    utility = [[[0, 0], [-1, 2]], [[0, 0], [-1, 5]], [[0, 7], [-1, 9]]]
    assert realised_utility([1, 1, 0], [1, 1, 1], utility, [0, 2, 3]).tolist() == [7, -1]
    assert realised_utility([1, 1, 0], [1, 0, 1], [[0, 0], [-1, 2]], [0, 1, 3], value=[3, 1, 2]).tolist() == [6, -2]


def test_mappings_and_grades_beyond():
    p = [[0.5, 0.5]]
    assert expected_utility(p, {0: 0.0, 1: 4.0, 2: 100.0}) == expected_utility(p, [0, 4]) == [2.0]


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (([[0.5, 0.4]], [0, 1]), DataError, r"row 0 sums to 0\.9"),
        (([[0.5, np.nan]], [0, 1]), DataError, "row 0 sums to nan"),
        (([0.5, 0.5], [0, 1]), DataError, r"p: has the shape \(2,\)"),
        (([[0.5, 0.5]], {0: 1.0}), ParameterError, "grade 1 has none"),
        (([[0.5, 0.5]], [1.0]), ParameterError, "1 grades, from 0, but there are 2"),
        (([[0.5, 0.5]], [[0, 1], [1]]), ParameterError, "one number for each grade"),
        (([[0.5, 0.5]], [0, np.inf]), ParameterError, "not finite"),
        (([[0.5, 0.5]], np.zeros((2, 3, 2))), ParameterError, r"\(2, 3, 2\) for 1 documents"),
    ],
)
def test_refusals(arguments, error, told):
    with pytest.raises(error, match=told):
        expected_utility(*arguments)


def test_refusals_of_decisions():
    with pytest.raises(ParameterError, match="no decisions"):
        best_decision([[0.5, 0.5]], [0, 1])
    with pytest.raises(DataError, match="decision: row 1 is 2; there are 2"):
        realised_utility([0, 1], [0, 2], [[0, 0], [1, 1]], [0, 2])
    with pytest.raises(ParameterError, match="2 grades, from 0, but there are 4"):
        realised_utility([0, 3], [0, 1], [[0, 0], [1, 1]], [0, 2])
    with pytest.raises(DataError, match="value"):
        expected_utility([[0.5, 0.5]], [0, 1], value=[1, 2])
