"""Other libraries' numbers, asked of the libraries themselves, are ours under the preset of their name."""

import itertools

import numpy as np
import pytest

from gbrank import DataError, measure
from gbrank.metrics import PRESETS, all_values

LISTS = {
    "graded": ([3, 0, 2, 1, 0], [0.2, 0.9, 0.7, 0.4, 0.1]),
    "nothing relevant": ([0, 0, 0, 0, 0], [0.2, 0.9, 0.7, 0.4, 0.1]),
    "tied, worst first": ([0, 0, 0, 2, 1], [0.5] * 5),
    "tied, best first": ([2, 1, 0, 0, 0], [0.5] * 5),
    "one relevant": ([2], [0.3]),
    "one irrelevant": ([0], [0.3]),
    "short": ([1, 2], [0.9, 0.1]),
}


def lightgbm_ndcg(y, score):
    lightgbm = pytest.importorskip("lightgbm")
    quiet = {"verbose": -1, "num_threads": 1, "min_data_in_bin": 1, "feature_pre_filter": False}
    data = lightgbm.Dataset(np.zeros((len(y), 1)), y, group=[len(y)], init_score=score, params=quiet)
    booster = lightgbm.Booster({"objective": "lambdarank", "metric": "ndcg", "eval_at": [3], **quiet}, data)
    return booster.eval_train()[0][2]


def xgboost_ndcg(name):
    def ndcg(y, score):
        xgboost = pytest.importorskip("xgboost")
        data = xgboost.DMatrix(np.zeros((len(y), 1)), y, base_margin=score)
        data.set_group([len(y)])
        booster = xgboost.train({"objective": "rank:ndcg", "eval_metric": name, "nthread": 1}, data, num_boost_round=0)
        return float(booster.eval(data).rpartition(":")[2])

    return ndcg


def catboost_ndcg(name):
    def ndcg(y, score):
        utils = pytest.importorskip("catboost.utils")
        return utils.eval_metric(y, score, name, group_id=[0] * len(y), thread_count=1)[0]

    return ndcg


def sklearn_ndcg(**options):
    def ndcg(y, score):
        from sklearn.metrics import ndcg_score

        return ndcg_score([y], [score], k=3, **options)

    return ndcg


def in_dictionaries(y, score):
    qrels = {"q": {f"d{i}": int(label) for i, label in enumerate(y)}}
    return qrels, {"q": {f"d{i}": float(s) for i, s in enumerate(score)}}


def ranx_ndcg(name):
    def ndcg(y, score):
        ranx = pytest.importorskip("ranx")
        qrels, run = in_dictionaries(y, score)
        return ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), name)

    return ndcg


def pytrec_eval_ndcg(y, score):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    qrels, run = in_dictionaries(y, score)
    return pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.3"}).evaluate(run)["q"]["ndcg_cut_3"]


def ir_measures_ndcg(y, score):
    ir_measures = pytest.importorskip("ir_measures")
    return (ir_measures.nDCG @ 3).calc_aggregate(*in_dictionaries(y, score))


RAISES = "raises"
PEERS = {  # the library, our rules, and its values of the seven lists
    "LightGBM": (lightgbm_ndcg, {"preset": "lightgbm"}, (0.2547, 1, 0, 1, 1, 1, 0.7967)),
    "XGBoost": (xgboost_ndcg("ndcg@3"), {"preset": "xgboost"}, (0.2547, 1, 0, 1, 1, 1, 0.7967)),
    "XGBoost ndcg@3-": (xgboost_ndcg("ndcg@3-"), {"preset": "xgboost-"}, (0.2547, 0, 0, 1, 1, 0, 0.7967)),
    "CatBoost": (catboost_ndcg("NDCG:top=3"), {"preset": "catboost"}, (0.3700, 1, 0, 0, 1, 1, 0.8597)),
    "CatBoost type=Exp": (
        catboost_ndcg("NDCG:top=3;type=Exp"),
        {"preset": "catboost", "gain": "exp"},
        (0.2547, 1, 0, 0, 1, 1, 0.7967),
    ),
    "scikit-learn": (sklearn_ndcg(), {"preset": "sklearn"}, (0.3700, 0, 0.4860, 0.4860, RAISES, RAISES, 0.8597)),
    "scikit-learn ignore_ties": (
        sklearn_ndcg(ignore_ties=True),
        {"preset": "sklearn", "ties": "reversed"},
        (0.3700, 0, 0.8597, 0, RAISES, RAISES, 0.8597),
    ),
    "ranx": (ranx_ndcg("ndcg@3"), {"preset": "ranx"}, (0.3700, 0, 0, 1, 1, 0, 0.8597)),
    "ranx ndcg_burges": (
        ranx_ndcg("ndcg_burges@3"),
        {"preset": "ranx", "gain": "exp"},
        (0.2547, 0, 0, 1, 1, 0, 0.7967),
    ),
    "pytrec_eval": (pytrec_eval_ndcg, {"preset": "trec"}, (0.3700, 0, 0.8597, 0, 1, 0, 0.8597)),
    "ir_measures": (ir_measures_ndcg, {"preset": "ir_measures"}, (0.3700, 0, 0.8597, 0, 1, 0, 0.8597)),
}


