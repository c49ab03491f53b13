"""`compare`: its numbers by arithmetic, what they must not depend on, and its tables."""

import dataclasses
import importlib
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

from gbrank import DataError, ParameterError, compare

compare_module = importlib.import_module("gbrank.evaluation._compare")
NUMBERS = ["difference", "low", "high", "statistic", "p", "p_adjusted", "effect_size", "superiority", "detectable"]


def values(n=40, systems=4, seed=0, step=0.05):
    """NDCG-like values with ties: coarse numbers between 0 and 1."""
    rng = np.random.default_rng(seed)
    base = rng.beta(1, 1, (n, 1))
    table = np.clip(base + rng.normal(0, 0.15, (n, systems)) + step * np.arange(systems), 0, 1).round(1)
    return pd.DataFrame(table, index=[f"q{i}" for i in range(n)], columns=list("ABCDEFGH"[:systems]))


def as_mapping(table):
    return {name: table[name] for name in table}


def of(table, **options):
    return compare(as_mapping(table), "ndcg@10", n_resamples=500, **options)


def test_a_row_by_arithmetic():
    table = values(systems=2)
    row = of(table, test="t").table.loc[0]
    d = table["A"] - table["B"]
    truth = stats.ttest_rel(table["A"], table["B"])
    assert row[["measure", "a", "b"]].tolist() == ["ndcg@10", "A", "B"]
    assert row["mean_a"] == pytest.approx(table["A"].mean())
    assert row["difference"] == pytest.approx(d.mean())
    assert (row["statistic"], row["p"], row["p_adjusted"]) == pytest.approx((truth.statistic, *[truth.pvalue] * 2))
    assert row["effect_size"] == pytest.approx(d.mean() / d.std())
    wins, losses = (d > 1e-9).sum(), (d < -1e-9).sum()
    assert row[["wins", "ties", "losses", "queries"]].tolist() == [wins, 40 - wins - losses, losses, 40]
    assert row["superiority"] == pytest.approx((wins + (40 - wins - losses) / 2) / 40)
    # power .8 at the detectable difference, by the noncentral t distribution
    shift = row["detectable"] / d.std() * np.sqrt(40)
    power = stats.nct.sf(stats.t.ppf(0.975, 39), 39, shift) + stats.nct.cdf(-stats.t.ppf(0.975, 39), 39, shift)
    assert power == pytest.approx(0.8, abs=1e-4)
    assert row["low"] < row["difference"] < row["high"]


@pytest.mark.parametrize("correction", ["none", "holm", "tukey"])
def test_family_of_all_pairs(correction):
    found = of(values(), test="t", correction=correction).table
    assert list(zip(found["a"], found["b"], strict=True)) == list(itertools.combinations("ABCD", 2))
    if correction == "none":
        assert (found["p"] == found["p_adjusted"]).all()
    else:
        assert (found["p_adjusted"] >= found["p"] - 1e-9).mean() > 0.8
    if correction == "holm":
        assert found["p_adjusted"].min() == pytest.approx(min(1, 6 * found["p"].min()))


def test_each_measure_is_a_family_of_its_own():
    table = values(systems=3)
    long = pd.concat(
        table.add(shift).rename_axis("qid").reset_index().melt("qid", var_name="system").assign(measure=name)
        for name, shift in {"ap": 0.0, "rr": 0.1}.items()
    )
    found = compare(long, n_resamples=500)
    assert found.measures == ("ap", "rr")
    assert compare(long, ["rr", "ap"], n_resamples=500).measures == ("rr", "ap")
    ap, rr = (found.table[found.table["measure"] == name].reset_index(drop=True) for name in ("ap", "rr"))
    pd.testing.assert_frame_equal(ap[NUMBERS], rr[NUMBERS], rtol=1e-9)
    alone = compare(long, "rr", n_resamples=500).table
    pd.testing.assert_frame_equal(alone, rr)


