"""`explain_difference` against Shapley values by brute force over all orders of switching."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from gbrank import (
    Convention,
    DataError,
    ParameterError,
    Qrels,
    RankingData,
    Run,
    explain_difference,
    make_letor,
    measure,
    read_letor,
)
from gbrank.metrics import PRESETS


@pytest.fixture(scope="module")
def data():
    return make_letor(60, n_features=4, max_documents=25, random_state=3)


@pytest.fixture(scope="module")
def score(data):
    return np.round(data.y + np.random.default_rng(0).normal(0, 2, data.n_documents))


def by_orders(data, score, a, b, rules):
    """Return each rule's gain in the mean, averaged over every order in which the rules can be switched."""
    found = dict.fromkeys(rules, 0.0)
    for order in itertools.permutations(rules):
        now = a.convention
        before = np.nanmean(a(data.y, score, data.query_ptr))
        for rule in order:
            now = dataclasses.replace(now, **{rule: getattr(b.convention, rule)})
            after = np.nanmean(dataclasses.replace(a, convention=now)(data.y, score, data.query_ptr))
            found[rule] += (after - before) / math.factorial(len(rules))
            before = after
    return found


@pytest.mark.parametrize(
    ("name", "a", "b", "rules"),
    [
        ("ndcg@10", "default", "letor", ["discount", "ties", "no_relevant", "short_list"]),
        ("ndcg@5", "letor", "default", ["discount", "ties", "no_relevant", "short_list"]),
        ("rr", "default", "letor", ["ties", "no_relevant"]),
        ("p@5", "default", "p@5(ties=worst, relevant_from=2, no_relevant=1)", ["ties", "no_relevant", "relevant_from"]),
    ],
)
def test_contributions_are_shapley_values(data, score, name, a, b, rules):
    found = explain_difference(data, score, a, b, measure=name, n_jobs=1)
    expected = by_orders(data, score, found.a, found.b, rules)
    assert found.rules["contribution"].to_dict() == pytest.approx(expected, abs=1e-12)
    assert math.fsum(found.rules["contribution"]) == pytest.approx(found.difference, abs=1e-14)
    assert found.mean_a == pytest.approx(np.nanmean(found.a(data.y, score, data.query_ptr)), abs=1e-14)
    assert found.mean_b == pytest.approx(np.nanmean(found.b(data.y, score, data.query_ptr)), abs=1e-14)
    assert found.rules["contribution"].abs().is_monotonic_decreasing


def test_all_pairs_of_presets(data, score):
    several = data.take(data.query_sizes > 1)
    score = score[np.isin(data.qid, several.query_ids)]
    for a, b in itertools.permutations(PRESETS, 2):
        found = explain_difference(several, score, a, b, measure="ndcg@5", n_jobs=1)
        for name, mean in ((a, found.mean_a), (b, found.mean_b)):
            m = measure("ndcg@5", preset=name)
            assert mean == pytest.approx(np.nanmean(m(several.y, score, several.query_ptr)), abs=1e-14)
        assert math.fsum(found.rules["contribution"]) == pytest.approx(found.difference, abs=1e-14)
        assert (found.rules["queries"] > 0).tolist() == (found.rules["first"] != 0).tolist()


def test_two_rules_by_hand():
    # Query 1 is tied: 1/2 + 1/4 in expectation, 1/2 at worst.  Query 2 has nothing: skipped, or 0.
    data = RankingData(np.zeros((4, 1)), [0, 1, 0, 0], qid=[1, 1, 2, 2])
    found = explain_difference(data, [5, 5, 2, 1], Convention(), Convention(ties="worst", no_relevant=0), measure="rr")
    means = {"neither": 3 / 4, "ties": 1 / 2, "no_relevant": 3 / 8, "both": 1 / 4}
    ties = ((means["ties"] - means["neither"]) + (means["both"] - means["no_relevant"])) / 2
    nothing = ((means["no_relevant"] - means["neither"]) + (means["both"] - means["ties"])) / 2
    assert found.rules["contribution"].to_dict() == {"no_relevant": nothing, "ties": ties}
    assert found.rules.loc["ties", ["from", "to", "queries"]].tolist() == ["expected", "worst", 1]
    assert found.rules.loc["ties", ["first", "last"]].tolist() == [-1 / 4, -1 / 8]
    assert found.rules.loc["no_relevant", ["first", "last"]].tolist() == [-3 / 8, -1 / 4]
    ties, nothing = (found.queries[found.queries["rule"] == rule].iloc[0] for rule in ("ties", "no_relevant"))
    assert (ties["qid"], ties["documents"], ties["before"], ties["after"], ties["shift"]) == (1, 2, 0.75, 0.5, -0.25)
    assert (nothing["qid"], nothing["after"], nothing["shift"]) == (2, 0, 3 / 8 - 3 / 4)
    assert math.isnan(nothing["before"])


