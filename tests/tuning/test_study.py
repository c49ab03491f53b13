import json
import logging
import math
import runpy
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

import gbrank
from gbrank import DataError, GBRanker, LambdaMART, ParameterError, QueryKFold, measure, tune
from gbrank.backends._lightgbm import LightGBMBackend
from gbrank.backends._xgboost import XGBoostBackend
from gbrank.tuning import _trial

SPACE = {"max_leaves": (2, 15), "learning_rate": {"low": 0.05, "high": 0.5, "log": True}}
BACKENDS = {"lightgbm": LightGBMBackend, "xgboost": XGBoostBackend}


def ranker(**params):
    return LambdaMART(**{"n_estimators": 15, "early_stopping_rounds": 5, "n_jobs": 1, **params})


def search(train, *, start=None, **options):
    return tune(start or ranker(), train, **{"cv": 3, "space": SPACE, "n_trials": 4, **options})


def drawn(result):
    return result.table[["value", "rounds", "max_leaves", "learning_rate"]].to_numpy().tolist()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_study_on_folds(train, backend):
    start = ranker(backend=backend)
    found = tune(start, train, cv=3, n_trials=6, random_state=1)  # the default space
    table = found.table
    assert found.n_trials == len(table) == 6
    assert table["state"].isin(["complete", "pruned"]).all()
    complete = table[table["state"] == "complete"]
    assert found.best_value == complete["value"].max() >= found.start_value == table["value"][0]
    assert found.best_value == pytest.approx(np.mean(found.fold_values))
    assert found.ranker.n_estimators == found.ranker.best_iteration_ == found.best_rounds
    assert found.ranker.predict(train).shape == (720,)
    assert not hasattr(start, "model_")
    assert start.get_params() == ranker(backend=backend).get_params()


