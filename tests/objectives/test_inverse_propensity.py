"""Corrections by propensities: unbiased over all patterns of examination, and nothing where all is examined."""

import itertools
import tracemalloc
import warnings

import numpy as np
import pytest

import gbrank
from gbrank.objectives import AffineCorrection, EstimatedRelevance, InversePropensity, Targets

POINTWISE = ["cross_entropy", "mse", "huber", "log_cosh", "focal", "brier", "hinge"]
LINEAR = [*POINTWISE, "softmax"]
PAIRS = ["pairwise_logistic", "pairwise_hinge", "pairwise_exponential", "pairwise_focal", "lambdarank"]
P = (0.9, 0.5, 0.25)
SCORE = np.array([0.3, -0.7, 1.1])
PTR = np.array([0, 3])


def random_clicks(seed=0, sizes=(1, 4, 9, 30), rate=0.4):
    """Return clicks, scores, offsets, and positions in random order within each query."""
    rng = np.random.default_rng(seed)
    ptr = np.append(0, np.cumsum(sizes))
    y = (rng.random(ptr[-1]) < rate) * 1.0
    y[ptr[1]], y[ptr[1] + 1] = 1, 0
    position = np.concatenate([1 + rng.permutation(n) for n in sizes])
    return y, rng.normal(size=len(y)), ptr, position


def numbers(objective, y, score, ptr, position=None, engine="numpy", **weights):
    bound = objective.bind(Targets(y, ptr, position=position, **weights), engine=engine, n_jobs=1)
    return *bound.gradient_hessian(score, 0), bound.loss(score), bound.init_score()


@pytest.mark.parametrize(
    ("name", "engine"),
    [(name, "numpy") for name in [*LINEAR, *PAIRS]] + [(n, "compiled") for n in [*LINEAR, PAIRS[-1]]],
)
def test_with_full_examination_each_is_the_plain_loss(name, engine):
    y, score, ptr, position = random_clicks()
    weights = {"sample_weight": np.linspace(0.5, 2, len(y)), "query_weight": np.array([1.0, 0.5, 2, 3])}
    base = gbrank.objective(name)
    wanted = numbers(base, y, score, ptr, engine=engine, **weights)
    corrected = [InversePropensity(base, np.ones(30))]
    if name in LINEAR:
        corrected += [AffineCorrection(base, np.ones(30), np.zeros(30)), EstimatedRelevance(base)]
    for each in corrected:
        for found, plain in zip(numbers(each, y, score, ptr, position, engine, **weights), wanted, strict=True):
            np.testing.assert_allclose(found, plain, rtol=1e-12, atol=1e-12, err_msg=repr(each))


def patterns(probability):
    """Yield each pattern of events that happen with these probabilities, and the pattern's own."""
    for happened in itertools.product([0, 1], repeat=len(probability)):
        yield np.array(happened), np.prod([p if yes else 1 - p for yes, p in zip(happened, probability, strict=True)])


@pytest.mark.parametrize("y", [[1, 0, 1], [0, 1, 1], [0, 0, 1]], ids=str)
@pytest.mark.parametrize("name", [*LINEAR, *PAIRS[:4]])
def test_by_propensity_loss_and_gradient_are_unbiased_over_all_examinations(name, y):
    # Of pairs, those of a relevant document with any other: what was not examined counts as not relevant.
    base, position, y = gbrank.objective(name), np.array([2, 3, 1]), np.array(y, float)
    examined_with = np.array(P)[position - 1]
    expected = np.zeros(4)
    for examined, chance in patterns(examined_with):
        click = y * examined
        if click.any():
            gradient, _, loss, _ = numbers(InversePropensity(base, P), click, SCORE, PTR, position)
            expected += chance * np.append(gradient, loss)
        elif name in POINTWISE:  # nothing is clicked, which alone no loss learns from
            expected += chance * plain_zeros(base)
    if name in LINEAR:
        gradient, _, loss, _ = numbers(base, y, SCORE, PTR)
        np.testing.assert_allclose(expected, np.append(gradient, loss), atol=1e-12)
    else:
        np.testing.assert_allclose(expected, expected_pairs(base, y, examined_with), atol=1e-12)


