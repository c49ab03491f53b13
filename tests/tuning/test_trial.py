import threading

import numpy as np
import optuna
import pytest

from gbrank import DataError, GBRanker, GbrankWarning, ParameterError, measure
from gbrank.tuning._folds import BinnedFolds, make_folds
from gbrank.tuning._space import read_space
from gbrank.tuning._trial import Lockstep, Pruning, TrialFunction, train_folds


def best_common_round(curves, patience, sign=1):
    """The definition: follow the mean of the curves until it has not improved for `patience` rounds."""
    means = np.mean(curves, axis=0) * sign
    best = 0
    for number, value in enumerate(means):
        if value > means[best]:
            best = number
        if number - best >= patience:
            break
    return best + 1, means[best] * sign


def full_curve(ranker, train, valid):
    """Train to the last round on data that nothing has binned before; a curve that ends early stays at its end."""
    curve = ranker.fit(train, eval_set=valid).history_["valid"]
    return curve + curve[-1:] * (ranker.n_estimators - len(curve))


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_a_trial_is_the_best_common_round_of_independent_trainings(train, backend):
    start = GBRanker(backend=backend, n_estimators=25, n_jobs=1, max_leaves=7)
    folds = make_folds(train, None, 3, 0)
    function = TrialFunction(start, read_space({"learning_rate": (0.1, 0.6)}, start), BinnedFolds(folds), 6, True)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(function, n_trials=3)
    for trial in study.trials:
        ranker = GBRanker(**start.get_params(deep=False)).set_params(**trial.params)
        curves = [full_curve(ranker, *fold) for fold in folds]
        rounds, value = best_common_round(curves, 6)
        assert trial.user_attrs["rounds"] == rounds
        assert trial.value == pytest.approx(value, abs=1e-12)
        assert trial.user_attrs["folds"] == pytest.approx([curve[rounds - 1] for curve in curves], abs=1e-12)


def walk(curves, *, n_rounds, patience, sign=1.0, watch=lambda rounds, best: False):
    """Lead threads over given curves; return the lockstep and how many rounds each fold has seen."""
    lockstep = Lockstep(len(curves), n_rounds, patience, sign, watch)
    seen = [0] * len(curves)

    def run(fold):
        for value in curves[fold]:
            seen[fold] += 1
            if lockstep.after_round(fold, value):
                return

    threads = [threading.Thread(target=run, args=(fold,)) for fold in range(len(curves))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return lockstep, seen


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("patience", [1, 3, 40])
def test_lockstep_follows_the_mean(patience, sign):
    curves = np.random.default_rng(patience).normal(size=(4, 30)).cumsum(axis=1)
    lockstep, seen = walk(curves.tolist(), n_rounds=30, patience=patience, sign=sign)
    rounds, value = best_common_round(curves, patience, sign)
    assert (lockstep.best_round, lockstep.best_value) == (rounds, pytest.approx(value))
    assert lockstep.best_folds == pytest.approx(curves[:, rounds - 1])
    assert seen == [min(30, rounds + patience)] * 4
    assert lockstep.over
    assert not lockstep.pruned


def test_lockstep_ends_when_the_trial_is_given_up():
    lockstep, seen = walk([[1.0] * 9] * 2, n_rounds=9, patience=9, watch=lambda rounds, best: rounds == 4)
    assert (lockstep.pruned, lockstep.over, seen) == (True, True, [4, 4])


def test_a_fold_that_cannot_grow_trees_keeps_its_value_while_others_go_on(train):
    small = train.take([0, 1]), train.take([2, 3])  # 24 documents: no leaf of 20 beside another
    large = train.take(range(30)), train.take(range(30, 60))
    ranker = GBRanker(n_estimators=5, min_docs_in_leaf=20, n_jobs=1)
    lockstep = Lockstep(2, 5, 5, 1.0, lambda rounds, best: False)
    with pytest.warns(GbrankWarning, match="no tree could be grown"):
        train_folds(ranker, BinnedFolds([small, large]).get(ranker), lockstep)
    held = small[1]
    constant = np.nanmean(measure("ndcg@10")(held.y, np.zeros(held.n_documents), held.query_ptr))
    rounds, value = best_common_round([[constant] * 5, full_curve(ranker, *large)], 5)
    assert (lockstep.rounds, lockstep.best_round) == (5, rounds)
    assert lockstep.best_value == pytest.approx(value)


def test_the_error_of_one_fold_ends_all_and_is_the_one_raised(train):
    good = train.take(range(30)), train.take(range(30, 60))
    bad = good[0].with_labels(good[0].y * 0), good[1]  # nothing to learn
    function = TrialFunction(
        GBRanker(n_estimators=500, n_jobs=1),
        read_space({"max_leaves": (2, 9)}, GBRanker()),
        BinnedFolds([good, good, bad]),
        500,
        True,
    )
    study = optuna.create_study(direction="maximize")
    before = threading.active_count()
    with pytest.raises(DataError, match=r"trial 0 with \{'max_leaves': \d\}: nothing to learn"):
        study.optimize(function, n_trials=1)
    assert threading.active_count() <= before + 2  # the kernels' own threads stay
    assert study.trials[0].state is optuna.trial.TrialState.FAIL


def test_parameters_that_do_not_go_together_are_an_error_that_names_them(parts):
    start = GBRanker(backend="xgboost", n_estimators=5)
    function = TrialFunction(start, read_space({"min_docs_in_leaf": (30, 40)}, start), BinnedFolds([parts]), 5, True)
    with pytest.raises(ParameterError, match=r"trial 0 with \{'min_docs_in_leaf': \d+\}: .*min_child_weight"):
        optuna.create_study().optimize(function, n_trials=1)


def test_ctrl_c_ends_the_folds(train):
    def stop(rounds, best):
        raise KeyboardInterrupt

    ranker = GBRanker(n_estimators=500, n_jobs=1)
    folds = BinnedFolds(make_folds(train, None, 3, 0)).get(ranker)
    with pytest.raises(KeyboardInterrupt):
        train_folds(ranker, folds, Lockstep(3, 500, 500, 1.0, stop))


@pytest.mark.parametrize("learning_rate", [0.02, 0.1, 0.25, 1.0])
def test_a_step_of_pruning_is_a_sum_of_learning_rates_of_one(learning_rate):
    trial = optuna.create_study(direction="maximize").ask()
    pruning = Pruning(trial, learning_rate)
    for rounds in range(1, round(3 / learning_rate) + 1):
        pruning(rounds, float(rounds))
    reported = trial.study.trials[0].intermediate_values
    assert reported == {step: float(round(step / learning_rate)) for step in (1, 2, 3)}