@pytest.mark.parametrize("peer", PEERS)
def test_ndcg_at_3_of_seven_lists(peer):
    theirs, rules, table = PEERS[peer]
    m = measure("ndcg@3", **rules)
    for (name, (y, score)), value in zip(LISTS.items(), table, strict=True):
        doc_id = [f"d{i}" for i in range(len(y))]
        if value == RAISES:
            with pytest.raises(ValueError, match="than 1 document"):
                theirs(y, score)
            with pytest.raises(DataError, match="one document"):
                m(y, score, [0, len(y)], doc_id)
            continue
        told = theirs(np.array(y, float), np.array(score))
        assert told == pytest.approx(value, abs=5.1e-5), f"{peer} has changed its mind about: {name}"
        assert m(y, score, [0, len(y)], doc_id)[0] == pytest.approx(told, abs=1e-6), name


def test_every_preset_of_a_library_is_asked_of_it():
    asked = {rules["preset"] for _, rules, _ in PEERS.values()}
    assert asked == set(PRESETS) - {"default", "letor", "mslr"}


@pytest.fixture(scope="module")
def lists():
    """Random lists with many ties; every query has at least two documents and some have nothing relevant."""
    rng = np.random.default_rng(7)
    sizes = rng.integers(2, 60, 80)
    query_ptr = np.concatenate(([0], np.cumsum(sizes)))
    n = int(query_ptr[-1])
    y = rng.integers(0, 4, n) * (rng.random(n) < 0.15)
    return y, rng.integers(0, 15, n) / 4, query_ptr


@pytest.mark.parametrize("k", [1, 3, 10, None])
def test_scikit_learn(lists, k):
    from sklearn.metrics import dcg_score, ndcg_score

    y, score, query_ptr = lists
    at = "" if k is None else f"@{k}"
    queries = [slice(a, b) for a, b in itertools.pairwise(query_ptr)]
    for name, theirs in (("ndcg", ndcg_score), ("dcg", dcg_score)):
        truth = [theirs([y[q]], [score[q]], k=k) for q in queries]
        ours = measure(name + at, gain="linear", no_relevant=0)(y, score, query_ptr)
        np.testing.assert_allclose(ours, truth, rtol=1e-10, atol=1e-12)


def dictionaries(y, score, doc_id, query_ptr):
    """Return judgments (of labels from -1 up) and run as dictionaries."""
    rows = {f"{q + 100}": range(query_ptr[q], query_ptr[q + 1]) for q in range(len(query_ptr) - 1)}
    qrels = {q: {doc_id[i]: int(y[i]) for i in members if y[i] > -2} for q, members in rows.items()}
    run = {q: {doc_id[i]: float(score[i]) for i in members if score[i] > -np.inf} for q, members in rows.items()}
    return qrels, run


def incomplete(lists, unjudged):
    """Return lists of which some documents were not retrieved, and some have the labels `unjudged`."""
    y, score, query_ptr = lists
    rng = np.random.default_rng(1)
    y, score = y.astype(float), score + 1e-9 * rng.normal(size=len(y))  # apart in float64, tied in float32
    score[rng.random(len(y)) < 0.2] = -np.inf
    for label in unjudged:
        y[rng.random(len(y)) < 0.1] = label
    score[query_ptr[:-1]] = 5  # a run of pytrec_eval has a document for every query, and judgments too
    y[query_ptr[:-1]] = np.maximum(y[query_ptr[:-1]], 0)
    return y, score, query_ptr, np.array([f"d{i}" for i in range(len(y))])


OF_TREC = {
    "ndcg": "ndcg", "ndcg_cut_10": "ndcg_cut.10", "map": "map", "map_cut_5": "map_cut.5", "recip_rank": "recip_rank",
    "P_5": "P.5", "recall_5": "recall.5", "success_5": "success.5", "Rprec": "Rprec", "bpref": "bpref",
    "infAP": "infAP",
}  # fmt: skip


@pytest.mark.parametrize("unjudged", [(), (-2,), (-1, -2)])
def test_pytrec_eval(lists, unjudged):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    y, score, query_ptr, doc_id = incomplete(lists, unjudged)
    qrels, run = dictionaries(y, score, doc_id, query_ptr)
    theirs = pytrec_eval.RelevanceEvaluator(qrels, set(OF_TREC.values())).evaluate(run)
    measures = [measure(name, preset="trec") for name in OF_TREC]
    ours = all_values(measures, y, score, query_ptr, doc_id)
    for name, values in zip(OF_TREC, ours.T, strict=True):
        np.testing.assert_allclose(values, [theirs[q][name] for q in qrels], atol=1e-9, err_msg=name)