@pytest.mark.parametrize("backend", BACKENDS)
def test_with_a_validation_set_the_refitted_ranker_is_the_best_trial(parts, backend):
    found = tune(ranker(backend=backend), parts[0], valid=parts[1], space=SPACE, n_trials=4)
    assert found.fold_values == (found.best_value,)
    assert found.ranker.score(parts[1]) == pytest.approx(found.best_value, abs=1e-12)
    assert found.ranker.best_score_ == pytest.approx(found.best_value, abs=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_data_are_binned_once_per_fold_and_bin_settings(train, backend, monkeypatch):
    binned = []
    original = BACKENDS[backend].bin

    def counting(self, data, params, reference=None):
        binned.append(params.max_bins)
        return original(self, data, params, reference)

    monkeypatch.setattr(BACKENDS[backend], "bin", counting)
    start = ranker(backend=backend, n_estimators=3)
    search(train, start=start, n_trials=5, refit=False)
    assert binned == [255] * 6  # three folds of two parts
    binned.clear()
    space = SPACE | {"max_bins": [31, 255]}
    found = search(train, start=start, space=space, n_trials=8, refit=False)
    assert sorted(binned) == sorted(int(bins) for bins in found.table["max_bins"].unique() for _ in range(6))


def test_the_start_is_the_first_trial_as_it_is(train):
    start = ranker(reg_lambda=0.0, learning_rate=0.2, max_leaves=40)  # the space admits the learning rate only
    found = search(train, start=start, space=SPACE | {"reg_lambda": {"low": 0.1, "high": 9.0, "log": True}})
    first = found.study.trials[0]
    assert first.params == {"learning_rate": 0.2}
    assert first.user_attrs["params"] == {"max_leaves": 40, "learning_rate": 0.2, "reg_lambda": 0.0}
    by_hand = search(train, start=start, space={"subsample": [1.0]}, n_trials=1)
    assert by_hand.best_value == found.start_value


def test_a_start_that_is_best_is_the_result(train):
    start = ranker(reg_lambda=0.5, max_leaves=6, backend_params={"path_smooth": 0.25})
    found = search(train, start=start, space={"reg_lambda": (1e6, 1e7), "learning_rate": (1e-6, 1e-5)}, n_trials=3)
    assert found.best_params == {"reg_lambda": 0.5, "learning_rate": 0.1}
    assert found.best_value == found.start_value
    assert (found.ranker.reg_lambda, found.ranker.max_leaves) == (0.5, 6)
    assert found.ranker.backend_params == {"path_smooth": 0.25}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_seed_gives_the_same_trials(train, backend):
    start = ranker(backend=backend, subsample=0.8, n_estimators=8)
    first, second, other = (
        search(train, start=start, n_trials=12, cv=2, random_state=seed, refit=False) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(drawn(first), drawn(second))
    assert drawn(first)[1:] != drawn(other)[1:]


def test_a_random_state_that_moves_on_is_fixed_at_the_start(train):
    def run():
        return search(train, start=ranker(subsample=0.5, random_state=np.random.RandomState(0)), cv=2)

    first, second = run(), run()
    np.testing.assert_array_equal(drawn(first), drawn(second))
    np.testing.assert_array_equal(first.ranker.predict(train), second.ranker.predict(train))


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_trials_at_once_give_the_values_of_one(train, backend):
    found = search(train, start=ranker(backend=backend, n_jobs=2), n_trials=12, n_jobs=3, cv=2)
    assert sorted(found.table["number"]) == list(range(12))
    for row in found.table[found.table["state"] == "complete"].to_dict("records")[:4]:
        start = ranker(backend=backend, max_leaves=int(row["max_leaves"]), learning_rate=row["learning_rate"])
        assert search(train, start=start, n_trials=1, cv=2, refit=False).best_value == pytest.approx(row["value"])


def test_pruning_gives_up_trials_that_learn_worse(train):
    space = {"min_docs_in_leaf": [1, 230]}
    start = ranker(n_estimators=60, early_stopping_rounds=60, max_leaves=4, min_docs_in_leaf=5)
    found = search(train, start=start, space=space, n_trials=14, cv=2, sampler=optuna.samplers.RandomSampler(seed=0))
    table = found.table
    pruned = table[table["state"] == "pruned"]
    assert len(pruned) > 0
    assert (pruned["min_docs_in_leaf"] == 230).all()
    assert found.n_trials == 14
    assert search(train, start=start, space=space, n_trials=8, cv=2, pruner=None).table["state"].eq("complete").all()


def test_a_pruner_of_optuna_is_taken(train):
    class Always(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return True

    start = ranker(n_estimators=30, early_stopping_rounds=30)
    states = search(train, start=start, pruner=Always()).table["state"].tolist()
    assert states == ["complete", "pruned", "pruned", "pruned"]  # the start is never pruned


def test_the_measure_asked_for_is_the_one_used(parts):
    wanted = measure("ndcg@3", gain="linear", ties="worst")
    found = tune(ranker(), parts[0], valid=parts[1], measure=wanted, space=SPACE, n_trials=3)
    assert found.measure == str(wanted)
    assert found.ranker.measure_ == wanted
    values = wanted(parts[1].y, found.ranker.predict(parts[1]), parts[1].query_ptr)
    assert found.best_value == pytest.approx(np.nanmean(values), abs=1e-12)


def test_without_early_stopping_the_ranker_gets_a_limit_and_patience(parts):
    start = GBRanker(n_estimators=3, learning_rate=0.3, n_jobs=1)
    found = tune(start, parts[0], valid=parts[1], space={"max_leaves": [4]}, n_trials=1)
    assert 3 < found.best_rounds < 1000


def test_callbacks_of_the_ranker_see_the_refit_only(parts):
    seen = []
    start = ranker(callbacks=[lambda info: seen.append(info.round)])
    found = tune(start, parts[0], valid=parts[1], space=SPACE, n_trials=3)
    assert seen == list(range(1, found.best_rounds + 1))


def test_progress_and_silence(train, capfd):
    calls = []
    before = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = search(train, space={"min_docs_in_leaf": (1, 400)}, progress=lambda *call: calls.append(call))
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before == logging.INFO
    assert [call[:2] for call in calls] == [(done, 4) for done in range(5)]
    assert calls[1][2] == (
        f"trial 0: {found.start_value:.4f} after {found.table['rounds'][0]} rounds (best {found.start_value:.4f})"
    )


def test_time_may_run_out_but_the_start_is_tried(train):
    found = search(train, n_trials=100_000, timeout=0.5, refit=False)
    assert 1 <= found.n_trials < 1000
    assert found.ranker is None


def test_a_stored_study_goes_on(train, tmp_path):
    path = tmp_path / "study.db"
    first = search(train, storage=path, n_trials=3)
    before = first.to_dict()
    calls = []
    second = search(train, storage=path, n_trials=5, progress=lambda *call: calls.append(call[0]))
    assert calls == [3, 4, 5]
    np.testing.assert_array_equal(drawn(second)[:3], drawn(first))
    assert first.to_dict() == before  # a result stays as it was
    assert len({tuple(row) for row in drawn(second)}) == 5  # a new seed: nothing is drawn twice
    third = search(train, storage=f"sqlite:///{path}", n_trials=5)
    assert third.to_dict() == second.to_dict()
    np.testing.assert_array_equal(third.ranker.predict(train), second.ranker.predict(train))
    assert search(train, storage=path, n_trials=1, study_name="other").n_trials == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measure": "ndcg@5"}, "another measure .ndcg@10, not ndcg@5"),
        ({"cv": 4}, "another data or folds"),
        ({"cv": QueryKFold(3)}, "another data or folds"),
        ({"random_state": 1}, "another data or folds"),
        ({"start": ranker(truncation=5)}, "another ranker"),
        ({"start": ranker(early_stopping_rounds=6)}, "another ranker"),
        ({"start": ranker(backend="xgboost")}, "another ranker"),
    ],
)
def test_a_study_made_for_something_else_is_refused(train, change, message):
    storage = optuna.storages.InMemoryStorage()
    search(train, storage=storage, n_trials=1, refit=False)
    with pytest.raises(ParameterError, match=message):
        search(train, **{"storage": storage, "n_trials": 2, "refit": False, **change})
    assert search(train, start=ranker(n_jobs=2, verbose=0), storage=storage, n_trials=2, refit=False).n_trials == 2


def test_other_data_are_refused(train):
    storage = optuna.storages.InMemoryStorage()
    search(train, storage=storage, n_trials=1, refit=False)
    with pytest.raises(ParameterError, match=r"another data or folds .*give another study_name"):
        search(train.with_labels(2 - train.y), storage=storage, n_trials=2)


def test_a_study_of_somebody_else_is_refused(train):
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(storage=storage, study_name="gbrank", direction="maximize").ask()
    with pytest.raises(ParameterError, match="was not made by"):
        search(train, storage=storage)


def test_other_choices_in_a_stored_study_are_refused(train):
    storage = optuna.storages.InMemoryStorage()
    search(train, storage=storage, space={"max_leaves": [3, 31]}, n_trials=2, refit=False)
    with pytest.raises(ParameterError, match="other choices"):
        search(train, storage=storage, space={"max_leaves": [5, 31, 7]}, n_trials=4)


CHILD = """
import sys, time
import numpy as np
from gbrank import LambdaMART, RankingData, tune
X = np.random.default_rng(0).normal(size=(240, 3))
data = RankingData(X, (X[:, 0] > 0.3).astype(int), qid=np.repeat(np.arange(24), 10))
start = LambdaMART(n_estimators=8, early_stopping_rounds=8, n_jobs=1)
from gbrank.tuning import _trial
train_folds = _trial.train_folds
def slow(*args):
    print("training", flush=True)
    if len(sys.argv) > 2 and slow.calls == int(sys.argv[2]):
        time.sleep(60)
    slow.calls += 1
    train_folds(*args)
slow.calls = 0
_trial.train_folds = slow
found = tune(start, data, cv=2, space={"max_leaves": (2, 9), "reg_lambda": (1.0, 2.0)}, n_trials=4, storage=sys.argv[1])
print(found.table[["number", "state"]].to_dict("records"))
"""


def killed_in_trial(script, path, number):
    child = subprocess.Popen([sys.executable, script, path, str(number)], stdout=subprocess.PIPE, text=True)
    for _ in range(number + 1):
        assert child.stdout.readline() == "training\n"
    time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def test_a_killed_study_goes_on(tmp_path, monkeypatch, capfd):
    number = 2
    script, path = tmp_path / "child.py", tmp_path / "study.db"
    script.write_text(CHILD)
    killed_in_trial(script, path, number)
    stored = optuna.load_study(study_name="gbrank", storage=f"sqlite:///{path}").trials
    assert stored[-1].state is TrialState.RUNNING
    monkeypatch.setattr(sys, "argv", [str(script), str(path)])
    monkeypatch.setattr(_trial, "train_folds", _trial.train_folds)  # which the script replaces
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runpy.run_path(str(script))
    assert capfd.readouterr().err == ""
    trials = optuna.load_study(study_name="gbrank", storage=f"sqlite:///{path}").trials
    states = [trial.state.name for trial in trials]
    assert states == [*["COMPLETE"] * number, "FAIL", *["COMPLETE"] * (4 - number)]
    lost, again = trials[number], trials[number + 1]
    assert (again.params, again.user_attrs["params"]) == (lost.params, lost.user_attrs["params"])
    assert again.user_attrs["attempt"] == 2
    assert sum("start" in trial.user_attrs for trial in trials if trial.state is TrialState.COMPLETE) == 1


def test_a_start_that_was_killed_is_tried_again(train, monkeypatch):
    def die(*args):
        raise SystemExit  # Optuna lets it pass and the trial stays as it is, as when the process is killed

    storage = optuna.storages.InMemoryStorage()
    with monkeypatch.context() as patched:
        patched.setattr("gbrank.tuning._trial.train_folds", die)
        with pytest.raises(SystemExit):
            search(train, storage=storage)
    found = search(train, storage=storage, n_trials=3)
    assert found.table["state"].tolist() == ["fail", "complete", "complete", "complete"]
    assert found.trials[1].user_attrs["start"] == found.trials[0].user_attrs["start"]
    assert found.start_value == found.table["value"][1]


def test_a_trial_that_kills_its_process_is_given_up_in_the_end(train):
    storage = optuna.storages.InMemoryStorage()
    search(train, storage=storage, n_trials=1, refit=False)
    study = optuna.load_study(study_name="gbrank", storage=storage)
    study.enqueue_trial({"max_leaves": 4, "learning_rate": 0.3}, user_attrs={"attempt": 3})
    study.ask()
    found = search(train, storage=storage, n_trials=2, refit=False)
    assert found.table["state"].tolist() == ["complete", "fail", "complete"]
    assert found.table["max_leaves"][2] != 4 or found.table["learning_rate"][2] != 0.3


def test_after_an_interruption_the_start_is_tried_again(train):
    storage = optuna.storages.InMemoryStorage()

    def stop(done, total, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(train, storage=storage, progress=stop)
    found = search(train, storage=storage)
    assert not math.isnan(found.start_value)
    assert found.table["state"].tolist().count("complete") == found.n_trials == 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": "lambdamart"}, ParameterError, "give a GBRanker"),
        ({"measure": "ndgc@10"}, ParameterError, "'ndcg'"),
        ({"space": {"max_leafs": (2, 9)}}, ParameterError, "'max_leaves'"),
        ({"n_trials": 0}, ParameterError, "n_trials=0"),
        ({"timeout": -1.0}, ParameterError, "timeout"),
        ({"pruner": "hyperbant"}, ParameterError, "pruner"),
        ({"random_state": None}, ParameterError, "random_state"),
        ({"n_jobs": 0}, ParameterError, "n_jobs"),
        ({"storage": 7}, ParameterError, "give a path"),
        ({"storage": "no/such/folder/study.db"}, DataError, "does not exist; create it"),
        ({"storage": "nosuchdatabase://study"}, DataError, "cannot be opened"),
        ({"start": ranker(n_estimators=0)}, ParameterError, "n_estimators"),
        ({"start": GBRanker("lambdarang")}, ParameterError, "'lambdarank'"),
    ],
)
def test_bad_arguments_are_refused(train, options, error, message):
    with pytest.raises(error, match=message):
        search(train, **options)