def plain_zeros(base):
    """Return gradient and loss of three documents without a click, as of a part of a larger query."""
    bound = base.bind(Targets(np.array([0.0, 0, 0, 1, 2]), np.array([0, 3, 5])), engine="numpy")
    score = np.append(SCORE, [0.0, 0.0])
    return np.append(bound.gradient_hessian(score, 0)[0][:3], bound.loss(score)[0])


def expected_pairs(base, y, examined_with):
    """Return what weights 1 / p make of pairs: relevant documents against those that are not clicked, at their rate."""
    total = np.zeros(4)
    for i, j in itertools.permutations(range(3), 2):
        if y[i]:
            labels = np.zeros(3)
            labels[i], rate = 1, 1 - y[j] * examined_with[j]
            pair = [i, j]
            bound = base.bind(Targets(labels[pair], np.array([0, 2])), engine="numpy")
            total[pair] += rate * bound.gradient_hessian(SCORE[pair], 0)[0]
            total[3] += rate * bound.loss(SCORE[pair])[0]
    return total


@pytest.mark.parametrize("name", PAIRS[:4])
@pytest.mark.parametrize("y", [[1, 0, 1], [1, 1, 1], [0, 1, 0]], ids=str)
def test_against_all_a_relevant_document_is_compared_with_each_other_without_bias(name, y):
    base, position, y = gbrank.objective(name), np.array([2, 3, 1]), np.array(y, float)
    objective = InversePropensity(base, P, against="all")
    expected = np.zeros(4)
    for examined, chance in patterns(np.array(P)[position - 1]):
        if (y * examined).any():
            gradient, _, loss, _ = numbers(objective, y * examined, SCORE, PTR, position)
            expected += chance * np.append(gradient, loss)
    np.testing.assert_allclose(expected, expected_pairs(base, y, np.zeros(3)), atol=1e-12)


def test_against_all_weighs_documents_and_queries_on_both_engines():
    y, score, ptr, position = random_clicks(8)
    weights = {"sample_weight": np.linspace(0.5, 2, len(y)), "query_weight": np.array([1.0, 0.5, 2, 3])}
    objective = InversePropensity("ranknet", against="all")
    found = [numbers(objective, y, score, ptr, position, engine, **weights) for engine in ("numpy", "compiled")]
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    q, total = np.repeat(np.arange(4), np.diff(ptr)), np.zeros(4)
    for i, j in itertools.permutations(range(len(y)), 2):
        if y[i] and q[i] == q[j]:
            weight = weights["sample_weight"][i] * weights["sample_weight"][j] * weights["query_weight"][q[i]]
            total[q[i]] += weight * position[i] * np.log1p(np.exp(score[j] - score[i]))
    np.testing.assert_allclose(found[0][2], total, rtol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("name", PAIRS[:4])
def test_against_all_is_the_loss_of_the_pairs_written_out(name, engine):
    y, score, ptr, position = random_clicks(9)
    score[:3] = score[0]  # ties within a query
    weights = {"sample_weight": np.linspace(0.5, 2, len(y)), "query_weight": np.array([1.0, 0.5, 2, 3])}
    q = np.repeat(np.arange(4), np.diff(ptr))
    pairs = np.array([(i, j) for i, j in itertools.permutations(range(len(y)), 2) if y[i] and q[i] == q[j]])
    written = gbrank.RankingData(
        np.zeros((len(y), 1)), y, q, pairs=pairs, pair_weight=1.0 * position[pairs[:, 0]], **weights
    )
    wanted = gbrank.objective(name, pairs="given").bind(written, engine=engine, n_jobs=1)
    found = numbers(InversePropensity(name, against="all"), y, score, ptr, position, engine, **weights)
    for a, b in zip(found, (*wanted.gradient_hessian(score, 0), wanted.loss(score)), strict=False):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-9)


