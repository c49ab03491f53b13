"""Objectives in files: a user's own comes back where its module is imported, and only then."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

import gbrank
from gbrank.objectives import LambdaRank
from gbrank.objectives._plain import AbsentObjective, from_plain, to_plain

LOSSES = """
import dataclasses, numpy as np, gbrank
from gbrank.objectives import SquaredError

@gbrank.pair_loss
def square_of_lack(d, margin=1.0):
    lack = np.maximum(margin - d, 0)
    return lack**2, -2 * lack, 2.0 * (d < margin)

@dataclasses.dataclass(frozen=True, repr=False)
class Squashed(SquaredError):
    name = "squashed"

    def transform(self, score, state):
        return np.tanh(score)
"""
SAVER = """
import sys
sys.path.insert(0, sys.argv[1])
import gbrank, losses_of_a_user as own
data = gbrank.make_letor(20, n_features=5, random_state=0)
both = gbrank.objective("lambdarank") + own.square_of_lack(margin=2.0)
for name, objective in (("alone", own.square_of_lack(margin=2.0)), ("both", both), ("squashed", own.Squashed())):
    gbrank.GBRanker(objective, n_estimators=3, n_jobs=1).fit(data).save(f"{sys.argv[1]}/{name}")
"""


def test_a_model_of_a_module_that_is_not_imported_says_what_to_do_and_that_works(tmp_path, monkeypatch):
    (tmp_path / "losses_of_a_user.py").write_text(LOSSES)
    subprocess.run([sys.executable, "-c", SAVER, str(tmp_path)], check=True)
    data = gbrank.make_letor(20, n_features=5, random_state=0)
    monkeypatch.syspath_prepend(tmp_path)
    advice = r"it was defined as losses_of_a_user\.\w+: first `import losses_of_a_user`, then load the model again"
    before = {}
    for name in ("alone", "both"):
        ranker = gbrank.load(tmp_path / name)
        before[name] = ranker.predict(data)
        with pytest.raises(gbrank.ParameterError, match=advice):
            ranker.fit(data)
    with pytest.raises(gbrank.ParameterError, match=advice):
        gbrank.load(tmp_path / "squashed")
    assert "losses_of_a_user" not in sys.modules  # loading executes nothing

    own = importlib.import_module("losses_of_a_user")
    try:
        alone, both, squashed = (gbrank.load(tmp_path / name) for name in ("alone", "both", "squashed"))
        assert alone.objective_ == own.square_of_lack(margin=2.0)
        assert both.objective_ == LambdaRank() + own.square_of_lack(margin=2.0)
        assert np.abs(squashed.predict(data)).max() < 1
        for name, ranker in (("alone", alone), ("both", both)):
            assert np.array_equal(ranker.predict(data), before[name])
            assert np.array_equal(ranker.fit(data).predict(data), before[name])
    finally:
        del sys.modules["losses_of_a_user"]


@pytest.mark.parametrize("where", ["numpy.square_of_lack", "gbrank.objectives.Objective", "os.system", "gbrank", "x.y"])
def test_what_is_no_such_objective_is_not_taken_for_one(where):
    told = {"name": "square_of_lack", "params": {}, "defined_as": where, "ranks_by_raw_score": True}
    assert isinstance(from_plain(told), AbsentObjective)
    assert to_plain(from_plain(told)) == told


def test_a_loss_of_a_script_is_to_be_defined_again():
    told = {"name": "mine", "params": {"a": 1.0}, "defined_as": "__main__.mine", "ranks_by_raw_score": True}
    with pytest.raises(gbrank.ParameterError, match=r"define and register 'mine' here \(register=True\), then load"):
        from_plain(told).bind(None)
