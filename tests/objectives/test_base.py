"""What every objective promises: true derivatives, equal engines, weights, naming."""

import dataclasses
import pickle

import numpy as np
import pytest

import gbrank
from gbrank.objectives import OBJECTIVES, SquaredError, Targets
from gbrank.objectives._plain import to_table

NAMES = list(OBJECTIVES)
VARIANTS = [(name, {}) for name in NAMES] + [
    ("lambdarank", {"score_norm": False, "query_norm": False}),
    ("lambdarank", {"truncation": 2}),
    ("lambdarank", {"gain": "linear", "sigmoid": 2.5}),
    ("lambdarank", {"hessian_factor": 2.0}),
    ("pairwise_logistic", {"sigmoid": 0.5}),
    ("focal", {"gamma": 0.0, "alpha": 0.5}),
    ("focal", {"gamma": 5.0, "relevant_from": 3}),
    ("quantile", {"alpha": 0.3}),
]

POINTWISE = ["mse", "mae", "huber", "log_cosh", "quantile", "cross_entropy", "focal", "brier", "hinge", "mcrank",
             "mcrank_focal", "ordinal", "immediate_threshold", "cumulative_logit", "ordinal_cross_entropy"]  # fmt: skip

SIZES = (1, 2, 5, 9, 40)


def random_lists(seed=0, sizes=SIZES, grades=5, ties=False, spread=1.0):
    """Return labels, scores and offsets of a few queries, the last with nothing relevant."""
    rng = np.random.default_rng(seed)
    query_ptr = np.concatenate(([0], np.cumsum(sizes)))
    n = query_ptr[-1]
    y = rng.integers(0, grades, n).astype(float)
    y[query_ptr[-2] :] = 0
    y[query_ptr[2]] = grades - 1
    y[query_ptr[2] + 1] = 0
    score = rng.normal(size=n) * spread
    if ties:
        score = np.round(score)
    return y, score, query_ptr


def shown(query_ptr):
    """Return positions in row order."""
    return np.arange(1, query_ptr[-1] + 1) - np.repeat(query_ptr[:-1], np.diff(query_ptr))


def bound_and_score(name, params, *, engine="compiled", weight=None, seed=0, **lists):
    y, score, query_ptr = random_lists(seed, **lists)
    bound = gbrank.objective(name, **params).bind(
        Targets(y, query_ptr, weight, position=shown(query_ptr)), engine=engine
    )
    if bound.n_outputs > 1:
        score = np.random.default_rng(seed).normal(size=(len(y), bound.n_outputs))
    return bound, score


@pytest.mark.parametrize(("name", "params"), VARIANTS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("spread", [1.0, 500.0])
def test_compiled_engine_equals_the_definition(name, params, ties, spread):
    weight = np.random.default_rng(1).uniform(0.5, 2, 57)
    for weights in (None, weight):
        got, want = (
            bound_and_score(name, params, engine=engine, weight=weights, ties=ties, spread=spread)
            for engine in ("compiled", "numpy")
        )
        for g, w in zip(got[0].gradient_hessian(got[1], 0), want[0].gradient_hessian(want[1], 0), strict=True):
            assert g.shape == w.shape == got[1].shape
            assert np.isfinite(g).all()
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-13 * max(1, np.abs(w).max()))


@pytest.mark.parametrize(("name", "params"), VARIANTS)
def test_gradient_is_the_slope_of_the_loss(name, params):
    if name == "lambdarank":
        params = params | {"score_norm": False, "query_norm": False}  # normalised, it is the gradient of no function
    elif not OBJECTIVES[name].gradient_of_loss:
        pytest.skip("the gradient is that of no loss")
    bound, score = bound_and_score(name, params, engine="numpy", weight=np.random.default_rng(2).uniform(0.5, 2, 57))
    gradient, hessian = bound.gradient_hessian(score, 0)
    factor = params.get("hessian_factor", 1.0)
    step = 1e-5
    for at in np.ndindex(score.shape):
        up, down = score.copy(), score.copy()
        up[at] += step
        down[at] -= step
        slope = (bound.loss(up).sum() - bound.loss(down).sum()) / (2 * step)
        assert slope == pytest.approx(gradient[at], rel=1e-6, abs=1e-8), at
        if OBJECTIVES[name].exact_hessian:
            bend = (bound.gradient_hessian(up, 0)[0][at] - bound.gradient_hessian(down, 0)[0][at]) / (2 * step)
            assert factor * bend == pytest.approx(hessian[at], rel=1e-5, abs=2e-6), at


