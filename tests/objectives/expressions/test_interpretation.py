"""Both engines run the same expression."""

import contextlib

import numpy as np
import pytest

from gbrank import DataError, ParameterError
from gbrank.objectives import ExpressionLoss, Targets
from gbrank.objectives._expressions import LEAVES, Unary, parse
from gbrank.objectives._expressions.programs import HEADER, program

RNG = np.random.default_rng(7)
SIZES = np.array([1, 2, 40, 7, 3, 150, 12])
PTR = np.append(0, np.cumsum(SIZES))
Y = RNG.integers(0, 4, PTR[-1]).astype(float)
Y[PTR[4] : PTR[5]] = 1.0  # a query without pairs
SCORE = RNG.normal(size=PTR[-1]) * 2
SCORE[PTR[2] : PTR[2] + 9] = 0.25  # ties
WEIGHT = RNG.uniform(0.5, 2, PTR[-1])
DATA = Targets(Y, PTR, WEIGHT, RNG.uniform(0.5, 2, len(SIZES)))
OPTIONS = (
    {},
    {"truncation": 1},
    {"truncation": 5, "score_norm": True, "query_norm": True},
    {"gain": "linear", "hessian_factor": 2.0},
    {"rank_smoothing": 0.5, "ties": "shuffled"},
)


def losses(random_expression, start, count, kind, **options):
    """Yield those of `count` random expressions from which, or from the negative, there is something to learn."""
    for seed in range(start, start + count):
        e = random_expression(seed, kind=kind)
        for loss in (e, Unary("negate", e)):
            with contextlib.suppress(ParameterError):
                yield ExpressionLoss(loss, **options)
                break


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
def test_engines_agree_on_pairs(random_expression, options):
    tried = 0
    for loss in losses(random_expression, 0, 60, "pair", **options):
        want = loss.bind(DATA, engine="numpy").gradient_hessian(SCORE, 0)
        got = loss.bind(DATA, n_jobs=1).gradient_hessian(SCORE, 0)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11 * np.abs(b).max(), err_msg=str(loss))
        tried += 1
    assert tried > 10


def test_threads_do_not_change_a_bit():
    many = Targets(np.tile(Y, 20), np.append(0, np.cumsum(np.tile(SIZES, 20))))
    score = RNG.normal(size=len(many.y))
    for loss in (ExpressionLoss("exp(-d) * dD * dG", truncation=5), ExpressionLoss("log(1 + (s - y)**2)")):
        one, two = (loss.bind(many, n_jobs=threads).gradient_hessian(score, 0) for threads in (1, 2))
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_engines_agree_on_documents(random_expression):
    for loss in losses(random_expression, 0, 300, "point"):
        want = loss.bind(DATA, engine="numpy").gradient_hessian(SCORE, 0)
        got = loss.bind(DATA, n_jobs=1).gradient_hessian(SCORE, 0)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11 * np.abs(b).max(), err_msg=str(loss))


def test_nothing_but_numbers_in_training(random_expression):
    """At scores large and small, gradients are finite and cancel in each query, and hessians are finite, 0 or more."""
    tried = 0
    for loss in losses(random_expression, 10**6, 1000, "pair", truncation=10):
        bound = loss.bind(DATA, n_jobs=1)
        for scale in (0.0, 1.0, 1e6):
            gradient, hessian = bound.gradient_hessian(scale * SCORE, 0)
            assert np.isfinite(gradient).all(), loss
            assert np.isfinite(hessian).all(), loss
            assert (hessian >= 0).all(), loss
            sums = np.add.reduceat(gradient, PTR[:-1])
            assert (np.abs(sums) <= 1e-10 * np.add.reduceat(np.abs(gradient), PTR[:-1])).all(), loss
        tried += 1
    assert tried > 400


def test_value_and_gradient_of_the_sum(random_expression):
    """The gradient of a list is that of its loss, by a difference quotient."""
    loss = ExpressionLoss("softplus(-d) * dG / (1 + ri) + square(d - dY) / (rj + IDCG)", truncation=6)
    bound, step = loss.bind(DATA, engine="numpy"), 1e-5
    gradient, _ = bound.gradient_hessian(SCORE, 0)
    for row in (PTR[2] + 20, PTR[5] + 3, PTR[5] + 77):
        moved = np.zeros(len(SCORE))
        moved[row] = step
        quotient = (bound.loss(SCORE + moved) - bound.loss(SCORE - moved)).sum() / (2 * step)
        np.testing.assert_allclose(gradient[row], quotient, rtol=1e-6)


def test_leaves_of_a_pair():
    """Each leaf by hand: two documents, the better of which ranks second."""
    values = {
        "dG": 6,
        "dD": 1 - 1 / np.log2(3),
        "dY": 2,
        "Gi": 7,
        "Gj": 1,
        "ri": 2,
        "rj": 1,
        "IDCG": 7 + 1 / np.log2(3),
    }
    assert {"d", *values} == set(LEAVES["pair"])
    for name, value in values.items():
        for engine in ("numpy", "compiled"):
            g, h = ExpressionLoss(f"{name} * exp(-d)").gradient_hessian([1, 3], [0.5, 0.0], [0, 2], engine=engine)
            np.testing.assert_allclose(g, value * np.exp(0.5) * np.array([1, -1]), rtol=1e-14, err_msg=name)
            np.testing.assert_allclose(h, value * np.exp(0.5), rtol=1e-14, err_msg=name)


def test_labels_need_be_grades_only_for_gains():
    halves = [0.5, 2.5]
    g, _ = ExpressionLoss("exp(-d) * dY").gradient_hessian(halves, [0.0, 0.0], [0, 2])
    assert g.tolist() == [2, -2]
    with pytest.raises(DataError, match="grade"):
        ExpressionLoss("exp(-d) * dG").gradient_hessian(halves, [0.0, 0.0], [0, 2])
    g, _ = ExpressionLoss("exp(-d) * dG", gain="linear").gradient_hessian(halves, [0.0, 0.0], [0, 2])
    assert g.tolist() == [2, -2]


def test_programs_compute_what_is_shared_once():
    shared = parse("exp(-d) * exp(-d) + max(exp(-d), 2)")
    registers, _, constants, instructions = program(shared, "pair")[:HEADER]
    assert (constants, instructions) == (1, 5)  # negate, exp, multiply, max, add
    assert registers <= 2 + 4