def test_a_storage_that_is_none_is_refused(train, tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        search(train, storage=tmp_path)
    (tmp_path / "notes.db").write_text("no database\n" * 99)
    with pytest.raises(DataError, match="cannot be opened"):
        search(train, storage=tmp_path / "notes.db")
    assert (tmp_path / "notes.db").read_text().startswith("no database")


def test_errors_of_a_trial_reach_the_caller(train):
    start = ranker(backend="xgboost")
    with pytest.raises(ParameterError, match=r"trial \d with .*min_child_weight"):
        search(train, start=start, space={"min_docs_in_leaf": (30, 40)})
    with pytest.raises(DataError, match=r"trial 0 with .*nothing to learn"):
        search(train.with_labels(train.y * 0))


def test_real_data_and_a_parameter_of_the_objective(train):
    found = search(train, start=GBRanker(n_estimators=10, early_stopping_rounds=5, n_jobs=1),
                   space={"objective__truncation": (1, 12), "objective": ["lambdarank"]}, n_trials=3)  # fmt: skip
    assert found.ranker.objective_.truncation == found.best_params["objective__truncation"]


def test_optuna_distributions_are_taken_as_they_are(train):
    space = {"learning_rate": FloatDistribution(0.2, 0.4, step=0.1)}
    rates = search(train, space=space, n_trials=5).table["learning_rate"][1:]
    assert {round(rate, 6) for rate in rates} <= {0.2, 0.3, 0.4}


def test_the_top_level_names():
    assert gbrank.tune is tune
    assert gbrank.TuneResult.__module__.startswith("gbrank.tuning")
    code = "import sys, gbrank; print('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True).stdout == b"False\n"


def test_results_are_plain_values(train):
    assert json.loads(json.dumps(search(train, refit=False).to_dict()))["n_trials"] == 4