def test_baseline():
    all_pairs = of(values(), test="t", correction="none").table.set_index(["a", "b"])
    found = of(values(), test="t", correction="none", baseline="B").table
    assert list(zip(found["a"], found["b"], strict=True)) == [("A", "B"), ("C", "B"), ("D", "B")]
    assert found["p"].tolist() == pytest.approx(
        [all_pairs.loc[pair, "p"] for pair in [("A", "B"), ("B", "C"), ("B", "D")]]
    )
    assert found.loc[1, "difference"] == pytest.approx(-all_pairs.loc[("B", "C"), "difference"])
    assert of(values(), baseline="B", test="t").table["p_adjusted"].max() <= 3 * found["p"].max()


TESTS = [("randomisation", "holm"), ("randomisation", "tukey"), ("t", "tukey"), ("wilcoxon", "holm")]


@pytest.mark.parametrize(("test", "correction"), TESTS)
def test_neither_order_nor_threads_matter(test, correction):
    table = values(seed=3)
    options = {"test": test, "correction": correction}
    first = of(table, n_jobs=1, **options).table
    pd.testing.assert_frame_equal(first, of(table, n_jobs=3, **options).table)
    pd.testing.assert_frame_equal(first, of(table.sample(frac=1, random_state=1), **options).table)
    turned = of(table[list("DCBA")], **options).table
    matched = turned.set_index(["b", "a"]).loc[list(zip(first["a"], first["b"], strict=True))].reset_index()
    for name in ("p", "p_adjusted", "detectable", "wins"):
        np.testing.assert_allclose(matched["losses" if name == "wins" else name], first[name], rtol=1e-9)
    for name in ("difference", "statistic", "effect_size"):
        np.testing.assert_allclose(-matched[name], first[name], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(-matched["high"], first["low"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(1 - matched["superiority"], first["superiority"])


@pytest.mark.parametrize(("test", "correction"), TESTS)
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 1000), shift=st.floats(-3, 3), factor=st.floats(0.1, 10))
def test_adding_a_constant_and_scaling(test, correction, seed, shift, factor):
    table = values(n=20, systems=3, seed=seed)
    first = of(table, test=test, correction=correction).table
    moved = of(table + shift, test=test, correction=correction).table
    for name in NUMBERS:
        np.testing.assert_allclose(moved[name], first[name], rtol=1e-6, atol=1e-9, err_msg=name)
    scaled = of(table * factor, test=test, correction=correction).table
    for name in ("p", "p_adjusted", "effect_size", "superiority"):
        np.testing.assert_allclose(scaled[name], first[name], rtol=1e-6, atol=1e-9, err_msg=name)
    for name in ("difference", "low", "high", "detectable"):
        np.testing.assert_allclose(scaled[name], factor * first[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_the_seed_matters_and_is_kept():
    first, again, other = (of(values(), random_state=seed).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first["p"] != other["p"]).any()


def test_equal_systems():
    found = compare({"A": values()["A"], "B": values()["A"]}, "ap", n_resamples=100).table.loc[0]
    assert found[["difference", "low", "high", "p", "effect_size", "ties", "superiority"]].tolist() == [
        0,
        0,
        0,
        1,
        0,
        40,
        0.5,
    ]
    found = compare({"A": values()["A"] + 1, "B": values()["A"]}, "ap", test="t", n_resamples=100).table.loc[0]
    assert found["p"] < 1e-12
    assert (found["low"], found["high"]) == pytest.approx((1, 1))


def test_lower_is_better_turns_wins_round(monkeypatch):
    table = values(systems=2)
    usual = of(table).table.loc[0]
    read = compare_module.read_design
    turned = lambda *args: dataclasses.replace(read(*args), higher_is_better={"ndcg@10": False})  # noqa: E731
    monkeypatch.setattr(compare_module, "read_design", turned)
    found = of(table).table.loc[0]
    assert (found["wins"], found["losses"]) == (usual["losses"], usual["wins"])
    assert found["superiority"] == pytest.approx(1 - usual["superiority"])
    assert found["difference"] == usual["difference"]


def test_tukey_takes_queries_that_all_have():
    table = values()
    table.loc["q3", "D"] = np.nan
    pairs = of(table, test="t", correction="tukey").table
    assert set(pairs["queries"]) == {39}
    assert of(table, test="t").table["queries"].tolist() == [40, 40, 39, 40, 39, 39]
    pd.testing.assert_frame_equal(pairs, of(table.drop("q3"), test="t", correction="tukey").table)


def test_intervals_where_queries_differ():
    """A pair's interval is from the queries that both have, whatever others there are."""
    table = values(systems=2)
    more = as_mapping(table) | {"B": table["B"].iloc[:30]}
    found = compare(more, "ap", test="t", n_resamples=500).table.loc[0]
    alone = of(table.iloc[:30], test="t").table.loc[0]
    assert found[["low", "high", "p", "mean_a"]].tolist() == pytest.approx(
        alone[["low", "high", "p", "mean_a"]].tolist()
    )


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"test": "z"}, ParameterError, "choose one of 'randomisation', 't', 'wilcoxon'"),
        ({"correction": "bonferroni"}, ParameterError, "'holm', 'tukey', 'none'"),
        ({"baseline": "a"}, ParameterError, "unknown system given as baseline 'a'. Did you mean|Known"),
        ({"confidence": 95}, ParameterError, "confidence=95: must be at least 0.5 and below 1"),
        ({"power": 1.0}, ParameterError, "power=1.0"),
        ({"n_resamples": 10}, ParameterError, "at least 100"),
        ({"random_state": None}, ParameterError, "random_state=None"),
        ({"test": "wilcoxon", "correction": "tukey"}, ParameterError, "goes with test='t' or 'randomisation'"),
        ({"baseline": "A", "correction": "tukey"}, ParameterError, "is over all pairs"),
    ],
)
def test_refusals(options, error, told):
    with pytest.raises(error, match=told):
        compare(as_mapping(values()), "ndcg@10", **options)


