"""The effect of choosing the best of many."""

import numpy as np
import pandas as pd
import pytest

from gbrank import DataError
from gbrank.lossgen import selection_effect


def test_p_is_uniform_where_nothing_gains():
    rng = np.random.default_rng(0)
    p = [selection_effect(rng.normal(size=(30, 25)), n_draws=400).p for _ in range(150)]
    assert np.mean(p) == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.asarray(p) < 0.1) == pytest.approx(0.1, abs=0.09)


def test_losses_that_move_together_count_as_one():
    noise = np.random.default_rng(1).normal(size=(1, 20))
    one, copies = selection_effect(noise), selection_effect(np.repeat(noise, 500, axis=0))
    assert copies.expected == pytest.approx(one.expected)
    apart = selection_effect(np.random.default_rng(1).normal(size=(500, 20)))
    assert apart.expected > 5 * abs(copies.expected)
    # The mean of the highest of 500 independent normal means of 20 is near 3.04 / sqrt(20).
    assert apart.expected == pytest.approx(3.04 / np.sqrt(20), rel=0.15)


def test_a_gain_beyond_chance_is_seen():
    gains = np.random.default_rng(2).normal(scale=0.01, size=(50, 10))
    gains[7] += 0.05
    found = selection_effect(gains)
    assert found.p == 1 / 10_001  # no draw: never 0
    assert found.best > found.high > found.expected


def test_of_candidates_duplicates_and_untrained_do_not_count():
    table = pd.DataFrame({"folds": [(0.1, 0.2), (), (0.1, 0.2), (0.0, 0.1)], "same_as": [np.nan, np.nan, 0.0, np.nan]})
    assert selection_effect(table).n_losses == 2
    assert "best of 2 losses gained +0.1500" in str(selection_effect(table))


@pytest.mark.parametrize("gains", [[], [[0.1]], [[0.1, np.nan]], [0.1, 0.2]])
def test_refuses(gains):
    with pytest.raises(DataError, match="gains"):
        selection_effect(gains)
