"""Spelling, conventions and refusals of measures, and what must not change their values."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank import Convention, DataError, ParameterError, measure
from gbrank.metrics import PRESETS
from gbrank.metrics._definitions import MEASURES

NAMES = ("ndcg@10", "ndcg", "dcg@3", "ap", "ap@5", "rr", "rr@2", "p@4", "r@3", "err@5", "err", "hit@2")
EVERY = [
    f"{name}@{k}" if k else name
    for name in MEASURES
    if MEASURES[name].own is None
    for k in (None, 7)
    if MEASURES[name].cutoff != ("needed" if k is None else "none")
]


def square(y):
    return y**2


# -- spelling --


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (measure("NDCG@10"), "ndcg@10"),
        (measure(" ndcg @ 10 ( ) "), "ndcg@10"),
        (measure("ndcg@10", preset="letor"), "ndcg@10(preset=letor)"),
        (measure("ndcg@10", gain="linear", ties="stable"), "ndcg@10(gain=linear, ties=stable)"),
        (measure("ndcg@10(ties='stable', gain='linear')"), "ndcg@10(gain=linear, ties=stable)"),
        (measure("ndcg", preset="letor", ties="expected"), "ndcg(discount=letor, no_relevant=0, short_list=zero)"),
        (measure("ndcg@5", gain={2: 7, 0: 0, 1: 2.5}), "ndcg@5(gain={0: 0, 1: 2.5, 2: 7})"),
        (measure("map", relevant_from=2), "ap(relevant_from=2)"),
        (measure("mrr@10", no_relevant=0.0), "rr@10(no_relevant=0)"),
        (measure("precision@5", relevant_from=0.5), "p@5(relevant_from=0.5)"),
        (measure("recall@7", preset="letor"), "r@7(preset=letor)"),
        (measure("hit_rate@1"), "hit@1"),
        (measure("ERR", max_grade=2), "err(max_grade=2)"),
        (measure("ndcg@10(preset=default)"), "ndcg@10"),
        (measure("ndcg@10", preset="mslr"), "ndcg@10(preset=mslr)"),
        (measure("ndcg@10", preset="xgboost"), "ndcg@10(preset=xgboost)"),
        (measure("ndcg@10", preset="xgboost-"), "ndcg@10(preset='xgboost-')"),
        (measure(measure("ndcg@10", preset="xgboost"), ties="worst"), "ndcg@10(ties=worst, no_relevant=1)"),
        (measure("ndcg@10(ties=stable, no_relevant=1)"), "ndcg@10(preset=lightgbm)"),
        (measure("ndcg_cut_10"), "ndcg@10"),
        (measure("ndcg_cut.10"), "ndcg@10"),
        (measure("P_5"), "p@5"),
        (measure("recip_rank"), "rr"),
        (measure("recall_100", preset="trec"), "r@100(preset=trec)"),
        (measure("Rprec"), "rprec"),
        (measure("success_5"), "hit@5"),
        (measure("map_cut_10"), "ap@10"),
        (measure("infAP"), "infap"),
        (measure("infAP", ties="sampled"), "infap"),
        (measure("infAP", relevant_from=2), "infap(relevant_from=2)"),
        (measure("infAP", preset="sklearn", ties="trec"), "infap(ties=trec, no_relevant=0, single_document=refuse)"),
        (measure("nDCG(dcg='exp-log2')@10"), "ndcg@10"),
        (measure("nDCG(dcg='log2')@10"), "ndcg@10(gain=linear)"),
        (measure("nDCG(gains={0: 0, 1: 3})@10"), "ndcg@10(gain={0: 0, 1: 3})"),
        (measure("AP(rel=2)@100"), "ap@100(relevant_from=2)"),
        (measure("AP(rel=2, judged_only=True)"), "ap(relevant_from=2, unjudged=removed)"),
        (measure("P(cutoff=5)"), "p@5"),
        (measure("RBP(p=0.9)"), "rbp(persistence=0.9)"),
        (measure("RBP(p=0.8)"), "rbp"),
        (measure("Success@5"), "hit@5"),
        (measure("alpha_nDCG(alpha=.25)@20"), "alpha_ndcg@20(alpha=0.25)"),
        (measure("Judged@10"), "judged@10"),
        (measure("Bpref"), "bpref"),
        (measure("gauc"), "auc(average=documents)"),
        (measure("GAUC(ties=worst)"), "auc(ties=worst, average=documents)"),
        (measure("f1@3", beta=2), "f@3(beta=2)"),
    ],
)
def test_prints_and_reads_back(given, printed):
    assert str(given) == printed
    assert measure(printed) == given
    assert hash(measure(printed)) == hash(given)


@given(
    name=st.sampled_from(EVERY),
    preset=st.sampled_from(list(PRESETS)),
    rules=st.fixed_dictionaries(
        {},
        optional={
            "gain": st.sampled_from(["exp", "linear", ((0.0, 0.0), (1.0, 0.25)), {-1: 0, 0: 1e-7, 3: 1e20}]),
            "discount": st.sampled_from(["log2", "letor"]),
            "ties": st.sampled_from(["expected", "stable", "reversed", "worst", "trec", "sampled"]),
            "no_relevant": st.sampled_from(["skip", 0, 1]),
            "short_list": st.sampled_from(["as_is", "zero"]),
            "relevant_from": st.floats(-1e9, 1e9) | st.integers(-5, 5),
            "max_grade": st.integers(1, 50),
            "single_document": st.sampled_from(["as_is", "skip", "refuse"]),
            "missing_queries": st.sampled_from(["zero", "skip"]),
            "unjudged": st.sampled_from(["not_relevant", "removed", "refuse"]),
            "average": st.sampled_from(["queries", "documents"]),
            "persistence": st.floats(1e-6, 0.999),
            "beta": st.floats(0.1, 10),
            "alpha": st.floats(0.1, 1),
            "tie_samples": st.integers(1, 1000),
            "tie_seed": st.integers(0, 2**63),
        },
    ),
)
@settings(max_examples=500, deadline=None)
def test_every_measure_reads_back(name, preset, rules):
    definition = MEASURES[name.split("@")[0]]
    rules = {field: value for field, value in rules.items() if field in definition.uses}
    wanted = rules.get("ties", PRESETS[preset].ties)
    refused = wanted not in (*definition.closed_forms, "sampled") and (wanted != "expected" or "ties" in rules)
    if "ties" in definition.uses and refused:
        with pytest.raises(ParameterError, match="choose one of"):
            measure(name, preset=preset, **rules)
        return
    m = measure(name, preset=preset, **rules)
    assert measure(str(m)) == m
    assert str(measure(str(m))) == str(m)
    assert m.describe()
    assert pickle.loads(pickle.dumps(m)) == m


def test_a_measure_is_returned_with_its_rules_changed():
    m = measure("ndcg@10", gain=square, ties="stable")
    assert measure(m) == m
    changed = measure(m, ties="worst")
    assert changed.convention == Convention(gain=square, ties="worst")
    assert measure(m, preset="letor") == measure("ndcg@10", preset="letor")
    assert pickle.loads(pickle.dumps(measure("dcg@3"))).k == 3
    assert measure("dcg@3").higher_is_better is True


def test_descriptions_state_the_convention():
    assert measure("ndcg@10").rules() == "gain exp, discount log2, ties expected"
    text = measure("ndcg@10", preset="letor").describe()
    for words in ("first 10 places", "gain exp", "discount letor", "ties stable", "no_relevant 0", "short_list zero"):
        assert words in text
    assert "skipped" not in text
    assert "queries with nothing relevant are skipped" in measure("err").describe()
    assert "max_grade 4" in measure("err").describe()
    assert "gain square" in measure("ndcg", gain=square).describe()


@pytest.mark.parametrize(
    ("name", "rules", "message"),
    [
        ("ngcd@10", {}, "Known: alpha_ndcg, ap"),
        ("ndgc", {}, "Did you mean 'ndcg'"),
        ("aucc", {}, "Did you mean 'auc'"),
        ("auc@5", {}, "takes no cutoff"),
        ("p", {}, "p needs a cutoff, as in 'p@10'"),
        ("r", {}, "needs a cutoff"),
        ("hit", {}, "needs a cutoff"),
        ("ndcg@0", {}, "at least 1"),
        ("ndcg@-1", {}, "write it as"),
        ("ndcg@ten", {}, "write it as"),
        ("", {}, "write it as"),
        ("ndcg@" + "9" * 5000, {}, "write it as"),
        ("ndcg@10", {"gain": np.array([0, 1, 3])}, "a mapping"),
        ("ndcg@10", {"gain": [0, 1, 3]}, "a mapping"),
        (10, {}, "write it as"),
        ("ndcg@10(gain)", {}, "write rules as"),
        ("ndcg@10(gain=__import__('os'))", {}, "write rules as"),
        ("ndcg@10(gain=linear", {}, "write it as"),
        ("ndcg@10(gain=a.b)", {}, "write rules as"),
        ("ndcg@10(**x)", {}, "write rules as"),
        ("ndcg@10(gain=quadratic)", {}, "give 'exp', 'linear', a mapping"),
        ("ndcg@10(preset=letro)", {}, "Did you mean 'letor'"),
        ("ndcg@10(tie=stable)", {}, "Did you mean 'ties'"),
        ("ndcg@10", {"ties": "random"}, "ties='random': choose one of"),
        ("ndcg@10", {"no_relevant": 0.5}, "no_relevant=0.5: choose one of"),
        ("ndcg@10", {"gain": {0: 0, 1: -1}}, "not negative"),
        ("ndcg@10", {"gain": {}}, "gain="),
        ("ndcg@10", {"gain": 3}, "give 'exp', 'linear'"),
        ("ndcg@10", {"gain": {0: 0, 1: float("inf")}}, "finite"),
        ("ndcg@10", {"max_grade": 3}, "ndcg does not depend on max_grade, but on gain"),
        ("ap", {"gain": "linear"}, "ap does not depend on gain"),
        ("ap", {"relevant_from": float("nan")}, "finite"),
        ("ap", {"relevant_from": "2"}, "finite"),
        ("err", {"max_grade": 0}, "at least 1"),
        ("ndcg@10(gain=linear)", {"gain": "exp"}, "says gain=linear"),
        ("ndcg@10(preset=letor)", {"preset": "default"}, "says preset=letor"),
        ("ndcg(gain=linear)@10(ties=stable)", {}, "write rules as"),
        ("ndcg_cut_0", {}, "at least 1"),
        (
            "infap",
            {"ties": "expected"},
            "ties='expected': the mean over all orders of tied documents has no closed form",
        ),
        ("infap(ties=expected)", {}, "choose one of 'stable', 'reversed', 'trec', 'sampled'"),
        ("bpref", {"preset": "catboost"}, "ties='worst': it has no meaning in bpref"),
        ("tau", {"ties": "stable"}, "tau does not depend on ties"),
        ("rbp", {"persistence": 1}, "persistence=1: must be above 0 and below 1"),
        ("alpha_ndcg", {"alpha": 1.5}, "alpha=1.5: must be above 0 and at most 1"),
        ("f@3", {"beta": 0}, "beta=0"),
        ("ap", {"tie_samples": 0}, "tie_samples=0"),
        ("ap", {"tie_seed": -1}, "tie_seed=-1"),
        ("ap", {"unjudged": "kept"}, "unjudged='kept'"),
        ("bpref", {"unjudged": "removed"}, "bpref does not depend on unjudged"),
    ],
)
def test_refuses_what_it_does_not_know(name, rules, message):
    with pytest.raises(ParameterError) as error:
        measure(name, **rules)
    assert message in str(error.value)


# -- conventions, by arithmetic --

LOG3 = np.log2(3)


@pytest.mark.parametrize(
    ("name", "rules", "value"),
    [
        ("dcg", {}, 1 + 3 / LOG3 + 0 / 2),
        ("dcg", {"gain": "linear"}, 1 + 2 / LOG3),
        ("dcg", {"gain": {0: 0.5, 1: 1, 2: 10}}, 1 + 10 / LOG3 + 0.25),
        ("dcg", {"gain": square}, 1 + 4 / LOG3),
        ("dcg", {"discount": "letor"}, 1 + 3),
        ("dcg@1", {}, 1),
        ("dcg@999999999999999999", {}, 1 + 3 / LOG3),
        ("ndcg@1", {}, 1 / 3),
        ("ndcg", {}, (1 + 3 / LOG3) / (3 + 1 / LOG3)),
        ("ndcg@4", {"short_list": "zero"}, 0),
        ("ndcg@3", {"short_list": "zero"}, (1 + 3 / LOG3) / (3 + 1 / LOG3)),
        ("ap", {}, 1),
        ("ap", {"relevant_from": 2}, 1 / 2),
        ("ap@1", {}, 1 / 2),
        ("rr", {"relevant_from": 2}, 1 / 2),
        ("rr@1", {"relevant_from": 2}, 0),
        ("p@4", {}, 2 / 4),
        ("r@1", {}, 1 / 2),
        ("hit@1", {"relevant_from": 2}, 0),
        ("err", {}, 1 / 16 + 15 / 16 * 3 / 16 / 2),
        ("err", {"max_grade": 2}, 1 / 4 + 3 / 4 * 3 / 4 / 2),
    ],
)
def test_values_of_the_list_1_2_0(name, rules, value):
    got = measure(name, **rules)([1, 2, 0], [0.9, 0.8, 0.7], [0, 3])
    assert got == pytest.approx([value])


@pytest.mark.parametrize("name", NAMES)
def test_queries_with_nothing_relevant(name):
    y, score, query_ptr = [0, 0, 1, 0], [1, 2, 3, 4], [0, 2, 4]
    assert np.isnan(measure(name)(y, score, query_ptr)).tolist() == [True, False]
    assert measure(name, no_relevant=0)(y, score, query_ptr)[0] == 0
    assert measure(name, no_relevant=1)(y, score, query_ptr)[0] == 1


def test_trec_ties_compare_float32_and_ids_as_strings():
    rr = measure("rr", ties="trec")
    assert rr([1, 0], [1 + 1e-8, 1], [0, 2], ["a", "b"]) == 0.5  # tied as float32, b before a
    assert rr([1, 0], [1 + 1e-8, 1], [0, 2], ["b", "a"]) == 1
    assert rr([1, 0], [5, 5], [0, 2], ["d9", "d10"]) == 1
    y = np.zeros(12)
    y[9] = 1
    assert rr(y, np.zeros(12), [0, 12]) == 1  # row numbers as ids: "9" is the highest string
    assert rr([1, 0], [1e300, 1e290], [0, 2], ["a", "b"]) == 0.5  # both infinite as float32
    with pytest.raises(DataError, match="doc_id: shape"):
        rr([1, 0], [1, 2], [0, 2], ["a"])


def test_binary_measures_take_any_label_and_graded_ones_say_what_they_need():
    assert measure("ap")([-1.5, 2.25], [0, 1], [0, 2]) == 1
    assert measure("ndcg", gain="linear")([0.5, 2.25], [0, 1], [0, 2]) == 1
    for name, rules, y, message in [
        ("ndcg@10", {}, [0, 0.5], "label 0.5 in row 1: ndcg@10 with gain exp needs whole grades"),
        ("ndcg@10", {}, [0, -3], "label -3 in row 1"),
        ("ndcg@10", {"gain": "linear"}, [0, -3], "label -3 in row 1: its gain in ndcg@10"),
        ("ndcg", {"gain": {0: 0, 2: 1}}, [0, 1], "label 1 in row 1: ndcg"),
        ("ndcg", {"gain": {0: 0, 2: 1}}, [0, 3], "has no gain for it; add it to gain={0: 0, 2: 1}"),
        ("ndcg", {"gain": np.negative}, [0, 1], "cannot be negative"),
        ("ndcg", {"gain": lambda y: y[:1]}, [0, 1], "must return one for each"),
        ("err", {}, [0, 5], "measure('err', max_grade=5)"),
        ("err", {}, [0, 1.5], "needs whole grades"),
    ]:
        with pytest.raises(DataError) as error:
            measure(name, **rules)(y, [1, 2], [0, 2])
        assert message in str(error.value)


def test_bad_input_is_named():
    m = measure("ndcg@10")
    for args, message in [
        (([0, 1], [0, np.nan], [0, 2]), "score: row 1 is nan"),
        (([0, np.nan], [0, 1], [0, 2]), "y: row 1 is nan"),
        (([0, 1], [0, 1, 2], [0, 2]), "score: 3 values for 2 documents"),
        (([0, 1], [0, 1], [0, 3]), "query_ptr: runs from 0 to 3"),
        (([0, 1], [0, 1], [0, 0, 2]), "query 0 has 0 documents"),
        (([[0, 1]], [0, 1], [0, 2]), "one dimension"),
    ]:
        with pytest.raises(DataError) as error:
            m(*args)
        assert message in str(error.value)
    assert m([], [], [0]).shape == (0,)


def test_arguments_are_not_changed_and_may_be_read_only():
    y, score, query_ptr = np.array([0.0, 1, 2, 0]), np.array([1.0, 1, 0, 0]), np.array([0, 2, 4])
    copies = y.copy(), score.copy(), query_ptr.copy()
    for array in (y, score, query_ptr):
        array.flags.writeable = False
    for name in NAMES:
        for ties in ("expected", "worst", "trec"):
            measure(name, ties=ties)(y, score, query_ptr)
    assert all(np.array_equal(a, b) for a, b in zip(copies, (y, score, query_ptr), strict=True))


# -- what must not change a value --


@st.composite
def queries(draw):
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=6))
    n = sum(sizes)
    seed = draw(st.integers(0, 2**32 - 1))
    levels = draw(st.sampled_from([1, 2, 5, 1000]))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, n).astype(float) * (rng.random(n) < draw(st.sampled_from([0.1, 0.6])))
    return y, rng.integers(0, levels, n).astype(float), np.concatenate(([0], np.cumsum(sizes))), rng


@given(data=queries(), name=st.sampled_from(NAMES))
@settings(max_examples=150, deadline=None)
def test_row_order_query_order_and_monotone_transforms(data, name):
    y, score, query_ptr, rng = data
    m = measure(name)
    values = m(y, score, query_ptr)
    np.testing.assert_array_equal(m(y, score * 3 - 1000, query_ptr), values)
    np.testing.assert_array_equal(m(y, np.arctan(score / 100), query_ptr), values)
    n_queries = len(values)
    shuffled = np.concatenate([rng.permutation(np.arange(a, b)) for a, b in itertools.pairwise(query_ptr)])
    np.testing.assert_allclose(m(y[shuffled], score[shuffled], query_ptr), values, rtol=1e-13)
    order = rng.permutation(n_queries)
    rows = np.concatenate([np.arange(query_ptr[q], query_ptr[q + 1]) for q in order])
    moved_ptr = np.concatenate(([0], np.cumsum(np.diff(query_ptr)[order])))
    np.testing.assert_array_equal(m(y[rows], score[rows], moved_ptr), values[order])
    finite = values[~np.isnan(values)]
    assert np.all(finite >= 0)
    assert name.startswith("dcg") or np.all(finite <= 1 + 1e-12)


@given(data=queries(), k=st.integers(1, 12), ties=st.sampled_from(["expected", "stable", "worst", "trec"]))
@settings(max_examples=60, deadline=None)
def test_relations_between_measures(data, k, ties):
    y, score, query_ptr, _ = data

    def value(name, scores=score):
        return measure(name, ties=ties)(y, scores, query_ptr)

    relevant = np.add.reduceat(y >= 1, query_ptr[:-1])
    found = ~np.isnan(value("ap"))
    np.testing.assert_allclose((value(f"p@{k}") * k)[found], (value(f"r@{k}") * relevant)[found], rtol=1e-12)
    np.testing.assert_allclose(value("hit@1"), value("p@1"), rtol=1e-12)
    np.testing.assert_allclose(value("rr@1"), value("p@1"), rtol=1e-12)
    np.testing.assert_array_equal(value("ndcg", y)[found], 1)
    np.testing.assert_array_equal(value(f"ndcg@{k}", y)[found], 1)
    np.testing.assert_allclose(value(f"ap@{10**6}"), value("ap"), rtol=0)


def test_a_constant_model_gains_nothing_from_rows_sorted_by_label():
    y, score = np.array([2.0, 1, 0, 0, 0, 0]), np.zeros(6)
    for name in NAMES:
        down, up = (measure(name)(labels, score, [0, 6])[0] for labels in (y, y[::-1]))
        assert down == pytest.approx(up, rel=1e-12)
    assert measure("ndcg@3")(y, score, [0, 6])[0] < 0.5 < measure("ndcg@3", ties="stable")(y, score, [0, 6])[0]


def test_threads_do_not_change_values():
    rng = np.random.default_rng(0)
    query_ptr = np.concatenate(([0], np.cumsum(rng.integers(1, 200, 300))))
    y, score = rng.integers(0, 5, query_ptr[-1]), rng.integers(0, 50, query_ptr[-1])
    for name in NAMES:
        one, three = (measure(name)(y, score, query_ptr, n_jobs=n) for n in (1, 3))
        np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("name", ["ndcg@3", "ap", "err", "gauc", "bpref", "rbp"])
def test_a_query_twice_at_half_weight_changes_no_mean(name):
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 9, 20)
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    y, score = rng.integers(0, 3, ptr[-1]).astype(float), rng.normal(size=ptr[-1]).round(1)
    m = measure(name)
    twice = np.concatenate([np.arange(20), [3, 7, 11]])
    rows = np.concatenate([np.arange(ptr[q], ptr[q + 1]) for q in twice])
    weight = np.where(np.isin(twice, [3, 7, 11]), 0.5, 1.0)
    longer = np.concatenate([[0], np.cumsum(sizes[twice])])
    once = m.mean(m(y, score, ptr), ptr)
    assert m.mean(m(y[rows], score[rows], longer), longer, weight) == pytest.approx(once, rel=1e-12)
    assert m.mean(m(y[rows], score[rows], longer), longer) != pytest.approx(once, rel=1e-6)
