"""`check_objective`: the built-in objectives pass, and each promise broken on purpose is found by the check of it."""

import dataclasses
import functools
import itertools
import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import gbrank
from gbrank.objectives import OBJECTIVES, Bound, Objective, PairwiseLogistic, SquaredError
from gbrank.objectives._base import Targets
from gbrank.testing import CheckReport, check_objective
from gbrank.testing._case import Case
from gbrank.testing._compare import quotients
from gbrank.testing._data import labels_for, reordered, spread_scores
from gbrank.testing._numbers import OF_NUMBERS
from gbrank.testing._values import OF_VALUES

GRADIENT, HESSIAN = "gradient is the slope of the loss", "hessian is the slope of the gradient"
FINITE, ODD = "finite at extreme scores", "one document, equal labels, 1,000 documents"
NEGATIVE, SHIFT, ENGINES, ORDER = "hessian not negative", "shift invariance", "engines agree", "query order"
QUERY_WEIGHTS, WEIGHTS, REPEATED = "query weights", "document weights", "same round, same numbers"


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_every_objective_keeps_its_promises(name):
    report = check_objective(name)
    assert report.ok
    assert [check.name for check in report.checks] == [*OF_NUMBERS, *OF_VALUES]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("focal", {"gamma": 0.0, "alpha": 0.5}),
        ("focal", {"relevant_from": 3}),
        ("pairwise_logistic", {"sigmoid": 3.0}),
        ("quantile", {"alpha": 0.2}),
    ],
)
def test_promises_hold_for_other_parameters(name, params):
    assert check_objective(gbrank.objective(name, **params), random_state=1)


# A sound objective, spoilt in one way.

SPOIL = {
    "": lambda g, h, s, engine: (g, h),
    "sign": lambda g, h, s, engine: (-g, h),
    "one place": lambda g, h, s, engine: (g + 1e-3 * (np.arange(len(s)) == 3), h),
    "hessian": lambda g, h, s, engine: (g, 2 * h),
    "nan": lambda g, h, s, engine: (np.where(np.abs(s) > 400, np.nan, g), h),
    "infinite hessian": lambda g, h, s, engine: (g, np.where(np.abs(s) > 400, np.inf, h)),
    "negative": lambda g, h, s, engine: (g, np.where(s == 0, -1.0, h)),
    "engines": lambda g, h, s, engine: (g * (1 + 1e-5 * (engine == "compiled")), h),
    "shape": lambda g, h, s, engine: (g[:, None], h),
    "whole numbers": lambda g, h, s, engine: (g, np.ones(len(s), dtype=int)),
    "no pair": lambda g, h, s, engine: np.array([g, h]),
}


@functools.cache
def sound(kind, engine, score, query_ptr, y, *weights):
    """Return the loss, or gradient and hessian, without a fault, of bytes: most faults are asked the same."""
    score, y, *weights = (None if each is None else np.frombuffer(each).copy() for each in (score, y, *weights))
    targets = Targets(y, np.frombuffer(query_ptr, np.int64).copy(), *weights)
    bound = PairwiseLogistic().bind(targets, engine=engine, n_jobs=1)
    return bound.loss(score) if kind == "loss" else bound.gradient_hessian(score, 0)


class SpoiltBound(Bound):
    """Logistic loss of pairs with a fault."""

    def __init__(self, data, engine, fault):
        if fault == "deaf":
            data = data._replace(query_weight=None)
        self.data, self.engine, self.fault, self.calls = data, engine, fault, 0
        arrays = data.query_ptr, data.y, data.sample_weight, data.query_weight
        self.bytes = [None if each is None else each.tobytes() for each in arrays]
        self.renews_leaves = fault == "leaves"

    def sound(self, kind, score):
        return sound(kind, self.engine, score.tobytes(), *self.bytes)

    def scale(self):
        """A factor of each query's terms that should be 1."""
        n_queries = len(self.data.query_ptr) - 1
        if self.fault == "numbered":
            return 1.0 + np.arange(n_queries)
        return np.full(n_queries, 2.0 if self.fault == "weights" and self.data.sample_weight is not None else 1.0)

    def gradient_hessian(self, score, round):
        g, h = self.sound("gradient", score)
        factor = np.repeat(self.scale(), np.diff(self.data.query_ptr))
        self.calls += 1
        if self.fault == "drift":
            g, h = g + 0.1 * score, h + 0.1
        if self.fault == "memory":
            factor = factor * (1 + 1e-12 * self.calls)
        if self.fault == "raises":
            raise TypeError("no")
        return SPOIL.get(self.fault, SPOIL[""])(g * factor, h * factor, score, self.engine)

    def loss(self, score):
        value = self.sound("loss", score)
        if self.fault == "drift":
            value = value + 0.05 * np.add.reduceat(score**2, self.data.query_ptr[:-1])
        if self.fault == "in place":
            score[:] = 0.0
        return value * self.scale()

    def leaf_values(self, score, leaf):
        return np.array([0.0, np.nan, 1.0])


