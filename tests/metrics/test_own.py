"""Measures that users make."""

import functools
import warnings

import numpy as np
import pytest

from gbrank import GbrankWarning, ParameterError, list_measure, measure
from gbrank.metrics._definitions import MEASURES


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    """Let the registry forget what a test adds."""
    monkeypatch.setattr(MEASURES, "_table", dict(MEASURES._table))


@pytest.fixture(scope="module")
def lists():
    rng = np.random.default_rng(0)
    query_ptr = np.concatenate(([0], np.cumsum(rng.integers(1, 30, 100))))
    n = int(query_ptr[-1])
    score = rng.integers(0, 6, n).astype(float)
    score[rng.random(n) < 0.2] = -np.inf
    y = rng.integers(0, 3, n).astype(float)
    y[rng.random(n) < 0.1] = -1
    return y, score, query_ptr


def test_own_versions_are_the_built_in_measures(lists):
    @list_measure(name="my_rr", binary=True)
    def reciprocal_rank(labels):
        for place in range(len(labels)):
            if labels[place] == 1:
                return 1 / (place + 1)
        return 0.0

    @list_measure(name="my_recall", binary=True, cutoff="needed")
    def recall(labels, all_labels):
        return labels.sum() / all_labels.sum()

    @list_measure
    def my_dcg(labels):
        return np.sum((2**labels - 1) / np.log2(np.arange(2, len(labels) + 2)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for mine, theirs in (("my_rr", "rr"), ("my_rr@3", "rr@3"), ("my_recall@5", "r@5"), ("my_dcg@7", "dcg@7")):
            for rules in ({"ties": "sampled"}, {"ties": "stable"}, {"ties": "trec"}, {"ties": "reversed"}):
                for more in ({}, {"no_relevant": 0}, {"unjudged": "removed"}, {"missing_queries": "skip"}):
                    got, wanted = (measure(name, **rules, **more)(*lists) for name in (mine, theirs))
                    np.testing.assert_allclose(got, wanted, rtol=1e-12, err_msg=f"{mine} {rules} {more}")
    strict, loose = (measure("my_rr", relevant_from=level, no_relevant=0)(*lists) for level in (2, 1))
    assert strict.sum() < loose.sum()


def test_it_reads_and_prints_like_any_other():
    @list_measure(higher_is_better=False)
    def first_bad(labels):
        """Place of the first document of label 0."""
        return float(np.argmin(labels))

    m = measure("first_bad@10", tie_seed=3)
    assert str(m) == "first_bad@10(tie_seed=3)"
    assert measure(str(m)) == m
    assert m.ties == measure("first_bad").ties == "sampled"
    assert m.closed_forms == ("stable", "reversed", "trec")
    assert not m.higher_is_better
    assert first_bad(np.array([1.0, 0.0])) == 1
    with pytest.raises(ParameterError, match="no closed form"):
        measure("first_bad", ties="expected")
    with pytest.raises(ParameterError, match="does not depend on gain"):
        measure("first_bad", gain="linear")


def test_what_cannot_be_compiled_runs_as_python_with_one_warning(lists):
    @list_measure
    def best_of_text(labels):
        return max((float(f"{label:.1f}") for label in labels), default=0.0)

    @list_measure
    def best(labels):
        return labels.max() if len(labels) else 0.0

    with pytest.warns(GbrankWarning, match="best_of_text: cannot be compiled and runs as Python") as caught:
        slow, again = (measure("best_of_text@3", tie_samples=5)(*lists) for _ in range(2))
    assert len(caught) == 1
    np.testing.assert_array_equal(slow, again)
    np.testing.assert_allclose(slow, measure("best@3", tie_samples=5)(*lists))


def test_a_cell_run_again_replaces_its_measure():
    def make(factor):
        @list_measure
        def scaled(labels):
            return factor * labels.sum()

        return scaled

    for factor in (2.0, 3.0):
        make(factor)
        assert measure("scaled")([1, 1], [1, 0], [0, 2])[0] == 2 * factor


def plain_sum(labels):
    return labels.sum()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndcg", "the measure 'ndcg' exists already"),
        ("MAP", "the measure 'MAP' exists already"),
        ("gauc", "exists already"),
        ("P_5", "exists already"),
        ("a b", "give it a name that Python could use"),
        ("größe", "give it a name that Python could use"),
    ],
)
def test_names_that_are_refused(name, message):
    with pytest.raises(ParameterError) as error:
        list_measure(name=name)(plain_sum)
    assert message in str(error.value)


def test_another_function_may_not_take_the_name():
    list_measure(name="taken")(plain_sum)
    list_measure(name="taken")(plain_sum)
    with pytest.raises(ParameterError, match="'taken' exists already"):
        list_measure(name="taken")(lambda labels: 1.0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: 1.0, "takes the labels in ranked order"),
        (lambda labels, *more: 1.0, "takes the labels in ranked order"),
        (lambda a, b, c: 1.0, "takes the labels in ranked order"),
        (lambda labels: labels, "returns array([1., 0., 2.]) of the labels 1, 0, 2; return a number"),
        (lambda labels: labels[5], "fails on the labels 1, 0, 2 (IndexError"),
        (functools.partial(plain_sum), "decorates a function"),
        (3, "decorates a function"),
    ],
)
def test_functions_that_are_refused(function, message):
    with pytest.raises(ParameterError) as error:
        list_measure(name="refused")(function)
    assert message in str(error.value)
    assert "refused" not in MEASURES
    with pytest.raises(ParameterError, match="cutoff='yes'"):
        list_measure(cutoff="yes")
