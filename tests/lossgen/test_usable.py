"""Parameters of a ranker that would not be used are refused."""

import pytest

import gbrank
from gbrank import GBRanker, LossSearch, ParameterError
from gbrank.lossgen import compare_losses, tune_constants

DATA = gbrank.make_letor(20, n_features=3, max_documents=8, random_state=0)
CALLS = {
    "search": lambda ranker: LossSearch(ranker=ranker, n_trained=1).fit(DATA),
    "tune": lambda ranker: tune_constants("exp(-d)", DATA, ranker=ranker),
    "test": lambda ranker: compare_losses("exp(-d)", DATA, ranker=ranker, seeds=[0]),
}
UNUSED = {
    "early_stopping_rounds": 5,
    "validation_fraction": 0.2,
    "callbacks": [print],
    "init_model": "m.gbrank",
}


@pytest.mark.parametrize(
    ("call", "name"),
    [(call, name) for call in CALLS for name in UNUSED if (call, name) != ("test", "early_stopping_rounds")],
)
def test_refuses(call, name):
    with pytest.raises(ParameterError, match=f"ranker: {name}=.* is not used here: .*leave"):
        CALLS[call](GBRanker(**{name: UNUSED[name]}))
