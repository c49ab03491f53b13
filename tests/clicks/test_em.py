"""The EM loop."""

import numpy as np
import pytest

from gbrank import GbrankWarning, ParameterError
from gbrank.clicks._em import check_fit, climb, log_prior, shares


def test_leaps_reach_the_top_sooner_and_never_go_down():
    # An EM that closes a hundredth of the distance to the top, which lies elsewhere for each parameter.
    top = np.array([0.2, 0.9])

    def step(state):
        (x,) = state
        return -float(((x - top) ** 2).sum()), (x + (top - x) / 100,)

    (found,), history = climb(step, (np.array([0.5, 0.5]),), n_sessions=1, tolerance=1e-14, max_iterations=1000)
    np.testing.assert_allclose(found, top, atol=1e-5)
    assert len(history) < 50
    assert np.diff(history).min() >= 0


def test_a_leap_that_goes_down_is_taken_back():
    def step(state):  # towards .5, by less and less, and then all at once: what lies ahead cannot be seen
        (x,) = state
        after = np.where(x < 0.4, x + (0.41 - x) * 0.3, 0.5)
        return -float(np.abs(x - 0.5).sum()), (after,)

    (found,), history = climb(step, (np.array([0.01]),), n_sessions=1, tolerance=1e-9, max_iterations=200)
    assert found[0] == 0.5
    assert np.diff(history).min() >= 0


def test_says_when_it_has_not_converged():
    with pytest.warns(GbrankWarning, match="max_iterations=4"):
        climb(
            lambda state: (state[0].sum(), (state[0] + 1,)), (np.zeros(1),), n_sessions=1, tolerance=0, max_iterations=4
        )


def test_shares_and_their_prior():
    sums = np.array([[1.0, 4.0], [0.0, 0.0]])
    assert shares(sums, (0, 0), np.array([0.3, 0.7])).tolist() == [0.25, 0.7]
    assert shares(sums, (1, 3), np.array([0.3, 0.7])).tolist() == [0.25, 0.25]
    assert log_prior((1, 3), [np.array([0.25])]) == pytest.approx(np.log(0.25) + 3 * np.log(0.75))
    assert log_prior((0, 0), [np.array([0.0, 1.0])]) == 0


@pytest.mark.parametrize("prior", [1, (1,), (1, 2, 3), (-1, 1), (1, float("nan")), ("a", "b"), None])
def test_refuses_other_priors(prior):
    with pytest.raises(ParameterError, match="prior="):
        check_fit(None, prior, 0.1, 5)
