"""Every click model: enumeration, recovery, limits, files."""

import itertools
import json

import numpy as np
import pytest

from gbrank import DataError, GbrankWarning, ParameterError
from gbrank.clicks import (
    CLICK_MODELS,
    Cascade,
    ClickLog,
    DependentClick,
    DynamicBayesian,
    PairTable,
    PositionBased,
    SimplifiedDynamicBayesian,
    TrustBias,
    UserBrowsing,
    load_click_model,
)
from gbrank.clicks._model import ClickModel

NAMES = ["pbm", "cascade", "dcm", "dbn", "sdbn", "ubm", "trust"]


def every_click_vector(documents):
    """A session of one list for each vector of clicks."""
    n = len(documents)
    clicks = np.array(list(itertools.product([0, 1], repeat=n)))
    session = np.repeat(np.arange(len(clicks)), n)
    rank = np.tile(np.arange(1, n + 1), len(clicks))
    return ClickLog(session, np.full(len(rank), "q"), np.tile(documents, len(clicks)), rank, clicks.ravel())


def by_session(log, rows):
    return np.add.reduceat(rows, log.session_ptr[:-1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("documents", [[4, 0, 5, 2], [3], [1, 2]], ids=["four", "one", "two"])
def test_all_click_vectors_of_a_list_have_probability_1(models, name, documents):
    model, log = models[name], every_click_vector(documents)
    alone = [np.exp(model.log_likelihood(log.take([s]))) for s in range(log.n_sessions)]
    assert np.sum(alone) == pytest.approx(1, abs=1e-12)
    # the probability of a click at a rank is that of all vectors that have one there
    click = log.click.reshape(-1, len(documents))
    marginal = model.click_probability(log)[: len(documents)]
    np.testing.assert_allclose(marginal, np.asarray(alone) @ click, atol=1e-12)


def by_rank(name, model, a, clicks):
    """The probability of clicks, rank by rank."""
    total, last = 1.0, 0
    for r, clicked in enumerate(clicks):
        p = {
            "pbm": lambda r=r: model.examination[r] * a[r],
            "ubm": lambda r=r, last=last: model.examination[r][last] * a[r],
            "trust": lambda r=r: model.attractive[r] * a[r] + model.unattractive[r] * (1 - a[r]),
        }[name]()
        total *= p if clicked else 1 - p
        last = r + 1 if clicked else last
    return total


def by_stops(name, model, a, s, clicks):
    """The probability of clicks, by a sum over the number of documents that are read."""
    skip = 0.85 if name == "dbn" else 1.0
    total = 0.0
    for read in range(1, len(a) + 1):
        p = float(not any(clicks[read:]))
        for r in range(read):
            after = {"cascade": 0.0, "dcm": 0.0, "dbn": 0.85 * (1 - s[r]), "sdbn": 1 - s[r]}[name]
            after = model.continuation[r] if name == "dcm" else after
            on = after if clicks[r] else skip
            p *= a[r] if clicks[r] else 1 - a[r]
            p *= on if r < read - 1 else 1 - on if read < len(a) else 1
        total += p
    return total


@pytest.mark.parametrize("name", NAMES)
def test_likelihood_is_that_of_the_definition(models, name):
    model, documents = models[name], [4, 0, 5, 2]
    log = every_click_vector(documents)
    a = models["pbm"].attraction.value[documents]
    s = models["dbn"].satisfaction.value[documents]
    with np.errstate(divide="ignore"):
        vectors = log.click.reshape(-1, 4)
        if name in ("pbm", "ubm", "trust"):
            wanted = [np.log(by_rank(name, model, a, clicks)) for clicks in vectors]
        else:
            wanted = [np.log(by_stops(name, model, a, s, clicks)) for clicks in vectors]
    found = [model.log_likelihood(log.take([k])) for k in range(log.n_sessions)]
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_drawn_clicks_recover_the_parameters(models, lists, name):
    true = models[name]
    log = true.simulate(lists, random_state=1)
    np.testing.assert_allclose(log.click_rates(), true.click_probability(log).reshape(-1, 4).mean(0), atol=0.005)
    found = type(true).fit(log, prior=(0, 0))
    for key, wanted in true.to_tables().items():
        got = found.to_tables()[key]
        if key == "continuation":  # what is after the last rank nobody knows
            wanted, got = wanted.iloc[:-1], got.iloc[:-1]
        if hasattr(wanted, "columns"):
            wanted, got = wanted.stack().dropna(), got.stack().dropna()
        got = got.loc[wanted.index] if key in true.tables else got
        # 5 %; of what is below .2, as much as of .2
        assert (np.abs(got - wanted) <= 0.05 * np.maximum(wanted, 0.2)).all(), (key, got, wanted)
    assert found.log_likelihood(log) >= true.log_likelihood(log)


@pytest.mark.parametrize("name", ["pbm", "dcm", "dbn", "sdbn", "ubm", "trust"])
@pytest.mark.parametrize("prior", [(0, 0), (1, 2)], ids=["plain", "smoothed"])
def test_em_never_goes_down(models, lists, name, prior):
    log = models["dbn"].simulate(lists.take(np.arange(300)), random_state=2)
    found = type(models[name]).fit(log, prior=prior, tolerance=1e-9)
    steps = np.diff(found.history)
    assert steps.min() >= -1e-9 * abs(found.history[0])
    if prior == (0, 0):  # the course is the likelihood's: stretching the scale leaves it as it is
        assert found.log_likelihood(log) == pytest.approx(found.history[-1], abs=1e-5 * log.n_sessions)


def test_limits(models, lists):
    log = models["dbn"].simulate(lists.take(np.arange(500)), random_state=3)
    attraction, satisfaction = models["dbn"].attraction, models["dbn"].satisfaction
    flat = np.repeat([[1], [0.7], [0.5], [0.3]], 4, axis=1)
    by_rank = PositionBased([1, 0.7, 0.5, 0.3], attraction=attraction)
    tables = {"attraction": attraction, "satisfaction": satisfaction}
    pairs = [
        (UserBrowsing(flat, attraction=attraction), by_rank),
        (TrustBias([1, 0.7, 0.5, 0.3], [0, 0, 0, 0], attraction=attraction), by_rank),
        (DynamicBayesian(1.0, **tables), SimplifiedDynamicBayesian(**tables)),
        (DependentClick([0, 0, 0, 0], attraction=attraction), Cascade(attraction=attraction)),
    ]
    for one, other in pairs:
        for conditional in (False, True):
            np.testing.assert_allclose(
                one.click_probability(log, conditional=conditional),
                other.click_probability(log, conditional=conditional),
                atol=1e-15,
            )


def test_cascade_counts_down_to_the_first_click():
    log = ClickLog([1, 1, 1, 2, 2, 2], ["q"] * 6, list("abcbca"), [1, 2, 3] * 2, [0, 1, 0, 0, 0, 0])
    found = Cascade.fit(log, prior=(0, 0)).to_tables()["attraction"]
    assert found.to_dict() == {("q", "a"): 0.0, ("q", "b"): 0.5, ("q", "c"): 0.0}
    twice = ClickLog([1, 1], ["q"] * 2, ["a", "b"], [1, 2], [1, 1])
    model = Cascade(attraction=PairTable(["q"], ["a"], [0.5], 0.5))
    assert model.log_likelihood(twice) == -np.inf
    assert model.perplexity(twice).by_rank.tolist() == [2.0, np.inf]


def test_last_click_counts_down_to_the_last_click():
    log = ClickLog([1, 1, 1, 2, 2, 2], ["q"] * 6, list("abcbca"), [1, 2, 3] * 2, [1, 1, 0, 0, 0, 0])
    dcm = DependentClick.fit(log, method="last_click", prior=(0, 0)).to_tables()
    assert dcm["attraction"].to_dict() == {("q", "a"): 0.5, ("q", "b"): 0.5, ("q", "c"): 0.0}
    assert dcm["continuation"].tolist()[:2] == [1.0, 0.0]
    sdbn = SimplifiedDynamicBayesian.fit(log, method="last_click", prior=(1, 1)).to_tables()
    assert sdbn["satisfaction"].to_dict() == pytest.approx({("q", "a"): 1 / 3, ("q", "b"): 2 / 3, ("q", "c"): 0.5})


def test_smoothing_is_clicks_seen_beforehand():
    log = ClickLog([1, 2, 3], ["q"] * 3, ["a", "a", "b"], [1, 1, 1], [1, 0, 0])
    found = Cascade.fit(log, prior=(1, 3)).attraction
    assert found.value.tolist() == pytest.approx([2 / 6, 1 / 5])
    assert found.default == pytest.approx((2 * 2 / 6 + 1 / 5) / 3)


def test_trust_bias_of_known_attractions_is_determined(models, lists):
    true = TrustBias.of([1, 0.8, 0.6, 0.4], [0.95, 0.9, 0.85, 0.8], [0.4, 0.3, 0.2, 0.1])
    attraction = models["pbm"].attraction
    log = TrustBias(true.attractive, true.unattractive, attraction=attraction).simulate(lists, random_state=4)
    found = TrustBias.fit(log, attraction=attraction, prior=(0, 0))
    np.testing.assert_allclose(found.attractive, true.attractive, atol=0.02)
    np.testing.assert_allclose(found.unattractive, true.unattractive, atol=0.02)
    with pytest.raises(DataError, match=r"has no document . of query q"):
        TrustBias.fit(log, attraction=PairTable(["q"], [9], [0.5], 0.5))


def test_perplexity_is_1_of_knowledge_and_2_of_a_coin():
    log = ClickLog([1, 1, 2, 2], ["q"] * 4, list("abab"), [1, 2, 1, 2], [1, 0, 1, 1])
    model = PositionBased([1, 1], attraction=PairTable(["q", "q"], ["a", "b"], [1, 0.5], 0))
    found = model.perplexity(log)
    np.testing.assert_allclose(found.by_rank, [1, 2])
    assert found.overall == pytest.approx(1.5)
    quarter = PositionBased([1, 1], attraction=PairTable(["q", "q"], ["a", "b"], [1, 0.25], 0))
    assert quarter.perplexity(log).by_rank[1] == pytest.approx(2 ** (-0.5 * (np.log2(0.75) + np.log2(0.25))))


@pytest.mark.parametrize("name", NAMES)
def test_files_give_the_model_back(models, name, tmp_path):
    models[name].save(tmp_path / "m.json")
    again = load_click_model(tmp_path / "m.json")
    assert type(again) is type(models[name])
    assert again.to_dict() == models[name].to_dict()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "has no 'model'"),
        ('{"model": "pbn"}', "Did you mean 'pbm'"),
        ('{"model": "pbm", "examination": [2]}', "row 0 is 2; a probability is from 0 to 1"),
        ('{"model": "pbm"}', "examination"),
        ('{"model": "cascade", "gamma": 1}', "has no 'gamma'"),
        ('{"model": "cascade", "attraction": {}}', "give these four"),
    ],
)
def test_refuses_other_files(tmp_path, content, told):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(ValueError, match=told):
        load_click_model(tmp_path / "m.json")


