"""The search: it finds what was planted, and is the same with any number of workers and after any kill."""

import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import gbrank
from gbrank import DataError, LossSearch, ParameterError
from gbrank.lossgen import REASONS, Graph, RandomSearch, Searcher, Space, Store
from gbrank.lossgen._run import Run

from .conftest import BENCH, PLANTED


def same(one, other):
    pd.testing.assert_frame_equal(one.candidates_.drop(columns="seconds"), other.candidates_.drop(columns="seconds"))
    assert (one.best_loss_, one.best_reward_, one.counts_) == (other.best_loss_, other.best_reward_, other.counts_)


def search(ranker, searcher="evolution", **params):
    return LossSearch(searcher, **{"ranker": ranker, "starts": (), "n_jobs": 1, **params})


@pytest.fixture(scope="module")
def undisturbed(planted, ranker):
    return search(ranker, n_trained=24, random_state=2).fit(planted)


@pytest.mark.parametrize("searcher", ["evolution", "random"])
def test_finds_what_was_planted(planted, ranker, searcher):
    aim = search(ranker, starts=[PLANTED], n_trained=1).fit(planted).best_reward_
    assert aim > 0.03
    space = Space(
        leaves=("d", "IDCG", "dG", "dD"),
        operators=("negate", "softplus", "multiply", "inverse"),
        constants=(),
        n_nodes=6,
    )
    assert search(ranker, searcher, space=space, n_trained=60).fit(planted).best_reward_ >= aim


def test_workers_change_nothing(planted, ranker, undisturbed):
    same(search(ranker, n_trained=24, random_state=2, n_jobs=3).fit(planted), undisturbed)