@pytest.mark.parametrize("name", [n for n in NAMES if OBJECTIVES[n].shift_invariant])
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_shift_invariant_gradients_sum_to_zero_in_each_query(name, engine):
    y, score, query_ptr = random_lists(3, ties=True)
    weight = np.random.default_rng(0).uniform(0.1, 3, len(y))
    how = {"engine": engine, "position": shown(query_ptr)}
    gradient, _ = gbrank.objective(name).gradient_hessian(y, score, query_ptr, weight, **how)
    np.testing.assert_allclose(np.add.reduceat(gradient, query_ptr[:-1]), 0, atol=1e-12)
    shift = np.repeat(np.arange(len(query_ptr) - 1) * 16.0, np.diff(query_ptr))
    moved, _ = gbrank.objective(name).gradient_hessian(y, score + shift, query_ptr, weight, **how)
    np.testing.assert_allclose(moved, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_weight_of_two_doubles_the_terms_of_the_query(name):
    y, _, query_ptr = random_lists(4)
    weight = np.array([1.0, 2, 1, 3, 1])
    plain, weighted = (
        gbrank.objective(name).bind(Targets(y, query_ptr, None, w, shown(query_ptr))) for w in (None, weight)
    )
    score = np.random.default_rng(0).normal(size=(len(y), plain.n_outputs)).squeeze()
    factor = np.repeat(weight, np.diff(query_ptr))
    if hasattr(plain, "thresholds"):  # which depend on the weights: take the same
        weighted.params = plain.params
    if hasattr(plain, "theta"):
        weighted.theta = plain.theta
    for a, b in zip(plain.gradient_hessian(score, 0), weighted.gradient_hessian(score, 0), strict=True):
        np.testing.assert_allclose(b, a * (factor if a.ndim == 1 else factor[:, None]), rtol=1e-12)
    np.testing.assert_allclose(weighted.loss(score), plain.loss(score) * weight, rtol=1e-12)


@pytest.mark.parametrize("name", POINTWISE)
def test_a_document_weight_of_two_is_the_document_twice(name):
    y, _, query_ptr = random_lists(5)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    times = weight.astype(int)
    repeated_ptr = np.concatenate(([0], np.cumsum(np.add.reduceat(times, query_ptr[:-1]))))
    weighted = gbrank.objective(name).bind(Targets(y, query_ptr, weight, position=shown(query_ptr)))
    repeated = gbrank.objective(name).bind(
        Targets(np.repeat(y, times), repeated_ptr, position=np.repeat(shown(query_ptr), times))
    )
    np.testing.assert_allclose(weighted.init_score(), repeated.init_score(), rtol=1e-12)
    score = np.random.default_rng(0).normal(size=(len(y), weighted.n_outputs)).squeeze()
    np.testing.assert_allclose(weighted.loss(score), repeated.loss(np.repeat(score, times, axis=0)), rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_threads_changes_no_bit(name):
    y, score, query_ptr = random_lists(6, sizes=(700, 900, 300, 400, 2000), spread=3)
    one, four = (
        gbrank.objective(name).bind(Targets(y, query_ptr, position=shown(query_ptr)), n_jobs=n) for n in (1, 4)
    )
    score = np.random.default_rng(1).normal(size=(len(y), one.n_outputs)).squeeze()
    for a, b in zip(one.gradient_hessian(score, 0), four.gradient_hessian(score, 0), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(("name", "params"), VARIANTS)
def test_prints_pickles_and_is_found_by_name(name, params):
    objective = gbrank.objective(name, **params)
    assert pickle.loads(pickle.dumps(objective)) == objective
    assert gbrank.objective(name, **objective.params()) == objective
    assert eval(repr(objective), vars(gbrank.objectives) | {type(objective).__name__: type(objective)}) == objective
    assert hash(objective) == hash(gbrank.objective(name, **params))


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'lambdarank'"):
        gbrank.objective("lambdarnk")
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'truncation'"):
        gbrank.objective("lambdarank", truncatoin=3)
    with pytest.raises(gbrank.ParameterError, match="give the name"):
        gbrank.objective(3)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("lambdarank", {"truncation": 0}),
        ("lambdarank", {"sigmoid": -1}),
        ("lambdarank", {"gain": "cubic"}),
        ("focal", {"alpha": 1.0}),
        ("quantile", {"alpha": 0}),
        ("ordinal", {"refit_every": 0.5}),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(name, params):
    with pytest.raises(gbrank.ParameterError, match=next(iter(params))):
        gbrank.objective(name, **params)


@pytest.mark.parametrize("name", ["lambdarank", "pairwise_logistic"])
@pytest.mark.parametrize(("y", "ptr"), [([0, 1, 2.0], [0, 1, 2, 3]), ([1, 1, 1.0], [0, 3])])
def test_no_pair_is_refused_with_the_reason(name, y, ptr):
    with pytest.raises(gbrank.DataError, match=r"none of the . queries has two documents with different labels"):
        gbrank.objective(name).gradient_hessian(y, [0, 0, 0], ptr)


@pytest.mark.parametrize("name", [n for n in POINTWISE if n not in ("mse", "mae", "huber", "log_cosh", "quantile")])
def test_one_grade_is_refused_with_the_reason(name):
    with pytest.raises(gbrank.DataError, match=r"nothing to (tell|learn)"):
        gbrank.objective(name).gradient_hessian([0, 0, 0], [0, 0, 0], [0, 3])


@pytest.mark.parametrize("name", ["lambdarank", "ordinal", "mcrank"])
@pytest.mark.parametrize("bad", [-1, 0.5, 5000])
def test_labels_that_are_no_grades_are_refused_with_their_row(name, bad):
    with pytest.raises(gbrank.DataError, match=r"label .* in row 1"):
        gbrank.objective(name).gradient_hessian([0, bad, 1], [0, 0, 0], [0, 3])


def test_scores_that_do_not_fit_are_refused():
    with pytest.raises(gbrank.DataError, match="NaN"):
        gbrank.objective("lambdarank").gradient_hessian([0, 1], [0, np.nan], [0, 2])
    with pytest.raises(gbrank.DataError, match="shape"):
        gbrank.objective("lambdarank").gradient_hessian([0, 1], [[0, 1]], [0, 2])
    with pytest.raises(gbrank.DataError, match="label column"):
        gbrank.objective("lambdarank").bind(Targets(np.zeros((2, 2)), np.array([0, 2])))
    with pytest.raises(gbrank.ParameterError, match="engine"):
        gbrank.objective("mse").gradient_hessian([0, 1], [0, 1], [0, 2], engine="fast")


def test_names_are_found_as_classes_are_written_and_none_as_text():
    for written in ("PLRank", "plrank", "PL-Rank", "LambdaRank", "lambdamart"):
        assert gbrank.objective(written).name in ("pl_rank", "lambdarank")
    assert gbrank.objective("lambdarank", truncation="none").truncation is None
    assert gbrank.objective("yeti", noise="none").noise == "none"
    with pytest.raises(gbrank.ParameterError, match="truncation"):
        gbrank.objective("lambdarank", truncation="all")


def test_a_table_of_an_objective_gives_the_same_objective():
    for given in (gbrank.objective("lambdarank", truncation=None), gbrank.objective("sampled_softmax", negatives=None)):
        assert gbrank.objective(**to_table(given)) == given


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("lambdarank", {"truncation": np.int64(3), "sigmoid": np.float32(2)}, "LambdaRank(truncation=3, sigmoid=2.0)"),
        ("mse", {}, "SquaredError()"),
        ("cross_entropy", {"relevant_from": np.float64(2)}, "CrossEntropy(relevant_from=2.0)"),
        ("quantile", {"alpha": np.array([0.25, 0.5])}, "Quantile(alpha=(0.25, 0.5))"),
        ("mcrank", {"class_weight": [np.float64(1), np.int32(2)]}, "McRank(class_weight=(1.0, 2.0))"),
        ("rank_bce", {"query_norm": np.True_}, "RankBCE(query_norm=True)"),
        ("combined", {"parts": ["mse"], "weights": np.array([2.0])}, "2 * SquaredError()"),
    ],
)
def test_numbers_of_numpy_become_those_of_python(name, given, text):
    made = gbrank.objective(name, **given)
    assert repr(made) == text
    assert eval(text, vars(gbrank.objectives)) == made == pickle.loads(pickle.dumps(made))
    assert not any(isinstance(value, np.generic | np.ndarray) for value in made.params().values())


def test_a_class_that_does_not_call_the_first_check_has_its_numbers_converted_too():
    @dataclasses.dataclass(frozen=True, repr=False)
    class Mine(SquaredError):  # noqa: N818
        width: float = 1.0

        def __post_init__(self):
            assert type(self.width) is float

    assert repr(Mine(np.float32(0.5))) == "Mine(width=0.5)"


@pytest.mark.parametrize("relevant_from", [1.0, 3.0])
@pytest.mark.parametrize("name", ["cross_entropy", "focal", "brier", "hinge", "rank_bce", "triplet", "info_nce"])
def test_shares_for_labels_are_told_where_relevance_begins_above_them(name, relevant_from):
    y = np.array([0, 0.2, 0.9, 0.4])
    with pytest.raises(gbrank.DataError, match=r"at least relevant_from=\d, for labels go from 0 to 0\.9: if"):
        gbrank.objective(name, relevant_from=relevant_from).bind(Targets(y, np.array([0, 4])))


@pytest.mark.parametrize("weight", ["map", "mrr"])
def test_pairs_of_nothing_relevant_are_told(weight):
    with pytest.raises(gbrank.DataError, match=r"at least relevant_from=1, for the highest is 0\.9"):
        gbrank.objective("ranknet", weight=weight).bind(Targets(np.array([0, 0.2, 0.9]), np.array([0, 3])))


def test_a_parameter_that_is_not_there_has_a_nearest():
    for given in ("lambdarank", gbrank.objectives.LambdaRank, gbrank.objectives.LambdaRank()):
        with pytest.raises(gbrank.ParameterError, match="Did you mean 'truncation'"):
            gbrank.objective(given, truncaton=3)