def test_few_queries():
    two = compare({"A": pd.Series([0.5, 0.7]), "B": pd.Series([0.1, 0.2])}, "ap", n_resamples=100).table.loc[0]
    assert two["p"] == 0.5
    assert np.isfinite(two[NUMBERS].astype(float)).all()
    with pytest.raises(DataError, match="1 queries"):
        compare({"A": pd.Series([0.5]), "B": pd.Series([0.1])}, "ap")


def test_dict_is_ready_for_json():
    found = of(values(systems=3))
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["settings"]["n_resamples"] == 500
    assert [pair["a"] + pair["b"] for pair in read["pairs"]] == ["AB", "AC", "BC"]
    assert read["pairs"][0]["p"] == found.table.loc[0, "p"]
    assert read["components"][0]["seed"] is None
    assert read["notes"]["ndcg@10"] == found.notes("ndcg@10")


def test_every_table_says_what_it_is():
    found = of(values(systems=3), correction="tukey")
    for text in (str(found), found.to_markdown(), found.to_latex(), found.to_html()):
        plain = re.sub(r"\\(?=[_%&*|])", "", text)
        for said in (
            "ndcg@10: discounted gain",
            "40 queries",
            "1 seed",
            "500 patterns, seed 0",
            "randomised Tukey HSD",
        ):
            assert said in plain, said
        for number in (f"{found.table.loc[0, 'difference']:+.4f}", f"{found.systems.loc[0, 'mean']:.4f}"):
            assert number in text


def test_names_are_escaped():
    table = values(systems=2).set_axis(["a_b & <c>|d", "50%"], axis=1)
    found = of(table)
    assert r"a\_b \& $<$c$>$|d & 50\% &" in found.to_latex()
    assert "<td>a_b &amp; &lt;c&gt;|d</td>" in found._repr_html_()
    assert r"| a\_b & \<c\>\|d | 50% " in found.to_markdown()
    lines = [line for line in found.to_markdown().splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 2  # one number of columns in each table