def test_queries_of_a_rule(data, score):
    found = explain_difference(data, score, "letor", "ndcg@10(preset=letor, ties=worst, no_relevant=1)", n_jobs=1)
    for rule, row in found.rules.iterrows():
        moved = found.queries[found.queries["rule"] == rule]
        switched = measure("ndcg@10", preset="letor", **{rule: getattr(found.b.convention, rule)})
        before = measure("ndcg@10", preset="letor")(data.y, score, data.query_ptr)
        after = switched(data.y, score, data.query_ptr)
        assert set(moved["qid"]) == set(data.query_ids[before != after])
        assert row["queries"] == len(moved) > 0
        assert moved["shift"].abs().is_monotonic_decreasing
        assert moved["shift"].sum() == pytest.approx(row["first"]), "no query is skipped, so shifts add up"
        place = {qid: q for q, qid in enumerate(data.query_ids.tolist())}
        for query in moved.to_dict("records"):
            q = place[query["qid"]]
            assert (query["before"], query["after"]) == (before[q], after[q])
            assert query["shift"] == pytest.approx((after[q] - before[q]) / data.n_queries)


def test_shift_is_the_rule_switched_for_one_query(data, score):
    found = explain_difference(data, score, "ndcg@10", "ndcg@10(no_relevant=0, average=documents)", n_jobs=1)
    values = measure("ndcg@10")(data.y, score, data.query_ptr)
    place = {qid: q for q, qid in enumerate(data.query_ids.tolist())}
    for query in found.queries.to_dict("records"):
        q, value, weight = place[query["qid"]], values.copy(), np.ones(len(values))
        if query["rule"] == "no_relevant":
            value[q] = 0
        else:
            weight[q] = data.query_sizes[q] / data.query_sizes.mean()
        kept = ~np.isnan(value)
        expected = np.average(value[kept], weights=weight[kept]) - np.nanmean(values)
        assert query["shift"] == pytest.approx(expected, abs=1e-14)


def test_averaging_is_a_rule(data, score):
    found = explain_difference(data, score, "ndcg@10", "ndcg@10(average=documents)", n_jobs=1)
    values = measure("ndcg@10")(data.y, score, data.query_ptr)
    kept = ~np.isnan(values)
    assert found.mean_b == pytest.approx(np.average(values[kept], weights=data.query_sizes[kept]))
    assert found.rules.index.tolist() == ["average"]


def test_one_ranking_of_mq2008_has_many_values(real_data):
    data = read_letor(real_data / "mq2008" / "Fold2" / "test.txt")
    score = np.loadtxt(real_data / "letor40-baselines" / "RankBoost" / "scores" / "Fold2" / "test_score")
    found = explain_difference(data, score, "letor", "lightgbm")
    assert (round(found.mean_a, 3), round(found.mean_b, 3)) == (0.170, 0.776)
    nothing = np.maximum.reduceat(data.y, data.query_ptr[:-1]) == 0
    short = (data.query_sizes < 10) & ~nothing
    assert found.rules.index.tolist() == ["no_relevant", "short_list", "discount"]
    assert found.rules["queries"].tolist()[:2] == [nothing.sum(), short.sum()]
    assert found.rules["contribution"]["no_relevant"] == pytest.approx(nothing.mean())
    moved = found.queries[found.queries["rule"] == "short_list"]
    assert set(moved["qid"]) <= set(data.query_ids[short])
    assert math.fsum(found.rules["contribution"]) == pytest.approx(found.difference, abs=1e-15)


@pytest.mark.parametrize("measures", ["ndcg@10", "ap", "rr", "err"])
def test_agreement(data, score, measures):
    found = explain_difference(data, score, "default", "default", measure=measures)
    assert found.difference == 0
    assert len(found.rules) == len(found.queries) == 0
    assert "The conventions agree for this measure." in str(found)
    json.dumps(found.to_dict(), allow_nan=False)


def test_rules_that_the_measure_does_not_use_are_left_out(data, score):
    found = explain_difference(data, score, "default", "letor", measure="rr")
    assert set(found.rules.index) == {"ties", "no_relevant"}


