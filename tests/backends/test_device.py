"""The device: what is not there is refused, and no training goes over to the CPU in silence."""

import json

import numpy as np
import pytest

import gbrank
from gbrank import GBRanker, ParameterError
from gbrank.backends import TreeParams
from gbrank.backends import backend as find_backend
from gbrank.backends._lightgbm_params import has_cuda

DATA = gbrank.make_letor(10, max_documents=8, n_features=3, random_state=0)


def has_gpu(backend):
    """Tell by another way than gbrank's whether the library trains on a GPU here."""
    if backend == "xgboost":
        import xgboost as xgb

        matrix = xgb.DMatrix([[0.0], [1.0]], label=[0.0, 1.0])
        config = json.loads(xgb.Booster({"device": "cuda", "verbosity": 0}, [matrix]).save_config())
        return config["learner"]["generic_param"]["device"] != "cpu"
    import lightgbm as lgb

    try:
        lgb.train({"device_type": "cuda", "verbosity": -1}, lgb.Dataset(np.eye(2), np.arange(2.0)), 1)
    except lgb.basic.LightGBMError:
        return False
    return True


@pytest.mark.filterwarnings("ignore:.*GPU")
@pytest.mark.parametrize(("backend", "words"), [("lightgbm", "without CUDA"), ("xgboost", "finds no GPU")])
@pytest.mark.parametrize("engine", ["compiled", "native"])
def test_no_gpu_is_an_error(backend, words, engine, capfd):
    ranker = GBRanker(backend=backend, engine=engine, device="cuda", n_estimators=3, n_jobs=1)
    if has_gpu(backend):
        on_cpu = GBRanker(backend=backend, engine=engine, n_estimators=3, n_jobs=1)
        assert ranker.fit(DATA).score(DATA) == pytest.approx(on_cpu.fit(DATA).score(DATA), abs=0.05)
        return
    capfd.readouterr()  # of the look by another way
    has_cuda.cache_clear()
    with pytest.raises(ParameterError, match=words):
        ranker.fit(DATA)
    assert not hasattr(ranker, "model_")
    assert capfd.readouterr() == ("", "")


def test_catboost_shows_no_scores_on_a_gpu():
    pytest.importorskip("catboost")
    with pytest.raises(ParameterError, match="on the CPU only"):
        GBRanker("mse", backend="catboost", engine="native", device="cuda").fit(DATA)


@pytest.mark.parametrize(
    ("backend", "library"),
    [
        ("lightgbm", {"device_type": "cuda"}),
        ("lightgbm", {"device": "gpu"}),
        ("xgboost", {"device": "cuda"}),
        ("catboost", {"task_type": "GPU"}),
    ],
    ids=["lightgbm", "alias", "xgboost", "catboost"],
)
def test_a_device_has_one_name(backend, library):
    pytest.importorskip(backend)
    engine = "native" if backend == "catboost" else "compiled"
    with pytest.raises(ParameterError, match="use device="):
        GBRanker("mse", backend=backend, engine=engine, backend_params=library).fit(DATA)


def test_an_unknown_device_is_refused():
    with pytest.raises(ParameterError, match="device='gpu': choose one of 'cpu', 'cuda'"):
        TreeParams(device="gpu")


def test_bins_made_for_one_device_do_not_serve_another():
    library = find_backend("lightgbm")
    cpu, cuda = (library.bin_settings(TreeParams(device=device)) for device in ("cpu", "cuda"))
    assert cpu != cuda
