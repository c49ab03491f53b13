"""`check_measure`: every measure passes, and each check fails of a measure that breaks its promise."""

import itertools

import numpy as np
import pytest

from gbrank import GbrankWarning, list_measure
from gbrank.metrics import Measure
from gbrank.metrics._definitions import MEASURES
from gbrank.testing import check_measure

BUILT_IN = [name for name in MEASURES if MEASURES[name].own is None]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_measure_passes(name):
    aspects = np.random.default_rng(0).random((2000, 1)) if name == "novelty" else None
    whole = f"{name}@4" if MEASURES[name].cutoff == "needed" else name
    rules = ["", "(ties=sampled, tie_samples=2)", "(ties=trec)"]
    for rule in rules if "ties" in MEASURES[name].uses else [""]:
        assert check_measure(f"{whole}{rule}", aspects=aspects)


def test_a_function_with_a_memory_fails(monkeypatch):
    monkeypatch.setattr(MEASURES, "_table", dict(MEASURES._table))
    calls = []

    @list_measure
    def counting(labels):
        calls.append(len(labels))
        return float(len(calls))

    with pytest.warns(GbrankWarning, match="cannot be compiled"):
        report = check_measure("counting(tie_samples=1)", on_fail=None)
    assert {check.name for check in report.failures} >= {"the same again", "nothing depends on other queries"}
    with pytest.raises(AssertionError, match=r"counting\(tie_samples=1\) fails"):
        check_measure("counting(tie_samples=1)")
    with pytest.warns(GbrankWarning, match=r"counting\(tie_samples=1\) fails"):
        check_measure("counting(tie_samples=1)", on_fail="warn")


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        ("one number for each query", lambda y, score: np.full(len(y), np.inf)),
        ("nothing depends on a constant", lambda y, score: score),
        ("nothing depends on the scale", lambda y, score: score - score.max()),
        ("nothing depends on the order of rows", lambda y, score: y[:1] * np.ones(len(y))),
    ],
)
def test_each_check_can_fail(monkeypatch, check, broken):
    def call(self, y, score, query_ptr, doc_id=None, *, aspects=None, n_jobs=None):
        placed = np.where(np.isneginf(score), -1, score)
        return np.array([broken(y[a:b], placed[a:b])[0] for a, b in itertools.pairwise(query_ptr)])

    monkeypatch.setattr(Measure, "__call__", call)
    assert not check_measure("ap", on_fail=None)[check].passed
