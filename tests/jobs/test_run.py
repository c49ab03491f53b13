"""Whole jobs on small files, and one on real data."""

import csv
import json
import math
import tomllib

import numpy as np
import pandas as pd
import pytest

import gbrank
from gbrank import DataError
from gbrank.data import read_letor, write_letor
from gbrank.jobs import JobResult, run
from gbrank.jobs._data import cut
from gbrank.jobs._summary import shown_importances

RANKER = {"n_estimators": 6, "max_leaves": 5, "min_docs_in_leaf": 5, "n_jobs": 1}
FILES = ["importances.csv", "job.toml", "metrics.json", "model.gbrank", "per_query.csv", "report.html", "versions.json"]


def read_json(path):
    return json.loads(path.read_text())


def test_a_single_fold(fold, tmp_path):
    stages = []
    job = {"data": {"folder": str(fold)}, "ranker": RANKER | {"early_stopping_rounds": 3}, "measures": ["ndcg@5", "ap"]}
    result = run(job, tmp_path / "out", progress=lambda *told: stages.append(told))
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert isinstance(result, JobResult)
    assert any("training, validation 0." in message for _, _, message in stages)

    test = read_letor(fold / "test.txt", n_features=6)
    told = gbrank.evaluate(test, gbrank.load(out / "model.gbrank"), ["ndcg@5", "ap"])
    metrics = read_json(out / "metrics.json")
    for name in ("ndcg@5", "ap"):
        assert metrics["measures"][name]["mean"] == pytest.approx(told.mean(name), abs=1e-12)
        assert metrics["measures"][name]["std_of_runs"] is None
        assert metrics["measures"][name]["queries"] + metrics["measures"][name]["skipped"] == 15
        assert name in metrics["measures"][name]["convention"]
        error = told.summary().loc[name, "standard_error"]
        assert metrics["measures"][name]["standard_error"] == pytest.approx(error, rel=1e-12)
    assert metrics["runs"][0]["best_iteration"] == gbrank.load(out / "model.gbrank").best_iteration_
    assert metrics["runs"][0]["validation"]["measure"] == "ndcg@10"

    with (out / "per_query.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, value in zip(rows, told.values("ndcg@5"), strict=True):
        assert row["ndcg@5"] == ("" if math.isnan(value) else repr(float(value)))
    importances = pd.read_csv(out / "importances.csv")
    assert set(importances["feature"]) == {f"f{i}" for i in range(1, 7)}
    assert importances["gain_share"].sum() == pytest.approx(1)
    versions = read_json(out / "versions.json")
    assert versions["gbrank"] == gbrank.__version__
    assert len(versions["sha256"]) == 3
    assert sorted(versions["files"]) == FILES
    assert "<html" in (out / "report.html").read_text()


def test_what_stands_beside_the_data_takes_part(fold, tmp_path):
    job = {"data": {"folder": str(fold)}, "ranker": RANKER | {"early_stopping_rounds": 3}}
    run(job, tmp_path / "plain")
    weights = np.random.default_rng(0).uniform(0.1, 3, read_letor(fold / "train.txt").n_queries)
    np.savetxt(fold / "train.txt.weight", weights)
    run(job, tmp_path / "weighted")
    assert str(fold / "train.txt.weight") in read_json(tmp_path / "weighted" / "versions.json")["sha256"]
    parts = gbrank.read_letor_fold(fold)
    assert np.array_equal(parts.train.query_weight, weights)
    models = [gbrank.load(tmp_path / name / "model.gbrank") for name in ("plain", "weighted")]
    expected = models[1].fit(parts.train, eval_set=parts.vali).predict(parts.test)
    assert np.array_equal(gbrank.load(tmp_path / "weighted" / "model.gbrank").predict(parts.test), expected)
    assert not np.array_equal(models[0].predict(parts.test), expected)


def test_the_resolved_job_does_the_same_again(fold, tmp_path):
    job = {"data": {"folder": str(fold)}, "ranker": RANKER | {"subsample": 0.5}, "seeds": [3]}
    run(job, tmp_path / "out")
    first = (tmp_path / "out" / "metrics.json").read_bytes()
    resolved = tomllib.loads((tmp_path / "out" / "job.toml").read_text())
    assert resolved["ranker"]["objective"]["truncation"] == 30
    assert resolved["ranker"]["learning_rate"] == 0.1
    run(tmp_path / "out" / "job.toml")  # over its own output
    assert (tmp_path / "out" / "metrics.json").read_bytes() == first


def test_folds_and_seeds(two_folds, tmp_path):
    job = {
        "data": {"folds": [str(two_folds / "Fold1"), str(two_folds / "Fold2")]},
        "ranker": RANKER | {"subsample": 0.5},
        "seeds": [0, 1],
        "measures": ["ndcg@10"],
    }
    out = tmp_path / "out"
    result = run(job, out)
    models = sorted(str(path.relative_to(out)) for path in out.rglob("model.gbrank"))
    assert models == [f"Fold{i}/seed-{s}/model.gbrank" for i in (1, 2) for s in (0, 1)]
    assert (out / "report.html").exists()
    assert (out / "Fold2" / "seed-1" / "report.html").exists()

    means, by_query = [], {}
    for name in ("Fold1", "Fold2"):
        test = read_letor(two_folds / name / "test.txt", n_features=6)
        for seed in (0, 1):
            values = gbrank.evaluate(test, gbrank.load(out / name / f"seed-{seed}" / "model.gbrank"), "ndcg@10").values(
                "ndcg@10"
            )
            means.append(values.mean())
            for qid, value in values.dropna().items():
                by_query.setdefault((name, qid), []).append(value)
    row = read_json(out / "metrics.json")["measures"]["ndcg@10"]
    averaged = [np.mean(values) for values in by_query.values()]
    assert row["mean"] == pytest.approx(np.mean(means), abs=1e-12)
    assert row["std_of_runs"] == pytest.approx(np.std(means, ddof=1), rel=1e-9)
    assert row["standard_error"] == pytest.approx(np.std(averaged, ddof=1) / np.sqrt(len(averaged)), rel=1e-9)
    assert row["runs"] == 4
    assert row["queries"] + row["skipped"] == 30
    assert len(set(means)) == 4  # seeds do something
    assert "std of 4 runs" in str(result)


def test_one_file_is_cut_by_query(fold, tmp_path):
    job = {
        "data": {"file": str(fold / "train.txt")},
        "split": {"test_size": 0.25, "validation_size": 5},
        "ranker": RANKER | {"early_stopping_rounds": 3},
        "output": str(tmp_path / "out"),
    }
    result = run(job)
    assert result.runs[0].evaluation.sizes.size == 10
    parts = cut(read_letor(fold / "train.txt"), {"test_size": 0.25, "validation_size": 5, "random_state": 0})
    ids = [set(data.query_ids.tolist()) for data in parts.parts().values()]
    assert [len(each) for each in ids] == [25, 5, 10]
    assert len(set.union(*ids)) == 40
    assert set(result.per_query()["qid"]) == ids[2]
    alone = cut(read_letor(fold / "train.txt"), {"test_size": 1, "validation_size": 0, "random_state": 0})
    assert list(alone.parts()) == ["train", "test"]


def test_tuning(fold, tmp_path):
    job = {
        "data": {part: str(fold / f"{part}.txt") for part in ("train", "vali", "test")},
        "ranker": RANKER | {"early_stopping_rounds": 3},
        "tuning": {
            "n_trials": 3,
            "space": {"max_leaves": {"low": 2, "high": 8}},
            "storage": str(tmp_path / "study.db"),
        },
    }
    run(job, tmp_path / "out")
    tuned = read_json(tmp_path / "out" / "metrics.json")["runs"][0]["tuning"]
    trials = pd.read_csv(tmp_path / "out" / "tuning.csv")
    assert len(trials) == 3
    assert tuned["mean"] == trials["value"].max()
    assert gbrank.load(tmp_path / "out" / "model.gbrank").max_leaves == tuned["params"]["max_leaves"]
    assert (tmp_path / "study.db").exists()


def test_a_tuned_run_is_not_told_to_train_longer(fold, tmp_path):
    tuning = {"n_trials": 2, "space": {"max_leaves": [3, 5]}}
    run({"data": {"folder": str(fold)}, "ranker": RANKER, "tuning": tuning}, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "more may help" not in page
    assert "vali: these queries chose the number of rounds and the parameters" in page


def test_the_report_over_all_runs_is_in_words(two_folds, tmp_path):
    folders = [str(two_folds / "Fold1"), str(two_folds / "Fold2")]
    run({"data": {"folds": folders}, "ranker": RANKER}, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    for word in ("std_of_runs", "standard_error", "gain_share"):
        assert word not in page
    assert "share of gain" in page
    splits = shown_importances(run({"data": {"folds": folders}, "ranker": RANKER}, tmp_path / "again"))
    assert splits["splits, rounded"].dtype.kind == "i"


@pytest.mark.parametrize("part", ["train", "vali", "test"])
def test_errors_of_labels_name_the_part(fold, tmp_path, part):
    text = (fold / f"{part}.txt").read_text()
    (fold / f"{part}.txt").write_text("-3" + text[text.index(" ") :])
    with pytest.raises(DataError, match=f"^Fold1, {part} part: label -3"):
        run({"data": {"folds": [str(fold)]}, "ranker": RANKER}, tmp_path / "out")


def test_a_file_without_qid_leaves_the_old_output(fold, tmp_path):
    job = {"data": {"folder": str(fold)}, "ranker": RANKER, "output": str(tmp_path / "out")}
    run(job)
    before = (tmp_path / "out" / "metrics.json").read_bytes()
    text = (fold / "train.txt").read_text()
    (fold / "train.txt").write_text("\n".join(line.split(" ", 2)[0] + " 1:1" for line in text.splitlines()) + "\n")
    with pytest.raises(DataError, match=r"train\.txt.*no query ids"):
        run(job)
    assert (tmp_path / "out" / "metrics.json").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]


def test_a_validation_file_with_other_columns(fold, tmp_path):
    wide = gbrank.data.make_letor(10, n_features=9, max_documents=15, random_state=1)
    write_letor(wide, fold / "vali.txt")
    job = {"data": {part: str(fold / f"{part}.txt") for part in ("train", "vali", "test")}, "ranker": RANKER}
    with pytest.raises(DataError, match=r"vali\.txt:1.*beyond n_features=6"):
        run(job, tmp_path / "out")


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_real_data(real_data, tmp_path, backend):
    folder = real_data / "mq2008" / "Fold1"
    ranker = {"n_estimators": 15, "max_leaves": 15, "n_jobs": 1, "backend": backend}
    measures = ["ndcg@10", "ndcg@10(preset=letor)"]
    run({"data": {"folder": str(folder)}, "ranker": ranker, "measures": measures}, tmp_path / "out")
    _, _, test = gbrank.data.read_letor_fold(folder)
    told = gbrank.evaluate(test, gbrank.load(tmp_path / "out" / "model.gbrank").predict(test), measures)
    metrics = read_json(tmp_path / "out" / "metrics.json")["measures"]
    for name in measures:
        assert metrics[name]["mean"] == pytest.approx(told.mean(name), abs=1e-12)
    assert metrics["ndcg@10"]["skipped"] > 0 == metrics["ndcg@10(preset=letor)"]["skipped"]
    assert told.mean("ndcg@10") > 0.55


def test_probabilities_are_calibrated_and_held_against_the_test_part(fold, tmp_path):
    table = {"method": "beta", "folds": 3}
    job = {"data": {"folder": str(fold)}, "ranker": RANKER | {"early_stopping_rounds": 3}, "measures": ["ndcg@5"]}
    run(job, tmp_path / "plain")
    run(job | {"calibration": table}, tmp_path / "out")
    test, train = (read_letor(fold / f"{part}.txt", n_features=6) for part in ("test", "train"))
    plain, found = (gbrank.load(tmp_path / name / "model.gbrank") for name in ("plain", "out"))
    assert np.array_equal(plain.predict(test), found.predict(test))
    assert (found.method, found.cv) == ("beta", 3)
    few = found.ranker_.get_params(deep=False) | {"n_estimators": plain.best_iteration_}
    by_hand = gbrank.CalibratedRanker(gbrank.GBRanker(**few), method="beta", cv=3).fit(train)
    assert np.array_equal(by_hand.predict_proba(test), found.predict_proba(test))

    one, other = (read_json(tmp_path / name / "metrics.json")["runs"][0] for name in ("plain", "out"))
    rows = other.pop("calibration")
    assert {name: value for name, value in other.items() if name != "calibration"} == one
    p = found.predict_above(test)
    for number, row in enumerate(rows):
        relevant = test.y >= number + 1
        assert row["brier"] == pytest.approx(np.mean((p[:, number] - relevant) ** 2))
        assert 0 <= row["ece"] <= 1


def test_probabilities_that_an_objective_gives_are_held_against_the_test_part(fold, tmp_path):
    job = {"data": {"folder": str(fold)}, "ranker": RANKER | {"objective": "mcrank"}, "measures": ["ndcg@5"]}
    run(job, tmp_path / "out")
    assert len(read_json(tmp_path / "out" / "metrics.json")["runs"][0]["calibration"]) == 4
