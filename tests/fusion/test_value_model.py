import json

import numpy as np
import pytest

from gbrank import DataError, ParameterError, RankingData, ValueModel
from gbrank.fusion import TRANSFORMS

SPECIFICATIONS = {
    "log1p": "log1p",
    "power": {"name": "power", "exponent": 0.5},
    "clip": {"name": "clip", "low": 0.2, "high": 0.6},
    "sigmoid": "sigmoid",
    "logit": "logit",
    "complement": "complement",
    "rank": "rank",
    "z_score": "z_score",
    "min_max": "min_max",
}
BY_HAND = {
    "log1p": lambda x: np.log(1 + x),
    "power": np.sqrt,
    "clip": lambda x: np.minimum(np.maximum(x, 0.2), 0.6),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "logit": lambda x: np.log(x / (1 - x)),
    "complement": lambda x: 1 - x,
    "rank": lambda x: np.array([np.mean((x < each) + (x == each) / 2) for each in x]),
    "z_score": lambda x: (x - x.mean()) / x.std(),
    "min_max": lambda x: (x - x.min()) / (x.max() - x.min()),
}


def test_every_transform_is_tested():
    assert set(TRANSFORMS) == set(SPECIFICATIONS)


@pytest.mark.parametrize("name", sorted(SPECIFICATIONS))
def test_transforms_by_hand(name):
    x = np.array([0.3, 0.1, 0.9, 0.1, 0.5, 0.7])
    scores = RankingData(x[:, None], np.zeros(6), ["a", "b", "a", "b", "a", "b"], feature_names=["click"])
    x = x[scores.order]
    if name in ("z_score", "rank", "min_max"):
        expected = np.concatenate([BY_HAND[name](x[:3]), BY_HAND[name](x[3:])])
    else:
        expected = BY_HAND[name](x)
    model = ValueModel({"click": 2.0}, {"click": SPECIFICATIONS[name]})
    np.testing.assert_allclose(model.score(scores), 2 * expected, rtol=1e-12)
    again = ValueModel.from_json(model.to_json())
    assert again == model
    np.testing.assert_array_equal(again.score(scores), model.score(scores))


def test_forms_and_chains(predict):
    scores = predict(n_tasks=2, n_queries=3)
    weights = {"t1": 0.5, "t0": 2.0}  # not in the order of the columns
    x = scores.X
    total = ValueModel(weights, {"t0": ["complement", "log1p"]}).score(scores)
    np.testing.assert_allclose(total, 0.5 * x[:, 1] + 2 * np.log(2 - x[:, 0]), rtol=1e-12)
    product = ValueModel(weights, form="product")
    np.testing.assert_allclose(product.score(scores), x[:, 1] ** 0.5 * x[:, 0] ** 2, rtol=1e-12)
    ranks = product.rank(scores).reshape(3, -1)
    np.testing.assert_array_equal(ranks, 1 + np.argsort(np.argsort(-product.score(scores).reshape(3, -1))))


@pytest.mark.parametrize("form", ["sum", "product"])
def test_contributions_are_shares_of_variance(predict, even, form):
    scores, model = predict(n_tasks=3, n_queries=5), even(3, form=form)
    table = model.contributions(scores)
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-12)
    terms = model.terms(scores)[:20]
    for j in range(3):
        expected = np.cov(terms[:, j], terms.sum(axis=1))[0, 1] / np.var(terms.sum(axis=1), ddof=1)
        assert table.iloc[0, j] == pytest.approx(expected)


def test_files(tmp_path):
    model = ValueModel({"click": 1, "dwell": 0.25}, {"dwell": ["log1p", {"name": "clip", "low": 0, "high": 5}]})
    model.save(tmp_path / "m.json")
    assert ValueModel.load(tmp_path / "m.json") == model
    assert set(json.loads((tmp_path / "m.json").read_text())) == {"weights", "transforms", "form"}
    (tmp_path / "bad.json").write_text('{"weights": {"click": 1},\n "form": }')
    with pytest.raises(DataError, match=r"bad.json: value model: line 2"):
        ValueModel.load(tmp_path / "bad.json")
    with pytest.raises(DataError, match="cannot be read"):
        ValueModel.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (({},), "no mapping of tasks"),
        (({"a": 0.0},), "all are 0"),
        (({"a": float("nan")},), "finite"),
        (({"a": True},), "finite"),
        (({"a": 1}, {"b": "rank"}), "unknown task of transforms 'b'"),
        (({"a": 1}, {"a": "ranks"}), "Did you mean 'rank'"),
        (({"a": 1}, {"a": {"name": "power", "exponnt": 2}}), "no parameter 'exponnt'; its parameters are exponent"),
        (({"a": 1}, {"a": {"name": "power", "exponent": 0}}), "exponent=0"),
        (({"a": 1}, {"a": {"name": "clip", "low": 1, "high": 0}}), "low < high"),
        (({"a": 1}, {"a": 3}), "3 is none"),
        (({"a": 1}, None, "sums"), "form='sums'"),
    ],
)
def test_wrong_models(arguments, told):
    with pytest.raises(ParameterError, match=told):
        ValueModel(*arguments)


def test_unknown_keys():
    with pytest.raises(ParameterError, match="weigths"):
        ValueModel.from_dict({"weights": {"a": 1}, "weigths": {}})


def test_wrong_predictions():
    scores = RankingData([[1.0, np.nan], [0.0, 2.0]], [0, 0], ["q", "q"], feature_names=["a", "b"])
    with pytest.raises(DataError, match="no predictions of the task 'c'; there are a, b"):
        ValueModel({"c": 1}).score(scores)
    with pytest.raises(DataError, match=r"task 'b': row 0 \(query q\) is NaN"):
        ValueModel({"b": 1}).score(scores)
    with pytest.raises(DataError, match="task 'a': row 1 is 0; a product of powers needs predictions above 0"):
        ValueModel({"a": 1}, form="product").score(scores)
    with pytest.raises(DataError, match="task 'a': logit: row 0 is 1"):
        ValueModel({"a": 1}, {"a": "logit"}).score(scores)
    with pytest.raises(DataError, match="RankingData"):
        ValueModel({"a": 1}).score(scores.X)
