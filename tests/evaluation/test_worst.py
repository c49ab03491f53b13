"""`worst_losses` against a plain search."""

import json

import numpy as np
import pytest
import scipy.sparse as sp

from gbrank import DataError, ParameterError, Qrels, RankingData, Run, make_letor, measure, worst_losses


@pytest.fixture(scope="module")
def data():
    return make_letor(40, n_features=5, max_documents=30, random_state=1)


@pytest.fixture(scope="module")
def scores(data):
    noise = np.random.default_rng(0).normal(size=data.n_documents)
    return {"old": data.y + noise, "new": data.y - noise, "flat": np.zeros(data.n_documents)}


def test_the_greatest_losses_first(data, scores):
    found = worst_losses(data, scores, "new", "old", "ndcg@5", n=6)
    ndcg = measure("ndcg@5")
    loss = ndcg(data.y, scores["old"], data.query_ptr) - ndcg(data.y, scores["new"], data.query_ptr)
    expected = sorted((q for q in range(40) if loss[q] > 0), key=lambda q: -loss[q])[:6]
    assert found.queries.index.tolist() == data.query_ids[expected].tolist()
    np.testing.assert_allclose(found.queries["loss"], loss[expected])
    np.testing.assert_allclose(found.queries["value_b"] - found.queries["value_a"], loss[expected])
    assert found.queries["documents"].tolist() == data.query_sizes[expected].tolist()
    counts = (np.sum(loss < 0), np.sum(loss == 0), np.sum(loss > 0), np.isnan(loss).sum())
    assert (found.wins, found.ties, found.losses, found.skipped) == counts


def test_documents_stand_side_by_side(data, scores):
    found = worst_losses(data, scores, "new", "old", n=3, features=["f2"])
    for qid in found.queries.index:
        table = found.documents[found.documents["qid"] == qid]
        rows = np.flatnonzero(data.qid == qid)
        assert sorted(table["row"]) == rows.tolist()
        for document in table.to_dict("records"):
            row = document["row"]
            assert document["label"] == data.y[row]
            assert document["f2"] == data.X[row, 1]
            assert document["score_a"] == scores["new"][row]
            assert document["rank_a"] == 1 + np.sum(scores["new"][rows] > scores["new"][row])
            assert document["rank_b"] == 1 + np.sum(scores["old"][rows] > scores["old"][row])
        assert table["rank_b"].is_monotonic_increasing


def test_tied_documents_share_a_rank_and_say_so(data, scores):
    found = worst_losses(data, scores, "flat", "old", n=1)
    assert set(found.documents["rank_a"]) == {1}
    assert "1=" in str(found)


def test_rows_are_those_given_and_ids_go_first():
    X = np.arange(5.0)[:, None]
    given = RankingData(X, [0, 1, 1, 0, 0], qid=[1, 2, 1, 2, 2])
    runs = {"a": given.X[:, 0], "b": -given.X[:, 0]}
    losses = worst_losses(given, runs, "b", "a", "rr", n=9)
    assert losses.queries.index.tolist() == [1]
    assert losses.documents["row"].tolist() == [2, 0]
    named = RankingData(X, [0, 1, 1, 0, 0], qid=[1, 2, 1, 2, 2], doc_id=list("tuvwx"))
    losses = worst_losses(named, runs, "b", "a", "rr")
    assert losses.documents["doc_id"].tolist() == ["v", "t"]
    assert "row" not in losses.documents
    assert worst_losses(named, runs, "a", "b", "rr").queries.index.tolist() == [2]


def test_scores_that_differ_look_different():
    data = RankingData(np.zeros((3, 1)), [1, 0, 0], qid=[1, 1, 1])
    close = {"a": [0.99999991, 0.99999992, 0.99999993], "b": [3, 2, 1]}
    text = str(worst_losses(data, close, "a", "b", "rr"))
    assert all(score in text for score in ("0.99999991", "0.99999992", "0.99999993"))


