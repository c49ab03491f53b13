import numpy as np
import pytest

from gbrank import DataError, ParameterError
from gbrank.fusion import Constraints, learn_weights


def test_weights_of_the_reward_are_found(predict, even):
    scores = predict(n_tasks=3, n_queries=80)
    reward = scores.X @ [0.7, 0.25, 0.05]
    found = learn_weights(even(3), scores, reward, n_trials=60, n_jobs=1)
    best = learn_weights(
        even(3).with_weights({"t0": 0.7, "t1": 0.25, "t2": 0.05}), scores, reward, n_trials=1, n_jobs=1
    ).value
    assert found.start_value < found.value <= best
    assert best - found.value < 0.2 * (best - found.start_value)
    again = learn_weights(even(3), scores.with_labels(reward), n_trials=60, n_jobs=1)
    assert again.model == found.model


def test_a_function_is_a_reward(predict, even):
    scores = predict(n_tasks=3, n_queries=20)
    limits = Constraints(fixed={"t1": 0.4})
    told = []
    found = learn_weights(
        even(3), scores, lambda score: float(np.corrcoef(score, scores.X[:, 0])[0, 1]), constraints=limits,
        n_trials=12, progress=lambda *args: told.append(args[:2]), n_jobs=1,
    )  # fmt: skip
    assert found.model.weights["t1"] == 0.4
    assert found.model.weights["t0"] > found.model.weights["t2"]
    assert told[-1] == (12, 12)
    assert len(found.table) == 12


def test_wrong_rewards(predict, even):
    scores = predict(n_tasks=3, n_queries=3)
    with pytest.raises(DataError, match="is 0 for every document"):
        learn_weights(even(3), scores)
    with pytest.raises(DataError, match="one finite number"):
        learn_weights(even(3), scores, lambda score: np.nan, n_trials=2)
    with pytest.raises(ParameterError, match="ndcg_floor"):
        learn_weights(even(3), scores, scores.X[:, 0], constraints=Constraints(ndcg_floor={"t0": 0.5}))