@dataclass(frozen=True, repr=False)
class Spoilt(Objective):
    """Logistic loss of pairs with a fault."""

    name: ClassVar[str] = "spoilt"
    shift_invariant: ClassVar[bool] = True
    fault: str = ""

    def bind(self, data, *, engine="compiled", n_jobs=None):
        if self.fault == "refuses":
            raise gbrank.DataError("labels are wrong.")
        return SpoiltBound(data, engine, self.fault)

    def transform(self, score, state):
        return score[:2] if self.fault == "transform" else score


@functools.cache
def report_of(fault):
    """Return the report of `Spoilt`, made once."""
    return check_objective(Spoilt(fault), on_fail=None)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("", []),
        ("sign", [GRADIENT, HESSIAN]),
        ("hessian", [HESSIAN]),
        ("nan", [FINITE, ODD]),
        ("infinite hessian", [FINITE, ODD]),
        ("negative", [NEGATIVE]),
        ("drift", [SHIFT, QUERY_WEIGHTS, WEIGHTS]),
        ("engines", [ENGINES]),
        ("shape", ["shapes"]),
        ("whole numbers", ["shapes"]),
        ("no pair", ["shapes"]),
        ("numbered", [ORDER]),
        ("deaf", [QUERY_WEIGHTS]),
        ("weights", [WEIGHTS]),
        ("memory", [REPEATED]),
        ("in place", [REPEATED]),
        ("leaves", ["after a round"]),
        ("transform", ["after a round"]),
        ("refuses", ["labels are taken"]),
        ("raises", ["shapes"]),
    ],
)
def test_a_broken_promise_is_found_by_its_check(fault, found):
    report = report_of(fault)
    assert [check.name for check in report.failures] == found
    assert report["name"] == ("name", "skipped", "'spoilt' is not registered")
    assert bool(report) == report.ok == (not found)


def test_one_wrong_place_is_named_with_both_values():
    report = report_of("one place")
    assert report.failures[0].name == GRADIENT
    found = report[GRADIENT].detail
    assert found.startswith("row 3 (query 0, label 3.0, score ")
    told = [float(each) for each in found.rstrip(".").replace("gradient ", "").replace("difference quotient ", "")
            .split("): ")[1].split(", ")]  # fmt: skip
    assert told[0] - told[1] == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize(
    ("fault", "check", "told"),
    [
        ("nan", FINITE, r"^numpy engine, scores of 500 and -500: row \d+ \(query .*score -?500\): gradient nan; so at"),
        ("negative", NEGATIVE, r"scores of 0: row 0 \(.*\): hessian -1; floor it"),
        ("engines", ENGINES, r"^spread scores: row 0 .*: gradient \S+ on the compiled engine, \S+ on the numpy one"),
        ("shape", "shapes", r"numpy engine: gradient has the shape \(121, 1\) instead of \(121,\)"),
        ("whole numbers", "shapes", "hessian is an array of int64, not an array of floats"),
        ("drift", SHIFT, r"row 0 .*: gradient \S+ after adding a constant to the query's scores, \S+ before"),
        ("numbered", ORDER, r"after the queries were put in another order"),
        ("deaf", QUERY_WEIGHTS, r"row 0 .*the weight times that without is"),
        ("in place", REPEATED, "numpy engine: the scores given were changed in place"),
        ("transform", "after a round", r"transform returned the shape \(2,\)"),
        ("refuses", "labels are taken", r"bind raised DataError: labels are wrong. Give labels .* as y="),
        ("raises", "shapes", "raised TypeError: no"),
    ],
)  # fmt: skip
def test_failures_say_where_and_what(fault, check, told):
    assert re.search(told, report_of(fault)[check].detail)