def test_against_all_keeps_no_pairs():
    n = 1500  # two million pairs
    y, position = np.ones(n), np.arange(1, n + 1)
    tracemalloc.start()
    bound = InversePropensity("ranknet", against="all").bind(Targets(y, np.array([0, n]), position=position), n_jobs=1)
    bound.gradient_hessian(np.linspace(0, 1, n), 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


@pytest.mark.parametrize("base", ["lambdarank", "softmax", gbrank.objective("ranknet", truncation=3)], ids=str)
def test_against_all_is_refused_where_pairs_weigh_otherwise_or_labels_are_no_clicks(base):
    with pytest.raises(gbrank.ParameterError, match="against='all' is of pairs that weigh the same"):
        InversePropensity(base, against="all")
    objective = InversePropensity("ranknet", against="all")
    with pytest.raises(gbrank.DataError, match="label 2 in row 0"):
        objective.gradient_hessian([2, 0], [0, 0], [0, 2], position=[1, 2])
    with pytest.raises(gbrank.DataError, match="nothing to learn"):
        objective.gradient_hessian([0, 0, 1], [0, 0, 0], [0, 2, 3], position=[1, 2, 1])


@pytest.mark.parametrize("name", LINEAR)
def test_affine_loss_and_gradient_are_unbiased_over_all_clicks(name):
    base, position, y = gbrank.objective(name), np.array([2, 3, 1]), np.array([1.0, 0, 1])
    attractive, unattractive = np.array([0.95, 0.6, 0.3]), np.array([0.4, 0.2, 0.05])
    corrected = AffineCorrection(base, attractive, unattractive)
    chance_of_click = np.where(y == 1, attractive[position - 1], unattractive[position - 1])
    expected = np.zeros(4)
    for click, chance in patterns(chance_of_click):
        r = corrected.relevance(click, position)
        gradient, _, loss, _ = numbers(EstimatedRelevance(base), r, SCORE, PTR)
        expected += chance * np.append(gradient, loss)
        if 0 < click.sum() < 3:
            same = numbers(corrected, click * 1.0, SCORE, PTR, position)
            np.testing.assert_array_equal(np.append(same[0], same[2]), np.append(gradient, loss))
    gradient, _, loss, _ = numbers(base, y, SCORE, PTR)
    np.testing.assert_allclose(expected, np.append(gradient, loss), atol=1e-12)


@pytest.mark.parametrize("name", LINEAR)
def test_gradients_are_slopes_and_hessians_are_those_of_the_loss_or_its_floor(name):
    y, score, ptr, position = random_clicks(3)
    trust = AffineCorrection(name, 0.9 / np.arange(1, 31) ** 0.5, 0.1 / np.arange(1, 31))
    for objective in (InversePropensity(name), trust):
        bound = objective.bind(Targets(y, ptr, np.linspace(0.5, 2, len(y)), position=position), engine="numpy")
        gradient, hessian = bound.gradient_hessian(score, 0)
        for i in range(len(y)):
            at = [score + sign * 1e-5 * (np.arange(len(y)) == i) for sign in (1, -1)]
            slope = (bound.loss(at[0]).sum() - bound.loss(at[1]).sum()) / 2e-5
            assert slope == pytest.approx(gradient[i], rel=1e-6, abs=1e-8)
            if name in ("cross_entropy", "mse", "softmax"):
                bend = (bound.gradient_hessian(at[0], 0)[0][i] - bound.gradient_hessian(at[1], 0)[0][i]) / 2e-5
                floor = 0.05 * abs(gradient[i])
                assert hessian[i] == pytest.approx(bend, rel=1e-5, abs=2e-6) or hessian[i] == pytest.approx(floor)
        assert (hessian >= 0).all()


@pytest.mark.parametrize("objective", [InversePropensity("brier"), AffineCorrection("softmax", [1, 1], [0.5, 0])])
def test_engines_agree(objective):
    y, score, ptr, position = random_clicks(4)
    position = np.minimum(position, 2)
    for a, b in zip(*(numbers(objective, y, score, ptr, position, e) for e in ("numpy", "compiled")), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("name", ["cross_entropy", "softmax", "lambdarank"])
def test_models_of_full_examination_are_those_of_the_plain_loss(name, backend):
    data = gbrank.make_letor(40, random_state=1)
    data = gbrank.RankingData(data.X, (data.y > 1) * 1.0, data.qid, position=ranks(data))
    how = {"backend": backend, "n_estimators": 8, "n_jobs": 1}
    plain = gbrank.GBRanker(name, **how).fit(data)
    full = np.ones(int(data.query_sizes.max()))
    corrected = [InversePropensity(name, full)]
    if name in LINEAR:
        corrected.append(AffineCorrection(name, full, 0 * full))
    for objective in corrected:
        np.testing.assert_array_equal(
            gbrank.GBRanker(objective, **how).fit(data).predict(data), plain.predict(data), err_msg=repr(objective)
        )


def ranks(data):
    return np.arange(1, data.n_documents + 1) - np.repeat(data.query_ptr[:-1], data.query_sizes)


def test_training_by_propensities_finds_what_naive_training_does_not():
    # Two kinds of documents, equally relevant, of which one is always shown below: only the rank tells them apart.
    rng = np.random.default_rng(0)
    x = np.tile([0.0, 1.0], 4000)
    position = np.tile([1, 2], 4000)
    click = (rng.random(8000) < np.where(position == 1, 0.6, 0.2)) * 1.0
    data = gbrank.RankingData(x[:, None], click, np.repeat(np.arange(4000), 2), position=position)
    odds = {}
    for objective in ("cross_entropy", InversePropensity("cross_entropy", [1, 1 / 3])):
        ranker = gbrank.GBRanker(objective, n_estimators=60, n_jobs=1).fit(data)
        odds[str(objective)] = ranker.predict_proba([[0.0], [1.0]])[:, 1]
    naive, corrected = odds.values()
    np.testing.assert_allclose(naive, [0.6, 0.2], atol=0.03)
    np.testing.assert_allclose(corrected, [0.6, 0.6], atol=0.03)


def test_a_click_counts_as_its_weight_and_clip_bounds_it():
    y, s, ptr, position = [1, 1, 0], [0, 0, 0], [0, 3], [1, 2, 3]
    objective = InversePropensity("mse", [1, 0.5, 0.1])
    assert objective.gradient_hessian(y, s, ptr, position=position)[0].tolist() == [-1, -2, 0]
    assert objective.loss(y, [1, 1, 1], ptr, position=position).tolist() == [0 + (2 * 0 - 0.5) + 0.5]
    clipped = objective.with_params(clip=0.8)
    assert clipped.gradient_hessian(y, s, ptr, position=position)[0].tolist() == [-1, -1.25, 0]
    # Without a list of propensities, rank k has 1 / k.
    assert InversePropensity("mse").gradient_hessian(y, s, ptr, position=[4, 2, 1])[0].tolist() == [-4, -2, 0]


def test_a_weight_of_two_is_the_query_twice():
    y, score, ptr, position = random_clicks(5, sizes=(5, 7))
    two = Targets(np.append(y, y[5:]), np.array([0, 5, 12, 19]), position=np.append(position, position[5:]))
    for name in ("cross_entropy", "softmax", "lambdarank"):
        weighted = InversePropensity(name).bind(Targets(y, ptr, None, np.array([1.0, 2]), position))
        twice = InversePropensity(name).bind(two)
        np.testing.assert_allclose(weighted.init_score(), twice.init_score(), rtol=1e-12)
        found = twice.gradient_hessian(np.append(score, score[5:]), 0)
        for a, b in zip(weighted.gradient_hessian(score, 0), found, strict=True):
            np.testing.assert_allclose(a, b[:12] + np.append(np.zeros(5), b[12:]), rtol=1e-12)


def test_parameters_of_the_base_are_reached_and_saved(tmp_path):
    y, _, ptr, position = random_clicks(6)
    objective = gbrank.objective("ips", base="lambdarank", base__truncation=3, propensity=[1.0] * 30)
    assert objective.base == gbrank.objective("lambdarank", truncation=3)
    data = gbrank.RankingData(np.arange(len(y))[:, None], y, np.repeat(np.arange(4), np.diff(ptr)), position=position)
    ranker = gbrank.GBRanker(objective, n_estimators=2, min_docs_in_leaf=1, n_jobs=1).fit(data)
    ranker.save(tmp_path / "model")
    again = gbrank.load(tmp_path / "model")
    assert again.objective_ == objective
    assert again.set_params(objective__base__truncation=5).objective.base.truncation == 5
    np.testing.assert_array_equal(again.predict(data), ranker.predict(data))


def test_sums_are_of_corrected_parts():
    y, score, ptr, position = random_clicks(7)
    parts = InversePropensity("softmax"), 0.5 * InversePropensity("cross_entropy")
    total = numbers(parts[0] + parts[1], y, score, ptr, position)
    each = [numbers(part, y, score, ptr, position) for part in parts]
    np.testing.assert_allclose(total[0], each[0][0] + each[1][0], rtol=1e-12)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([], "for each rank"),
        ([1, 0.5, 0], "rank 3 has 0"),
        ([1, -0.1], "rank 2 has -0.1"),
        ([1, 1.5], r"rank 2 has 1\.5.* see clipped\(\) of Propensities"),
        ([np.nan], "rank 1 has nan"),
        ([[1, 1]], "for each rank"),
        ("oracle", "for each rank"),
    ],
    ids=str,
)
def test_propensities_that_are_none_are_refused_with_their_rank(bad, told):
    with pytest.raises(gbrank.ParameterError, match=f"propensity.*{told}"):
        InversePropensity("softmax", bad)


