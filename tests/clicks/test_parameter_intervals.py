"""Bootstrap intervals of click models."""

import numpy as np
import pytest

from gbrank import ParameterError
from gbrank.clicks import DynamicBayesian, UserBrowsing, parameter_intervals
from gbrank.clicks._intervals import resampled


@pytest.mark.parametrize("name", ["ubm", "sdbn"])
def test_are_quantiles_over_refitted_models(models, lists, name):
    log = models[name].simulate(lists.take(np.arange(400)), random_state=0)
    options = {"prior": (1, 2), "tolerance": 1e-5}
    model = type(models[name]).fit(log, **options)
    found = parameter_intervals(model, log, n_resamples=7, confidence=0.6, random_state=4, **options)
    refitted = [
        type(model).fit(log.take(np.repeat(np.arange(400), weight)), **options)
        for weight in resampled(log, 7, "session", 4)
    ]
    assert set(found) == set(model.to_tables())
    values = [each.attraction.of_log(log)[np.argsort(log.pair_document)] for each in refitted]
    table = found["attraction"].sort_index()
    np.testing.assert_allclose(table[["low", "high"]].T, np.quantile(values, [0.2, 0.8], axis=0))
    assert (table["estimate"] == model.attraction.of_log(log)[np.argsort(log.pair_document)]).all()
    if name == "ubm":
        browsing = found["examination"]
        assert len(browsing) == 10  # the triangle
        drawn = [each.examination[3][1] for each in refitted]
        np.testing.assert_allclose(browsing.loc[(4, 1), ["low", "high"]].astype(float), np.quantile(drawn, [0.2, 0.8]))


@pytest.mark.parametrize("name", ["pbm", "cascade"])
def test_cover(models, lists, name):
    """At 95 %, in 15 runs of 6 or 9 parameters that are not set: a mean below .86 has a probability below 1e-2."""
    hits = []
    for seed in range(15):
        log = models[name].simulate(lists.take(np.arange(500)), random_state=seed)
        fitted = type(models[name]).fit(log, prior=(0, 0))
        found = parameter_intervals(fitted, log, n_resamples=30, random_state=seed, prior=(0, 0))
        for key, wanted in models[name].to_tables().items():
            table = found[key]
            wanted = wanted.reindex(table.index)
            hit = (table["low"] <= wanted) & (wanted <= table["high"])
            hits.append(hit[table["low"] < table["high"]].mean())
    assert np.mean(hits) >= 0.86


def test_of_whole_queries_are_wider_where_these_differ(models, lists):
    """One query in all: every resample that has it is the log itself, some times over."""
    log = models["cascade"].simulate(lists.take(np.arange(200)), random_state=0)
    model = type(models["cascade"]).fit(log, prior=(0, 0))
    frame = log.to_frame()
    frame["query"] = np.where(frame["session"] < 100, "q", "r")
    two = type(log).from_frame(frame)
    assert len(parameter_intervals(type(model).fit(two), two, n_resamples=3, unit="query")["attraction"]) == 12


def test_refuses(models, lists):
    log = models["dbn"].simulate(lists.take(np.arange(50)), random_state=0)
    model = DynamicBayesian.fit(log)
    for options, told in (
        ({"n_resamples": 1}, "n_resamples=1"),
        ({"confidence": 1}, "confidence=1"),
        ({"unit": "row"}, "unit='row'"),
        ({"smoothing": 1}, "DynamicBayesian.fit has no 'smoothing'"),
    ):
        with pytest.raises(ParameterError, match=told):
            parameter_intervals(model, log, **{"n_resamples": 2} | options)
    assert UserBrowsing.fit(log).n_ranks == 4