def test_the_report_prints_a_line_for_each_check():
    report = report_of("hessian")
    assert isinstance(report, CheckReport)
    lines = str(report).splitlines()
    assert lines[0].endswith(": 16 passed, 1 failed, 1 skipped")
    assert len(lines) == 1 + len(report.checks)
    assert sum(line.startswith(f"failed   {HESSIAN}: row 0 ") for line in lines) == 1
    assert "skipped  name: 'spoilt' is not registered" in lines
    told = "fails 1 of 18 checks:\n  hessian is the slope of the gradient: row 0"
    with pytest.raises(AssertionError, match=told):
        report.raise_if_failed()
    with pytest.raises(AssertionError, match=told):
        check_objective(Spoilt("hessian"))
    with pytest.warns(gbrank.GbrankWarning, match="fails 1 of 18"):
        assert not check_objective(Spoilt("hessian"), on_fail="warn")


@dataclass(frozen=True, repr=False)
class Declares(Spoilt):
    """Says itself that nothing of it is exact."""

    exact_hessian: ClassVar[bool] = False
    gradient_of_loss: ClassVar[bool] = False
    shift_invariant: ClassVar[bool] = False


def test_what_is_not_promised_is_skipped_with_the_reason():
    report = check_objective(Declares("sign"), engines=["numpy"])
    skipped = {check.name: check.detail for check in report.checks if check.outcome == "skipped"}
    assert skipped == {
        GRADIENT: "no loss of its own (gradient_of_loss is False)",
        HESSIAN: "a surrogate (exact_hessian is False)",
        SHIFT: "not declared (shift_invariant is False)",
        ENGINES: "only the numpy engine was asked for",
        "name": "'spoilt' is not registered",
    }


class DrawnBound(SpoiltBound):
    """Each query's terms have a random factor, drawn by seed, round and number of the query."""

    def gradient_hessian(self, score, round):
        g, h = self.sound("gradient", score)
        n_queries = len(self.data.query_ptr) - 1
        draws = np.array([np.random.default_rng((0, round, q)).uniform(0.5, 1.5) for q in range(n_queries)])
        factor = np.repeat(draws, np.diff(self.data.query_ptr))
        return g * factor, h * factor


@dataclass(frozen=True, repr=False)
class Drawn(Declares):
    """An objective that draws."""

    def bind(self, data, *, engine="compiled", n_jobs=None):
        return DrawnBound(data, engine, "")


def test_draws_are_by_round_and_query():
    report = check_objective(Drawn())
    assert report[ORDER].detail == "draws for each query by its number"
    assert report[REPEATED].outcome == "passed"


# The objective as a value.


class NoDataclass(Spoilt):
    """A field without the decorator that makes it one."""

    margin: float = 1.0


@dataclass(frozen=True, repr=False)
class Takes(Spoilt):
    """Has the name of another."""

    name: ClassVar[str] = "mse"


@dataclass(frozen=True, repr=False)
class Shows(Spoilt):
    """Prints what cannot be evaluated."""

    def __repr__(self):
        return "<shows>"


@dataclass(frozen=True, repr=False)
class Forgets(Spoilt):
    """Prints and pickles without its parameter."""

    def __repr__(self):
        return "Forgets()"

    def __reduce__(self):
        return Forgets, ()


def test_values_that_are_no_values():
    @dataclass(frozen=True, repr=False)
    class Local(Spoilt):
        """Cannot be found again by pickle."""

    for objective, found in (
        (NoDataclass(), {"parameters": "put @dataclass(frozen=True) above"}),
        (Takes(), {"name": "'mse' is that of SquaredError"}),
        (Shows(), {"repr": "<shows> cannot be evaluated: SyntaxError"}),
        (Forgets("other"), {"pickling": "came back", "repr": "makes another objective"}),
        (Local(), {"pickling": "Local"}),
    ):
        report = check_objective(objective, engines=["numpy"], on_fail=None)
        assert {check.name for check in report.failures} == set(found), report
        assert all(text in report[name].detail for name, text in found.items()), report


