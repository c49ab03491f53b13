"""Saved rankers: the same answers, nothing executed, every damage refused."""

import io
import json
import os
import random
import zipfile

import numpy as np
import pytest

import gbrank
from gbrank.objectives import LambdaRank

rng = np.random.default_rng(0)
X = rng.normal(size=(240, 6)).astype(np.float32)
Y = np.clip(np.round(X[:, 0] + rng.normal(size=240) * 0.4), 0, 3)
QID = np.repeat(np.arange(20), 12)
DATA = gbrank.RankingData(X, Y, QID, feature_names=["a", "b b", "c,c", "d:[]", "é", "<f>"])


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("objective", ["lambdarank", "ordinal", "quantile", "mcrank", LambdaRank(truncation=3)])
def test_a_loaded_ranker_is_the_saved_one(tmp_path, backend, objective):
    params = {"n_estimators": 12, "early_stopping_rounds": 3, "learning_rate": 0.2, "measure": "err@3(ties=stable)"}
    ranker = gbrank.GBRanker(objective, backend=backend, **params).fit(DATA, eval_set=DATA)
    ranker.save(tmp_path / "model.gbrank")
    loaded = gbrank.load(tmp_path / "model.gbrank")
    np.testing.assert_array_equal(loaded.predict(DATA), ranker.predict(DATA))
    assert loaded.score(DATA) == ranker.score(DATA)
    assert loaded.history_ == ranker.history_
    assert loaded.feature_names_ == DATA.feature_names
    assert loaded.best_iteration_ == ranker.best_iteration_
    # LightGBM writes gains with few digits.
    np.testing.assert_allclose(loaded.feature_importances_, ranker.feature_importances_, atol=1e-5)
    want = ranker.get_params(deep=False) | {"objective": ranker.objective_}
    assert loaded.get_params(deep=False) == want
    again = loaded.fit(DATA, eval_set=DATA)  # a loaded one trains on as the first did
    np.testing.assert_array_equal(again.predict(DATA), ranker.predict(DATA))


def test_lambdamart_comes_back_as_such(tmp_path):
    gbrank.LambdaMART(truncation=4, n_estimators=2).fit(DATA).save(tmp_path / "m")
    loaded = gbrank.load(tmp_path / "m")
    assert type(loaded) is gbrank.LambdaMART
    assert loaded.truncation == 4


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.gbrank"
    ranker = gbrank.GBRanker(n_estimators=5).fit(DATA)
    ranker.save(path)
    return path, ranker.predict(DATA)


def test_every_damage_is_refused_or_without_effect(saved, tmp_path):
    path, want = saved
    content = path.read_bytes()
    chance = random.Random(0)
    refused = 0
    for trial in range(150):
        damaged = bytearray(content)
        if trial % 3 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            loaded = gbrank.load(tmp_path / "damaged")
        except gbrank.DataError:
            refused += 1
        else:
            np.testing.assert_array_equal(loaded.predict(DATA), want)
    assert refused > 100


def test_a_changed_booster_never_reaches_the_library(saved, tmp_path):
    path, _ = saved
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["booster.txt"] = members["booster.txt"].replace(b"num_leaves=", b"num_leaves=-")
    with zipfile.ZipFile(tmp_path / "changed", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(gbrank.DataError, match=r"checksum of booster\.txt"):
        gbrank.load(tmp_path / "changed")


def test_a_measure_that_no_file_can_hold_is_refused_before_writing(tmp_path):
    ranker = gbrank.GBRanker(n_estimators=2, measure=gbrank.measure("ndcg@10", gain=np.sqrt)).fit(DATA)
    with pytest.raises(gbrank.ParameterError, match="its gain is a function"):
        ranker.save(tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_other_files_and_formats_are_refused(saved, tmp_path):
    path, _ = saved
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest | {"format": 99, "members": {}}))
    (tmp_path / "newer").write_bytes(buffer.getvalue())
    with pytest.raises(gbrank.DataError, match="format 99"):
        gbrank.load(tmp_path / "newer")
    (tmp_path / "text").write_text("tree\nversion=v4\n")
    for bad in ("text", "absent", "."):
        with pytest.raises(gbrank.DataError):
            gbrank.load(tmp_path / bad)
    with pytest.raises(gbrank.DataError, match="does not exist"):
        gbrank.load(path).save(tmp_path / "no" / "folder")


def test_an_interrupted_save_leaves_the_old_file_whole(saved, tmp_path, monkeypatch):
    target = tmp_path / "model"
    target.write_bytes(saved[0].read_bytes())
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        gbrank.load(target).save(target)
    assert target.read_bytes() == saved[0].read_bytes()
    assert os.listdir(tmp_path) == ["model"]