@pytest.mark.parametrize("objective", [InversePropensity("mse", P), AffineCorrection("mse", P)], ids=["ips", "affine"])
def test_positions_that_do_not_fit_are_refused(objective):
    with pytest.raises(gbrank.DataError, match="learns from the rank at which each document was shown"):
        objective.gradient_hessian([1, 0], [0, 0], [0, 2])
    with pytest.raises(gbrank.DataError, match=r"row 1 was shown at rank 4.*3 ranks"):
        objective.gradient_hessian([1, 0], [0, 0], [0, 2], position=[1, 4])
    for bad in (0, -1, 1.5, np.nan):
        with pytest.raises(gbrank.DataError, match="position: row 1"):
            objective.gradient_hessian([1, 0], [0, 0], [0, 2], position=[1, bad])


@pytest.mark.parametrize(
    ("kind", "base", "told"),
    [
        (InversePropensity, "approx_ndcg", "no sum over documents"),
        (InversePropensity, "listnet", "no sum over documents"),
        (InversePropensity, "ordinal", "fits more than trees"),
        (InversePropensity, "mcrank", "fits more than trees"),
        (InversePropensity, "quantile", "fits more than trees"),
        (InversePropensity, "position_based", "a correction itself"),
        (InversePropensity, "ips", "a correction itself"),
        (InversePropensity, "combined", "of a sum each part"),
        (InversePropensity, gbrank.objective("pairwise_logistic", pairs="given"), "pairs"),
        (AffineCorrection, "lambdarank", "product of two labels"),
        (EstimatedRelevance, "ranknet", "product of two labels"),
    ],
    ids=str,
)
def test_bases_that_cannot_be_corrected_are_refused_with_the_reason(kind, base, told):
    with pytest.raises(gbrank.ParameterError, match=told):
        kind(base)