def test_the_seed_of_ties_is_a_rule_where_ties_are_sampled(data, score):
    given = [Convention(tie_seed=seed) for seed in (1, 2)]
    assert explain_difference(data, score, *given, measure="rr").rules.empty
    sampled = [f"rr(ties=sampled, tie_samples=3, tie_seed={seed})" for seed in (1, 2)]
    assert explain_difference(data, score, *sampled).rules.index.tolist() == ["tie_seed"]


def test_where_the_measure_comes_from(data, score):
    given = measure("ap@5", ties="worst")
    assert explain_difference(data, score, given, "default").b == measure("ap@5")
    assert explain_difference(data, score, "letor", "rr@3(no_relevant=1)").a == measure("rr@3", preset="letor")
    assert explain_difference(data, score, "mrr", "letor").b == measure("rr", preset="letor")
    assert explain_difference(data, score, "letor", "default", measure="rr").b == measure("rr")
    assert explain_difference(data, score, Convention(gain="linear"), "default").a == measure("ndcg@10", gain="linear")


def test_text_html_and_dict(data, score):
    found = explain_difference(data, score, "default", "ndcg@10(ties=worst, no_relevant=0)", n_jobs=1)
    lines = str(found).splitlines()
    assert lines[0] == (
        f"ndcg@10: {found.mean_a:.4f} by default, {found.mean_b:.4f} by ndcg@10(ties=worst, no_relevant=0), "
        f"difference {found.difference:+.4f}"
    )
    assert [line.split()[0] for line in lines[2:4]] == found.rules.index.tolist()
    assert f"{found.rules['contribution'].iloc[0]:+.4f}" in lines[2]
    assert "skipped -> 0.0000" in str(found)
    assert "-&gt;" in found._repr_html_()
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["difference"] == found.difference
    assert [rule["rule"] for rule in read["rules"]] == found.rules.index.tolist()
    assert len(read["queries"]) == len(found.queries)
    assert read["conventions"]["ndcg@10"] == measure("ndcg@10").describe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.mean_a = 1


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        ("lightgmb", "letor", {}, "Did you mean 'lightgbm'"),
        ("ndcg@10", "ap", {}, "give one name and cutoff"),
        ("ndcg@10(ties=odd)", "letor", {}, "ties='odd'"),
        ("ndcg@10", "ndcg@5", {}, "give one name and cutoff"),
        ("ndcg@10", "default", {"measure": "ap"}, "give one name and cutoff"),
        (3, "default", {}, "give the name of a preset"),
        ("default", "letor", {"measure": "ndgc"}, "Did you mean 'ndcg'"),
    ],
)
def test_bad_conventions(data, score, a, b, options, message):
    with pytest.raises(ParameterError, match=message):
        explain_difference(data, score, a, b, **options)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_scores(data, score, bad):
    with pytest.raises(DataError, match="row 3 is"):
        explain_difference(data, np.where(np.arange(len(score)) == 3, bad, score), "default", "letor")
    with pytest.raises(DataError, match="documents; give one for each"):
        explain_difference(data, score[1:], "default", "letor")


def test_rules_of_runs():
    qrels = Qrels.from_dict({"a": {"u": 1, "v": 0}, "b": {"u": 1}, "c": {"u": 1, "v": 1}})
    run = Run.from_dict({"a": {"new": 3.0, "u": 2.0, "v": 1.0}, "c": {"u": 1.0}})
    # a: the new document counts as not relevant, 1/2, or is removed, 1.  b is missing: 0, or skipped.
    found = explain_difference(qrels, run, "rr", "rr(unjudged=removed, missing_queries=skip)")
    assert (found.mean_a, found.mean_b) == (pytest.approx((1 / 2 + 0 + 1) / 3), pytest.approx((1 + 1) / 2))
    missing = ((1.5 / 2 - 1.5 / 3) + (2 / 2 - 2 / 3)) / 2
    unjudged = ((2 / 3 - 1.5 / 3) + (2 / 2 - 1.5 / 2)) / 2
    assert found.rules["contribution"].to_dict() == pytest.approx({"missing_queries": missing, "unjudged": unjudged})
    assert dict(zip(found.queries["rule"], found.queries["qid"], strict=True)) == {
        "missing_queries": "b",
        "unjudged": "a",
    }


def test_a_convention_that_skips_all():
    data = RankingData(np.zeros((2, 1)), [0, 0], qid=[1, 1])
    with pytest.raises(DataError, match="ndcg@10 skips all 1 queries"):
        explain_difference(data, [1, 2], "default", "letor")


def test_a_rule_that_refuses():
    data = RankingData(np.zeros((3, 1)), [0, 1, 1], qid=[1, 1, 2])
    with pytest.raises(DataError, match="document"):
        explain_difference(data, [1, 2, 3], "default", "sklearn")
