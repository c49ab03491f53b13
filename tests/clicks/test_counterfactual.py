"""What a new ranking would have brought, from simulated sessions: estimates, intervals, doubts and refusals."""

import itertools
import warnings

import numpy as np
import pytest

from gbrank import DataError, GbrankWarning, ParameterError, RankingData, Run
from gbrank.clicks import (
    Cascade,
    ClickLog,
    PairTable,
    PlackettLuce,
    PositionBased,
    TrustBias,
    estimate,
    simulate_clicks,
)

N_QUERIES, N_DOCUMENTS = 6, 5
EXAMINATION = np.array([0.9, 0.6, 0.4, 0.25, 0.15])
rng = np.random.default_rng(5)
ATTRACTION = rng.beta(1, 2, N_QUERIES * N_DOCUMENTS)
OLD, NEW = rng.normal(size=(2, N_QUERIES * N_DOCUMENTS))
QID = np.repeat(np.arange(N_QUERIES), N_DOCUMENTS)
DATA = RankingData(NEW[:, None], np.zeros(len(NEW)), QID, doc_id=[f"d{i}" for i in range(len(NEW))])
PBM = PositionBased(EXAMINATION)
DCG3 = 1 / np.log2([2, 3, 4])


def logged(sessions=2000, seed=0, cut=3, temperature=2.0, model=PBM):
    policy = PlackettLuce(OLD, temperature) if temperature else OLD
    return simulate_clicks(DATA, policy, model, sessions, seed, top_k=cut, attraction=ATTRACTION)


def truth(weights, score=NEW):
    """Return the mean over queries of the sum of weight times attraction by rank."""
    total = 0.0
    for q in range(N_QUERIES):
        rows = np.flatnonzero(q == QID)
        best = rows[np.argsort(-score[rows], kind="stable")][: len(weights)]
        total += ATTRACTION[best] @ weights
    return total / N_QUERIES


@pytest.mark.filterwarnings("ignore::gbrank.GbrankWarning")
@pytest.mark.parametrize("unit", ["session", "query"])
@pytest.mark.parametrize("reward", ["dcg@3", "ctr"])
def test_estimates_are_right_within_their_errors(reward, unit):
    log = logged(30_000)
    due = truth(DCG3 if reward == "dcg@3" else EXAMINATION)
    found = estimate(
        log, NEW, data=DATA, propensity=EXAMINATION, reward=reward, relevance=ATTRACTION, unit=unit, random_state=1
    )
    for method in ("ips", "snips", "dr"):
        assert abs(found.table.loc[method, "estimate"] - due) < 4 * found.table.loc[method, "std_error"]
    if reward == "ctr":
        assert found.table.loc["logged", "estimate"] == pytest.approx(log.click.sum() / log.n_sessions)
    gain = found.table["estimate"] - found.table.loc["logged", "estimate"]
    assert found.table["gain"].iloc[1:].tolist() == pytest.approx(gain.iloc[1:].tolist())


@pytest.mark.parametrize("exposure", ["policy", "rank"])
def test_intervals_cover(exposure):
    """Of 300 logs, 90 to 97 % of the intervals of 95 % hold the true value; those of the gain too."""
    cut = 3 if exposure == "policy" else None
    big = logged(200_000, seed=9999, cut=cut)
    top = big.rank <= 3
    on_policy = (DCG3[big.rank[top] - 1] * ATTRACTION[big.pair[top]]).sum() / big.n_sessions
    due = {"": truth(DCG3), "gain_": truth(DCG3) - on_policy}
    inside = dict.fromkeys(itertools.product(due, ("t", "bootstrap")), 0)
    given = {"data": DATA, "propensity": EXAMINATION, "reward": "dcg@3", "method": "ips", "exposure": exposure}
    for seed in range(300):
        log = logged(400, seed, cut)
        for interval in ("t", "bootstrap"):
            with warnings.catch_warnings(action="ignore"):
                found = estimate(log, NEW, **given, interval=interval, n_resamples=200, n_jobs=1).table.loc["ips"]
            for what, true in due.items():
                inside[what, interval] += found[f"{what}low"] <= true <= found[f"{what}high"]
    assert min(inside.values()) >= 0.9 * 300
    assert max(inside.values()) <= 0.97 * 300, inside