def test_ir_measures(lists):
    ir_measures = pytest.importorskip("ir_measures")
    y, score, query_ptr, doc_id = incomplete(lists, (-2,))
    qrels, run = dictionaries(y, score, doc_id, query_ptr)
    names = [
        *("nDCG@10", "nDCG(dcg='exp-log2')@10", "nDCG(judged_only=True)@5", "AP(rel=2)@20", "RR", "P(rel=2)@5", "R@10"),
        *("Success@5", "Rprec", "Bpref", "infAP", "ERR@20", "AP(judged_only=True)"),
    ]
    score = np.round(score, 6)  # ir_measures computes some measures from scores in float64
    run = dictionaries(y, score, doc_id, query_ptr)[1]
    parsed = {name: ir_measures.parse_measure(name) for name in names}
    told = {(str(m), q): v for q, m, v in ir_measures.iter_calc(list(parsed.values()), qrels, run)}
    for name, theirs in parsed.items():
        ours = measure(name, preset="ir_measures")(y, score, query_ptr, doc_id)
        assert measure(str(theirs)) == measure(name)
        digits = 5.1e-6 if name in ("nDCG(dcg='exp-log2')@10", "ERR@20") else 1e-9  # gdeval prints five
        np.testing.assert_allclose(ours, [told[(str(theirs), q)] for q in qrels], atol=digits, err_msg=name)


def test_judged_is_ir_measures(lists):
    ir_measures = pytest.importorskip("ir_measures")
    y, score, query_ptr, doc_id = incomplete(lists, (-2,))
    score += 1e-4 * np.random.default_rng(2).permutation(len(score))  # it orders ties by document id ascending
    told = {q: v for q, _, v in (ir_measures.Judged @ 10).iter_calc(*dictionaries(y, score, doc_id, query_ptr))}
    np.testing.assert_allclose(measure("Judged@10")(y, score, query_ptr), list(told.values()), atol=1e-12)
    assert list(told) == [f"{q + 100}" for q in range(len(query_ptr) - 1)]


def test_ranx(lists):
    ranx = pytest.importorskip("ranx")
    y, _, query_ptr = lists
    score = np.random.default_rng(0).permutation(len(y)) / 64  # distinct: ranx sorts ties unstably
    qrels, run = dictionaries(y, score, [f"d{i}" for i in range(len(y))], query_ptr)
    names = {"ndcg@5": "ndcg@5", "map@7": "map@7", "f1@5": "f1@5"}
    theirs = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(names), return_mean=False)  # compiled for seconds
    for name, our_name in names.items():
        ours = measure(our_name, preset="ranx")(y, score, query_ptr)
        np.testing.assert_allclose(ours, theirs[name], atol=1e-9, err_msg=name)


def test_auc_is_scikit_learns(lists):
    from sklearn.metrics import roc_auc_score

    y, score, query_ptr = lists
    values = measure("auc", relevant_from=2)(y, score, query_ptr)
    for q, (a, b) in enumerate(itertools.pairwise(query_ptr)):
        if 0 < (y[a:b] >= 2).sum() < b - a:
            assert values[q] == pytest.approx(roc_auc_score(y[a:b] >= 2, score[a:b]), rel=1e-12)
        else:
            assert np.isnan(values[q])


def test_lightgbm(lists):
    lightgbm = pytest.importorskip("lightgbm")
    y, score, query_ptr = lists
    data = lightgbm.Dataset(
        np.arange(len(y))[:, None], y, group=np.diff(query_ptr), init_score=score, params={"verbose": -1}
    )
    params = {"objective": "lambdarank", "metric": "ndcg", "eval_at": [1, 3, 10], "verbose": -1, "num_threads": 1}
    booster = lightgbm.Booster(params, data)
    for _, name, theirs, _ in booster.eval_train():
        ours = measure(name, preset="lightgbm")(y, score, query_ptr).mean()
        assert ours == pytest.approx(theirs, rel=1e-9), name


def test_xgboost(lists):
    xgboost = pytest.importorskip("xgboost")
    y, score, query_ptr = lists
    data = xgboost.DMatrix(np.arange(len(y))[:, None], y, base_margin=score)
    data.set_group(np.diff(query_ptr))
    names = ["ndcg@1", "ndcg@3", "ndcg@10", "ndcg@3-"]
    params = {"objective": "rank:ndcg", "eval_metric": names, "nthread": 1}
    line = xgboost.train(params, data, num_boost_round=0).eval(data)
    theirs = dict(part.rsplit(":", 1) for part in line.split("\t")[1:])
    for name in names:
        m = measure(name.rstrip("-"), preset="xgboost-" if name.endswith("-") else "xgboost")
        assert m(y, score, query_ptr).mean() == pytest.approx(float(theirs[f"eval-{name}"]), abs=1e-6), name


def test_catboost(lists):
    utils = pytest.importorskip("catboost.utils")
    y, score, query_ptr = lists
    query = np.repeat(np.arange(len(query_ptr) - 1), np.diff(query_ptr))
    for k in (1, 3, 10):
        for name, rules in ((f"NDCG:top={k}", {}), (f"NDCG:top={k};type=Exp", {"gain": "exp"})):
            theirs = utils.eval_metric(y.astype(float), score, name, group_id=query, thread_count=1)[0]
            ours = measure(f"ndcg@{k}", preset="catboost", **rules)(y, score, query_ptr).mean()
            assert ours == pytest.approx(theirs, abs=1e-6), name