def test_a_killed_search_goes_on(planted, ranker, undisturbed, tmp_path):
    path = tmp_path / "s.db"
    code = (
        "import sys, gbrank\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from planted import planted_data, planted_ranker\n"
        "gbrank.LossSearch(ranker=planted_ranker(), starts=(), n_trained=24, random_state=2, n_jobs=1,\n"
        "    storage=sys.argv[2]).fit(planted_data())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(BENCH), str(path)])
    try:
        while process.poll() is None and n_trained(path) < 11:  # in the second batch
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert 11 <= n_trained(path) < 24
    same(search(ranker, n_trained=24, random_state=2, storage=path).fit(planted), undisturbed)


def n_trained(path):
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return database.execute("SELECT COUNT(*) FROM candidate WHERE stage != 'grid'").fetchone()[0]
    except sqlite3.OperationalError:  # not made yet
        return 0


def test_a_search_in_two_parts_is_the_search(planted, ranker, undisturbed, tmp_path):
    part = search(ranker, n_trained=13, random_state=2, storage=tmp_path / "s.db").fit(planted)
    assert part.counts_["short"] == 13
    whole = search(ranker, n_trained=24, random_state=2, storage=tmp_path / "s.db").fit(planted)
    same(whole, undisturbed)
    assert whole.seconds_["training"] < undisturbed.seconds_["total"]
    with pytest.raises(ParameterError, match=r"made with another random_state .2, not 3"):
        search(ranker, n_trained=24, random_state=3, storage=tmp_path / "s.db").fit(planted)
    store = Store(tmp_path / "s.db")
    assert len(store.candidates()) == len(undisturbed.candidates_)
    store.close()


def test_every_candidate_is_accounted_for(undisturbed):
    frame, counts = undisturbed.candidates_, undisturbed.counts_
    assert frame["number"].tolist() == list(range(len(frame)))
    assert counts["candidates"] == len(frame) == counts["full"] + sum(counts.get(reason, 0) for reason in REASONS)
    assert counts["short"] == 24
    assert frame.loc[frame["stage"] == "full", "reason"].isna().all()
    assert frame["reward"].max() == undisturbed.best_reward_ == np.mean(undisturbed.best_folds_)
    copies = frame[frame["reason"] == "duplicate"]
    assert (copies["reward"].to_numpy() == frame["reward"].to_numpy()[copies["same_as"].astype(int)]).all()
    assert not frame[frame["stage"] != "grid"]["fingerprint"].duplicated().any()
    assert undisturbed.best_objective_ == gbrank.objective("expression", formula=undisturbed.best_loss_)


def test_known_losses_come_first(planted, ranker):
    found = LossSearch("random", ranker=ranker, n_candidates=5, n_jobs=1).fit(planted).candidates_
    assert found["loss"].tolist()[:2] == ["softplus(-d)", "dD * dG * softplus(-d) / IDCG"]
    assert len(found) == 5
    few = LossSearch(ranker=ranker, space=Space(operators=("negate", "exp")), n_candidates=1, n_jobs=1).fit(planted)
    assert few.best_loss_ == "exp(-d)"


class Told(RandomSearch):
    """Writes down what it is told."""

    def __init__(self, space):
        super().__init__(space)
        self.heard = HEARD

    def tell(self, graph, reward, reason):
        self.heard.append((graph, reward, reason))


HEARD = []


def test_a_searcher_of_ones_own_is_told_of_all(planted, ranker):
    HEARD.clear()
    found = search(ranker, Told, n_candidates=150, batch_size=3).fit(planted).candidates_
    assert len(HEARD) == 150
    told = sorted((graph.text(), reward, reason or "") for graph, reward, reason in HEARD)
    kept = zip(found["graph"], found["reward"].fillna(-np.inf), found["reason"].fillna(""), strict=True)
    assert told == sorted(kept)
    assert issubclass(Told, Searcher)
    assert isinstance(HEARD[0][0], Graph)


def test_alternating_trains_a_model_on(planted, ranker, tmp_path):
    params = {"schedule": "alternating", "n_trained": 24}
    found = search(ranker, **params).fit(planted)
    kept = found.advances_[found.advances_["kept"]]
    assert len(found.advances_) == 3
    assert found.ranker_.n_estimators == 1
    assert found.ranker_.best_iteration_ == len(kept) > 0
    assert kept["after"].is_monotonic_increasing
    storage = tmp_path / "s.db"
    search(ranker, **params | {"n_trained": 13}, storage=storage).fit(planted)  # in the second turn
    again = search(ranker, **params, storage=storage).fit(planted)
    same(again, found)
    pd.testing.assert_frame_equal(again.advances_, found.advances_)
    assert np.array_equal(again.ranker_.predict(planted), found.ranker_.predict(planted))


def test_alternating_gains_are_over_the_baseline(planted, ranker):
    params = {"schedule": "alternating", "n_candidates": 1}
    own = {"baseline": gbrank.objective("expression", formula="exp(-d)"), "starts": ["exp(-d)"]}
    assert search(ranker, **params, **own).fit(planted).best_reward_ == 0.0
    lambdarank = {"truncation": 30, "score_norm": True, "query_norm": True}
    usual = search(ranker, **params, starts=["softplus(-d) * (dG * dD / IDCG)"], objective_params=lambdarank)
    assert usual.fit(planted).best_reward_ == 0.0


def test_a_file_is_not_claimed_by_a_call_that_fails(planted, ranker, tmp_path):
    params = {"starts": ["exp(-d)"], "n_candidates": 1, "storage": tmp_path / "s.db"}
    with pytest.raises(ParameterError, match="Did you mean 'lambdarank'"):
        search(ranker, baseline="lambdarnk", **params).fit(planted)
    assert search(ranker, **params).fit(planted).best_loss_ == "exp(-d)"


def test_progress(planted, ranker):
    seen = []
    search(ranker, n_candidates=60, progress=lambda *told: seen.append(told)).fit(planted)
    assert seen[-1][:2] == (60, 60)
    assert "60 losses" in seen[-1][2]
    seen.clear()
    found = search(ranker, starts=[PLANTED], timeout=1.5, progress=lambda *told: seen.append(told)).fit(planted)
    assert seen[-1][:2] == (1, 1)
    assert found.seconds_["total"] < 30


def test_time_up_in_the_middle_of_a_batch(planted, ranker, tmp_path, monkeypatch):
    params = {"starts": ["-d", "exp(-d)", "softplus(-d)", "1 / (1 + exp(d))"], "n_candidates": 4}
    storage = tmp_path / "s.db"
    with monkeypatch.context() as patch:
        patch.setattr(Run, "elapsed", property(lambda run: 100.0 * len(run.store.candidates())))
        part = search(ranker, timeout=50, storage=storage, **params).fit(planted).candidates_
    assert 1 <= len(part) < 4  # what had begun was trained to its end
    same(search(ranker, storage=storage, **params).fit(planted), search(ranker, **params).fit(planted))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "a search needs an end"),
        ({"n_trained": 0}, "n_trained=0"),
        ({"timeout": -1}, "timeout=-1"),
        ({"n_trained": 1, "searcher": "annealing"}, "unknown searcher 'annealing'"),
        ({"n_trained": 1, "searcher": Space}, "give one of controller, evolution, random or a Searcher class"),
        ({"n_trained": 1, "space": "pair"}, "space: give a gbrank.lossgen.Space, not str"),
        ({"n_trained": 1, "starts": "exp(-d)"}, "give a sequence of losses"),
        ({"n_trained": 1, "starts": ["s"]}, "unknown leaf of the space 's'"),
        ({"n_trained": 1, "schedule": "turns"}, "schedule='turns'"),
        ({"n_trained": 1, "batch_size": 0}, "batch_size=0"),
        ({"n_trained": 1, "schedule": "alternating", "baseline": "mse"}, "trained on with formulas only"),
        ({"n_trained": 1, "objective_params": {"formula": "-d"}}, "leave 'formula' out"),
        ({"n_trained": 1, "objective_params": {"truncated": 3}, "starts": ["exp(-d)"]}, "truncat"),
    ],
)
def test_errors(planted, ranker, params, message):
    with pytest.raises(ParameterError, match=message):
        LossSearch(**{"ranker": ranker, "n_jobs": 1, "starts": (), **params}).fit(planted)


def test_a_search_without_a_result_says_so(planted, ranker):
    with pytest.raises(DataError, match="no loss came to the full proxy"):
        search(ranker, "random", n_candidates=1, random_state=0).fit(planted)
