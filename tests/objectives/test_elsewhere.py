"""Names that other libraries have for their objectives lead to ours."""

import pytest

import gbrank
from gbrank.objectives import OBJECTIVES
from gbrank.objectives._elsewhere import ELSEWHERE, named_elsewhere


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_said_to_be_ours_is(name):
    found = ELSEWHERE[name]
    assert name == name.lower()
    assert name not in OBJECTIVES
    if found.name is not None:
        assert found.name in OBJECTIVES
        assert gbrank.objective(found.name, **found.params).name == found.name
    with pytest.raises(gbrank.ParameterError, match=f"unknown objective '{name}'. That is {found.library}'s name"):
        gbrank.GBRanker(name)._objective()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rank:ndcg", "XGBoost's name; here it is 'lambdarank'."),
        ("RMSE", "CatBoost's name; here it is 'mse'."),
        ("QuerySoftMax", "here it is 'softmax' with gain='linear'."),
        ("reg:pseudohubererror", "the nearest here is 'huber'."),
        ("PairLogit:max_pairs=100", "unknown objective 'PairLogit'. That is CatBoost's name"),
        ("poisson", "there is none like it here; `gbrank.list_loss`"),
    ],
)
def test_what_is_told(name, words):
    assert words in str(named_elsewhere(name))


@pytest.mark.parametrize(
    ("name", "ours"),
    [("regression", "mse"), ("l2", "mse"), ("l1", "mae"), ("binary", "cross_entropy"), ("rank_xendcg", "xe_ndcg"),
     ("multiclass", "mcrank"), ("MultiClass", "mcrank"), ("YetiRank", "yeti"), ("Logloss", "cross_entropy"),
     ("lambdarank", "lambdarank"), ("LambdaMart", "lambdarank"), ("huber", "huber"),
     ("StochasticRank", "stochastic_rank")],
)  # fmt: skip
def test_names_that_we_share_are_taken(name, ours):
    assert gbrank.objective(name).name == ours
    assert named_elsewhere(name) is None


def test_nobodys_name_is_told_the_nearest():
    assert named_elsewhere("lambdarnk") is None
    with pytest.raises(gbrank.ParameterError, match="Did you mean 'lambdarank'"):
        gbrank.objective("lambdarnk")