def test_curves_that_nearly_agree_are_warned_of_at_the_ranks_of_the_data():
    close = AffineCorrection("mse", [1, 0.6, 0.301], [0.5, 0.3, 0.3])
    data = {n: Targets(np.array([1.0, 0]), np.array([0, 2]), position=np.array([1, n])) for n in (2, 3)}
    told = r"rank 3 is clicked with 0\.301 if relevant and 0\.3 if not, .* relevance of 700 and none as -300; set clip"
    with pytest.warns(gbrank.GbrankWarning, match=told):
        close.bind(data[3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        close.bind(data[2])
        bound = close.with_params(clip=0.1).bind(data[3])
        # 10 standard deviations are the limit, however small the propensity of which nothing is added.
        AffineCorrection("mse", [1, 0.6, 1e-4], [0.5, 0.3, 0]).bind(data[3])
        AffineCorrection("mse", [1, 1, 0.5 + 0.0501], [0, 0, 0.5]).bind(data[3])
    assert bound.loss(np.array([0.0, 1.0])).tolist() == [pytest.approx(0.5 + (1 + 3) * 0.5)]
    with pytest.warns(gbrank.GbrankWarning, match="rank 3"):
        AffineCorrection("mse", [1, 1, 0.5 + 0.0499], [0, 0, 0.5]).bind(data[3])


def test_curves_of_trust_that_tell_nothing_are_refused():
    with pytest.raises(gbrank.ParameterError, match=r"rank 2 has 0\.3, which is not above the 0\.3"):
        AffineCorrection("mse", [1, 0.3], [0, 0.3])
    with pytest.raises(gbrank.ParameterError, match="as many"):
        AffineCorrection("mse", [1, 0.3], [0])
    with pytest.raises(gbrank.ParameterError, match="clip"):
        InversePropensity("mse", clip=1.5)
