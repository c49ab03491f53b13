"""NIST's own files: every measure shared with trec_eval, under all its option sets there, to the printed digit."""

from pathlib import Path

import numpy as np
import pytest

from gbrank.metrics import all_values, measure

CUTS = (5, 10, 15, 20, 30, 100, 200, 500, 1000)
OURS = {
    "map": "map", "Rprec": "Rprec", "bpref": "bpref", "recip_rank": "recip_rank", "infAP": "infAP",
    "rbp": "rbp(persistence=0.9)", "ndcg": "ndcg",
    **{f"P_{k}": f"P_{k}" for k in (3, 5, 7, *CUTS)},
    **{f"recall_{k}": f"recall_{k}" for k in (*CUTS, 2000)},
    **{f"map_cut_{k}": f"map_cut_{k}" for k in CUTS},
    **{f"ndcg_cut_{k}": f"ndcg_cut_{k}" for k in (*CUTS, 23)},
    **{f"success_{k}": f"success_{k}" for k in (1, 2, 5, 10, 20)},
}  # fmt: skip
GAINS = "ndcg_1=3,2=9,4=4.5"
OPTIONS = {  # file: qrels, run, what follows trec_eval's name
    "out.test": ("qrels.test", "results.test", ""),
    "out.test.a": ("qrels.test", "results.test", ""),
    "out.test.aq": ("qrels.test", "results.test", ""),
    "out.test.aqc": ("qrels.test", "results.trunc", "-c"),
    "out.test.aqcM": ("qrels.test", "results.trunc", "-c -M100"),
    "out.test.aql": ("qrels.rel_level", "results.test", "-l2"),
    "out.test.meas_params": ("qrels.test", "results.test", ""),
}
NOT_OURS = (
    *("runid", "num_", "gm_", "iprec_", "Rprec_mult", "relstring", "utility", "11pt_avg", "binG", "G", "ndcg_rel"),
    *("Rndcg", "relative_P", "set_", "rbp_resid"),
)  # counts and words, geometric means (of logs), and measures that nobody has asked for


@pytest.fixture(scope="module")
def folder(real_data) -> Path:
    return real_data / "trec_eval"


def judged_run(folder, qrels, run, most=None):
    """Return ids of queries, labels, scores, query_ptr and document ids: of both files together, query by query."""
    judgments, scores = {}, {}
    for line in (folder / qrels).read_text().splitlines():
        query, _, document, label = line.split()[:4]
        judgments.setdefault(query, {})[document] = max(int(label), -1)
    for line in (folder / run).read_text().splitlines():
        query, _, document, _, score = line.split()[:5]
        scores.setdefault(query, {})[document] = float(score)
    y, score, doc_id, sizes = [], [], [], []
    for query, labels in judgments.items():
        found = scores.get(query, {})
        first = sorted(found, key=lambda each: (np.float32(found[each]), each), reverse=True)[:most]
        placed, documents = set(first), list(dict.fromkeys([*labels, *first]))
        y += [labels.get(each, -2) for each in documents]
        score += [found[each] if each in placed else -np.inf for each in documents]
        doc_id += documents
        sizes.append(len(documents))
    return list(judgments), np.array(y), np.array(score), np.concatenate(([0], np.cumsum(sizes))), np.array(doc_id)


def printed(folder, name):
    """Return (measure, query) -> text, in the file's order."""
    rows = [line.split() for line in (folder / name).read_text().splitlines()]
    return {(measure_name, query): value for measure_name, query, value in rows}


def ours(names, options, judgments):
    """Return (measure, query) -> value, the means as query "all"."""
    queries, y, score, query_ptr, doc_id = judgments
    rules = {"preset": "trec"} | ({"missing_queries": "zero"} if "-c" in options else {})
    level = {"relevant_from": 2} if "-l2" in options else {}
    measures = {name: measure(OURS[name], **rules, **({} if name.startswith("ndcg") else level)) for name in names}
    values = all_values(list(measures.values()), y, score, query_ptr, doc_id)
    told = {}
    for name, column, m in zip(measures, values.T, measures.values(), strict=True):
        told |= {(name, query): value for query, value in zip(queries, column, strict=True)}
        told[(name, "all")] = m.mean(column, query_ptr)
    return told


@pytest.mark.parametrize("name", OPTIONS)
def test_shared_measures_to_the_printed_digit(folder, name):
    qrels, run, options = OPTIONS[name]
    theirs = printed(folder, name)
    shared = {each for each, _ in theirs} & set(OURS)
    if options == "-l2":
        shared.discard("rbp")  # trec_eval's is graded, with gains rescaled by a minimum that it never sets
    got = ours(sorted(shared), options, judged_run(folder, qrels, run, 100 if "-M100" in options else None))
    compared = 0
    for (each, query), text in theirs.items():
        if each in shared:
            assert f"{got[(each, query)]:.4f}" == text, (each, query)
            compared += 1
    assert compared >= 13
    left = {each for each, _ in theirs} - shared - {GAINS, "rbp"} - {f"unj_{k}" for k in (5, 10, 20)}
    assert [each for each in left if not each.startswith(NOT_OURS)] == []


@pytest.mark.parametrize("name", ["out.test.a", "out.test.aq", "out.test.aql"])
def test_unjudged_at_k_is_what_judged_at_k_leaves(folder, name):
    qrels, run, _ = OPTIONS[name]
    queries, y, score, query_ptr, doc_id = judged_run(folder, qrels, run)
    for k in (5, 10, 20):
        values = 1 - measure(f"judged@{k}", preset="trec")(y, score, query_ptr, doc_id)
        told = dict(zip(queries, values, strict=True)) | {"all": values.mean()}
        theirs = {query: text for (each, query), text in printed(folder, name).items() if each == f"unj_{k}"}
        assert theirs == {query: f"{told[query]:.4f}" for query in theirs}
        assert theirs


def test_gains_of_its_own(folder):
    qrels, run, _ = OPTIONS["out.test.meas_params"]
    queries, y, score, query_ptr, doc_id = judged_run(folder, qrels, run)
    m = measure("ndcg", preset="trec", gain={0: 0, 1: 3, 2: 9, 3: 3, 4: 4.5})
    values = m(y, score, query_ptr, doc_id)
    told = dict(zip(queries, values, strict=True)) | {"all": values.mean()}
    theirs = {query: text for (each, query), text in printed(folder, "out.test.meas_params").items() if each == GAINS}
    assert theirs == {query: f"{told[query]:.4f}" for query in theirs}
    assert len(theirs) == 4