# What may be given.


def test_labels_scores_and_names_may_be_given():
    y, ptr = [0.0, 1, 1, 0, 1], [0, 3, 5]
    assert check_objective("focal", y=y, query_ptr=ptr, score=[0.1, -1, 2, 0.5, 0.7])
    assert check_objective(PairwiseLogistic, y=y)
    report = check_objective(SquaredError(), y=y, score=[1.0, 2], on_fail=None)
    assert report["labels are taken"].detail == "score= has the shape (2,) instead of (5,)."
    report = check_objective("mcrank", y=[0.5, 1], on_fail=None)
    assert "needs whole grades" in report["labels are taken"].detail


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"objective": 3}, "give an Objective"),
        ({"objective": "msee"}, "Did you mean 'mse'"),
        ({"engines": ["fast"]}, "engine='fast'"),
        ({"engines": []}, "at least one"),
        ({"on_fail": "cry"}, "on_fail='cry'"),
        ({"query_ptr": [0, 2]}, "give y, too"),
        ({"y": [0, np.nan]}, "row 1 is nan"),
    ],
)
def test_wrong_arguments_are_refused(arguments, told):
    with pytest.raises(gbrank.GbrankError, match=told):
        check_objective(**{"objective": "mse"} | arguments)


# Its own tools.


def test_the_usual_data_have_every_kind_of_query():
    data = labels_for(None, None, np.random.default_rng(0))
    queries = np.split(data.y, data.query_ptr[1:-1])
    assert {len(each) for each in queries} >= {1, 60}
    assert set(data.y) == {0, 1, 2, 3, 4}
    assert not queries[-1].any()
    assert any(len(set(each)) < len(each) for each in queries)
    better, worse = data.pairs.T
    assert (data.y[better] > data.y[worse]).all()
    query = np.searchsorted(data.query_ptr, data.pairs, side="right")
    assert (query[:, 0] == query[:, 1]).all()
    assert (np.diff(query[:, 0]) >= 0).all()


def test_other_order_of_queries_keeps_labels_and_preferences():
    data = labels_for([3.0, 1, 2, 0, 0, 4], [0, 2, 3, 6], np.random.default_rng(0))
    moved, rows = reordered(data, np.array([2, 0, 1]))
    assert moved.query_ptr.tolist() == [0, 3, 5, 6]
    assert rows.tolist() == [3, 4, 5, 0, 1, 2]
    assert moved.y.tolist() == [0, 0, 4, 3, 1, 2]
    kept = {(int(rows[a]), int(rows[b]), w) for (a, b), w in zip(moved.pairs, moved.pair_weight, strict=True)}
    assert kept == {(int(a), int(b), w) for (a, b), w in zip(data.pairs, data.pair_weight, strict=True)}
    assert moved.pairs[:, 0].tolist() == sorted(moved.pairs[:, 0])


def test_scores_of_a_query_keep_their_distance():
    ptr = np.array([0, 1, 61, 70])
    for outputs in (1, 3):
        scores = spread_scores(ptr, outputs, np.random.default_rng(0)).reshape(70, outputs)
        for start, end in itertools.pairwise(ptr):
            gaps = np.diff(np.sort(scores[start:end], axis=0), axis=0)
            assert (gaps > 0.03).all()
        assert np.abs(scores).max() < 4


def test_quotients_of_a_cubic_are_exact():
    score = np.array([1.0, 2.0, -1.0])
    found = quotients(lambda s: s**3, np.array([0, 2, 3]), score, np.random.default_rng(0))
    assert found.taken.all()
    np.testing.assert_allclose(found.values, np.broadcast_to(3 * score**2, (2, 3)), rtol=1e-9)


def test_trials_are_made_once(monkeypatch):
    case = Case(Spoilt(), labels_for(None, None, np.random.default_rng(0)), None, 0, ["numpy"])
    assert case.trials(case.odd) is case.trials(case.odd)
    assert dataclasses.is_dataclass(case.objective)