def test_refuses_what_no_model_can_have(models, lists):
    few = lists.take([0])
    for wrong, told in [
        (lambda: PositionBased([]), "has no ranks"),
        (lambda: PositionBased([0.5, float("nan")]), "row 1 is nan"),
        (lambda: PositionBased([1, -0.1]), "row 1 is -0.1"),
        (lambda: UserBrowsing([[1, 0]]), "give a square"),
        (lambda: TrustBias([1, 1], [0]), "give the same number"),
        (lambda: PositionBased([1, 0.5]).probabilities([0, 3], [0.1, 0.2, 0.3]), "knows 2 ranks"),
        (lambda: PositionBased([1]).simulate(few), "has no table of it"),
        (lambda: DynamicBayesian(0.9).probabilities([0, 1], [0.5]), "needs one for each row"),
        (lambda: Cascade().probabilities([0, 1], [0.5], [0.5]), "has none"),
        (lambda: PositionBased.fit(few, prior=(1, -1)), "prior="),
        (lambda: PositionBased.fit(few, max_iterations=0), "max_iterations=0"),
        (lambda: DependentClick.fit(few, method="mle"), "method='mle'"),
    ]:
        with pytest.raises(ValueError, match=told):
            wrong()
    with pytest.warns(GbrankWarning, match="has not converged in max_iterations=2"):
        UserBrowsing.fit(models["ubm"].simulate(lists.take(np.arange(50)), 0), max_iterations=2, tolerance=0)