def test_wrong_propensities_are_visibly_off():
    log, due = logged(20_000, cut=None), truth(DCG3)
    right = estimate(log, NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3")
    assert right.supported
    assert np.abs(right.by_rank["z"]).max() < 4
    with pytest.warns(GbrankWarning, match="propensities do not fit"):
        wrong = estimate(log, NEW, data=DATA, propensity=np.ones(5), reward="dcg@3")
    assert not wrong.supported
    assert wrong.table.loc["ips", "estimate"] < due - 10 * wrong.table.loc["ips", "std_error"]


def test_selection_is_told_and_a_guess_fills_it():
    """A fixed ranking cut at 2: the rest is never shown."""
    log = logged(20_000, cut=2, temperature=None)
    with pytest.warns(GbrankWarning, match=r"never shown hold .* ips is too low by up to"):
        found = estimate(log, NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3", relevance=ATTRACTION)
    assert {doubt.kind for doubt in found.doubts} == {"never shown", "unchecked"}
    ips, dr = found.table.loc["ips"], found.table.loc["dr"]
    assert ips["high"] < truth(DCG3)
    assert dr["low"] < truth(DCG3) < dr["high"]
    with pytest.warns(GbrankWarning, match="use exposure='policy'"):
        estimate(logged(500), NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3", exposure="rank")


def test_trust_bias_is_taken_off():
    model = TrustBias([0.9, 0.7, 0.5], [0.3, 0.15, 0.05])
    log = logged(30_000, model=model)
    found = estimate(log, NEW, data=DATA, propensity=model, reward="dcg@3", method="ips").table.loc["ips"]
    assert abs(found["estimate"] - truth(DCG3)) < 4 * found["std_error"]
    with pytest.warns(GbrankWarning, match="propensities do not fit"):
        naive = estimate(log, NEW, data=DATA, propensity=[0.9, 0.7, 0.5], reward="dcg@3", method="ips")
    assert naive.table.loc["ips", "low"] > truth(DCG3)
    clicks = estimate(log, NEW, data=DATA, propensity=model, reward="ctr@3", method="ips").table.loc["ips"]
    high, low = np.array([0.9, 0.7, 0.5]), np.array([0.3, 0.15, 0.05])
    assert abs(clicks["estimate"] - truth(high - low) - low.sum()) < 4 * clicks["std_error"]


def test_known_logging_policies_agree_with_those_of_the_log_and_wrong_ones_are_told():
    log = logged(20_000)
    with warnings.catch_warnings(action="ignore"):
        by_policy = estimate(log, NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3", method="ips")
    big = logged(400_000, seed=7)
    seen = np.bincount(big.pair, EXAMINATION[big.rank - 1], len(NEW))
    exposure = seen / np.bincount(big.query).repeat(N_DOCUMENTS)
    given = {"data": DATA, "propensity": EXAMINATION, "reward": "dcg@3", "method": ["ips", "snips"]}
    known = estimate(log, NEW, exposure=exposure[log.pair], **given)
    for method in ("ips", "snips"):
        due = by_policy.table.loc["ips", "estimate"]
        assert known.table.loc[method, "estimate"] == pytest.approx(due, abs=3 * known.table.loc["ips", "std_error"])
    with pytest.warns(GbrankWarning, match="exposures given do not fit"):
        estimate(log, NEW, exposure=0.8 * exposure[log.pair], **given)


def test_few_and_clipped_clicks_are_told():
    with pytest.warns(GbrankWarning, match="few clicks bear"):
        estimate(logged(20), NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3", method="ips")
    with pytest.warns(GbrankWarning, match=r"clipping at 0.5 takes off"):
        found = estimate(
            logged(5000), NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3", method=["ips", "clipped"], clip=0.5
        )
    assert found.table.loc["clipped", "estimate"] < found.table.loc["ips", "estimate"]
    assert found.table.loc["clipped", "std_error"] < found.table.loc["ips", "std_error"]


def test_a_log_without_clicks_is_told():
    log = ClickLog([1, 1, 2, 2], ["q"] * 4, ["a", "b"] * 2, [1, 2] * 2, [0] * 4)
    with pytest.warns(GbrankWarning, match="no click is on a document"):
        found = estimate(log, Run(["q", "q"], ["a", "b"], [1, 2]), propensity=[1.0, 0.5])
    assert found.table.loc["ips", ["estimate", "low", "high"]].tolist() == [0, 0, 0]


def test_a_run_data_and_a_ranker_are_the_same():
    class Ranker:
        def predict(self, data):
            return data.X[:, 0]

    log = logged(3000, cut=None)
    given = {"propensity": EXAMINATION, "reward": "dcg@3", "relevance": ATTRACTION}
    tables = [
        estimate(log, NEW, data=DATA, **given),
        estimate(log, Ranker(), data=DATA, **given),
        estimate(log, Run.from_data(DATA, NEW), **given),
        estimate(log, NEW, data=DATA, **given | {"relevance": PairTable(DATA.qid, DATA.doc_id, ATTRACTION, 0.0)}),
    ]
    for other in tables[1:]:
        assert other.table.equals(tables[0].table)
    by_rank = {"exposure": "rank", "propensity": EXAMINATION, "reward": "dcg@3", "method": "ips"}
    of_rows = estimate(log, NEW[log.pair], **by_rank).table
    assert of_rows.to_numpy() == pytest.approx(estimate(log, NEW, data=DATA, **by_rank).table.to_numpy(), nan_ok=True)


@pytest.mark.parametrize("exposure", ["policy", "rank"])
def test_sessions_that_come_twice_change_no_estimate_and_names_do_not_matter(exposure):
    log, given = logged(2000), {"propensity": EXAMINATION, "reward": "dcg@3", "exposure": exposure, "clip": 0.1}
    with warnings.catch_warnings(action="ignore"):
        once = estimate(log, Run.from_data(DATA, NEW), **given).table
        twice = estimate(log.take(np.tile(np.arange(2000), 2)), Run.from_data(DATA, NEW), **given).table
        frame = log.to_frame().sample(frac=1, random_state=0)
        frame["query"], frame["document"] = "q" + frame["query"].astype(str), "x" + frame["document"]
        run = Run([f"q{q}" for q in DATA.qid], [f"x{d}" for d in DATA.doc_id], np.exp(NEW))
        renamed = estimate(ClickLog.from_frame(frame), run, **given).table
    assert twice["estimate"].tolist() == pytest.approx(once["estimate"].tolist())
    assert twice["std_error"].tolist() == pytest.approx((once["std_error"] * np.sqrt(1999 / 3999)).tolist())
    assert renamed.to_numpy() == pytest.approx(once.to_numpy(), nan_ok=True)


def test_the_logged_ranking_itself_gains_nothing():
    log = logged(500, cut=None, temperature=None)
    found = estimate(log, OLD, data=DATA, propensity=EXAMINATION, reward="dcg@3", exposure="rank", method="ips")
    row = found.table.loc["ips"]
    assert (row["gain"], row["gain_low"], row["gain_high"]) == pytest.approx((0, 0, 0), abs=1e-12)


def test_the_result_is_told_in_text_html_and_plain_values():
    with warnings.catch_warnings(action="ignore"):
        found = estimate(logged(300), NEW, data=DATA, propensity=EXAMINATION, reward="dcg@3")
    assert "dcg@3 for each session, from 300 sessions of 6 queries" in str(found)
    assert "<table" in found._repr_html_()
    content = found.to_dict()
    assert [row["method"] for row in content["methods"]] == ["logged", "ips", "snips", "clipped"]
    assert content["methods"][0]["gain"] is None


LOG = ClickLog([1, 1], ["q", "q"], ["a", "b"], [1, 2], [1, 0])
RUN = Run(["q", "q"], ["a", "b"], [1, 2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"propensity": [1, 0]}, "rank 2 is 0"),
        ({"propensity": [1.5, 1]}, "rank 1 is 1.5"),
        ({"propensity": [1, np.nan]}, "propensity: rank 2 is nan"),
        ({"propensity": [1.0]}, "the log shows rank 2"),
        ({"propensity": []}, "is empty"),
        ({"propensity": Cascade()}, "depends on the clicks above"),
        ({"propensity": TrustBias([0.5, 0.3], [0.1, 0.3])}, "rank 2 is 0"),
        ({"ranking": Run(["other"], ["a"], [1])}, "query q of the log is not in it"),
        ({"ranking": [1.0]}, "1 values for 2 rows of the log"),
        ({"data": DATA}, "a run, which has documents of its own"),
        ({"reward": "dgc@3"}, "Did you mean"),
        ({"reward": "dcg@0"}, "write it as"),
        ({"reward": "precision"}, "needs a cutoff"),
        ({"reward": [0, 0]}, "not all 0"),
        ({"reward": [0, 0, 1]}, "no weight at any rank"),
        ({"method": "dr"}, "needs `relevance`"),
        ({"method": "best"}, "choose one of"),
        ({"method": []}, "at least one"),
        ({"exposure": "rang"}, "choose one of"),
        ({"exposure": [0.0, 1.0]}, "row 0 is 0"),
        ({"ranking": [1.0, 2.0], "exposure": "policy"}, "rank the documents of one session"),
        ({"relevance": [0.5, 1.5]}, "row 1 is 1.5"),
        ({"relevance": [0.5]}, "1 values for 2 documents"),
        ({"relevance": PositionBased([1.0])}, "fit it first"),
        ({"clip": 2.0}, "at most 1"),
        ({"clip": 0}, "above 0"),
        ({"interval": "normal"}, "choose one of"),
        ({"unit": "rows"}, "choose one of"),
        ({"confidence": 95}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    given = {"ranking": RUN, "propensity": [1.0, 0.5]} | changes
    with pytest.raises((DataError, ParameterError), match=message):
        estimate(LOG, given.pop("ranking"), **given)