def test_nothing_lost(data, scores):
    perfect = {"perfect": data.y, "old": scores["old"]}
    found = worst_losses(data, perfect, "perfect", "old")
    assert found.losses == len(found.queries) == len(found.documents) == 0
    assert str(found).startswith("ndcg@10: perfect is better than old on ")
    assert found.to_dict()["queries"] == []


def test_text_shows_what_matters(data, scores):
    found = worst_losses(data, scores, "new", "old", "ndcg@3", n=2)
    blocks = str(found).split("\n\n")
    assert len(blocks) == 3
    for block, qid in zip(blocks[1:], found.queries.index, strict=True):
        assert block.startswith(f"query {qid}: new ")
        table = found.documents[found.documents["qid"] == qid]
        shown = ((table["rank_a"] <= 3) | (table["rank_b"] <= 3)).sum()
        lines = block.splitlines()
        assert lines[-1] == f"{len(table) - shown} other documents that neither has in its first 3"
        assert len(lines) == shown + 3


def test_html_and_dict(scores, data):
    found = worst_losses(data, {"<i>": scores["new"], "old": scores["old"]}, "<i>", "old", n=2)
    assert "<i>" not in found._repr_html_()
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["queries"][0]["loss"] == found.queries["loss"].iloc[0]
    assert len(read["documents"]) == len(found.documents)


def test_sparse_features(data, scores):
    sparse = RankingData(sp.csr_array(data.X), data.y, data.qid)
    dense = worst_losses(data, scores, "new", "old", n=2, features=["f1", "f4"]).documents
    assert worst_losses(sparse, scores, "new", "old", n=2, features=["f1", "f4"]).documents.equals(dense)


def test_runs_by_document_id():
    data = RankingData(np.arange(4.0)[:, None], [2, 0, 1, 0], qid=["q"] * 4, doc_id=list("uvwx"))
    dense = Run.from_dict({"q": {"w": 0.5, "new": 0.9, "v": 0.7}})
    found = worst_losses(data, {"trees": data.y, "dense": dense}, "dense", "trees", "rr", features=["f1"])
    assert found.queries["value_a"].tolist() == [measure("rr")([0, 0, 1], [9, 7, 5], [0, 3])[0]]
    table = found.documents.set_index("doc_id")
    assert table.index.tolist() == ["u", "w", "v", "x", "new"]
    assert table["rank_a"].dropna().to_dict() == {"w": 3, "v": 2, "new": 1}
    assert table["rank_b"].dropna().to_dict() == {"u": 1, "w": 2, "v": 3, "x": 3}
    assert table["label"].tolist()[:4] == [2, 1, 0, 0]
    assert table.loc["new", ["label", "f1", "score_b"]].isna().all()
    assert table.loc["w", ["f1", "score_a", "score_b"]].tolist() == [2, 0.5, 1]
    assert "3=" in str(found)
    assert "<NA>" not in str(found) + found._repr_html_()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["documents"][0]["rank_a"] is None
    qrels = Qrels.from_data(data)
    by_ids = worst_losses(qrels, {"trees": Run.from_data(data, data.y), "dense": dense}, "dense", "trees", "rr")
    assert by_ids.documents.equals(found.documents.drop(columns="f1"))


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        ("new", "odl", {}, "Did you mean 'old'"),
        ("new", "new", {}, "name two runs"),
        ("new", "old", {"n": 0}, "whole number"),
        ("new", "old", {"features": ["f9"]}, "unknown feature"),
        ("new", "bad", {}, "scores of run 'bad': row 3 is nan"),
    ],
)
def test_refusals(data, scores, a, b, options, message):
    bad = {"bad": np.where(np.arange(data.n_documents) == 3, np.nan, 0.0)} if "bad" in message else {}
    with pytest.raises((DataError, ParameterError), match=message):
        worst_losses(data, scores | bad, a, b, **options)