def test_every_model_is_in_the_table_by_its_name(models):
    assert sorted(CLICK_MODELS) == sorted(NAMES)
    assert all(CLICK_MODELS[name] is type(models[name]) for name in NAMES)
    assert all(issubclass(CLICK_MODELS[name], ClickModel) for name in NAMES)
    assert json.dumps(models["ubm"].to_dict())


def test_pairs_that_were_not_seen_get_the_mean(models, lists):
    log = models["pbm"].simulate(lists.take(np.arange(2000)), 5)
    found = PositionBased.fit(log)
    new = ClickLog([1], ["other"], [0], [1], [0])
    mean = np.average(found.attraction.value, weights=np.bincount(log.pair))
    assert found.click_probability(new).tolist() == pytest.approx([mean])


def test_parameters_cannot_be_changed(models):
    with pytest.raises(ValueError, match="read-only"):
        models["pbm"].examination[0] = 0.5
    with pytest.raises(ParameterError):
        PositionBased.power(-1, 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prior", [(0, 0), (1, 1)], ids=["plain", "smoothed"])
@pytest.mark.parametrize("clicks", ["none", "first", "all"])
def test_fits_logs_that_tell_little(lists, name, prior, clicks):
    log = lists.take(np.arange(30))
    click = {"none": log.rank == 0, "first": log.rank == 1, "all": log.rank > 0}[clicks]
    log = ClickLog.from_frame(log.to_frame().assign(click=click))
    found = CLICK_MODELS[name].fit(log, prior=prior)
    p = found.click_probability(log, conditional=True)
    assert p.min() >= 0
    assert p.max() <= 1
    if prior == (0, 0) and not (clicks == "all" and name == "cascade"):
        assert found.log_likelihood(log) == pytest.approx(0, abs=0.5)


def test_a_table_has_each_pair_once():
    with pytest.raises(DataError, match="query q has a twice, in row 2"):
        PairTable(["q", "q", "q"], ["a", "b", "a"], [0.1, 0.2, 0.3], 0.5)
