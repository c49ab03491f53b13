"""Every key is checked, and all problems are told at once."""

import os
import tomllib

import pytest

from gbrank import DataError, GBRanker, ParameterError, make_letor
from gbrank.jobs import make_ranker, ranker_table, read_job, to_toml


def problems_of(table, **options):
    with pytest.raises(ParameterError) as refused:
        read_job(table, **options)
    return str(refused.value).splitlines()


def job(fold, **tables):
    return {"output": "out", "data": {"folder": str(fold)}} | tables


def test_all_problems_at_once(fold):
    (fold.parent / "job.toml").write_text(
        """
        sedes = [1]
        measures = ["ndcg@10", "ndgc@5", "p"]
        [data]
        folder = "Fold1"
        train = "nowhere.txt"
        test = "nowhere.txt"
        [ranker]
        learning_rat = 0.1
        objective = "lambdarnk"
        n_estimators = "many"
        subsample = 2
        max_leaves = 1
        backend = "catbost"
        engine = "fast"
        early_stopping_rounds = -1
        [tuning]
        n_trials = 0
        folds = 1.5
        """
    )
    assert problems_of(fold.parent / "job.toml") == [
        "job.toml: sedes: unknown key; did you mean 'seeds'?",
        "job.toml: [data]: give one of folds, folder, file, train; there are folder, train",
        f"job.toml: [data] train: there is no file {fold.parent}/nowhere.txt",
        f"job.toml: [data] test: there is no file {fold.parent}/nowhere.txt",
        "job.toml: [ranker] learning_rat: unknown key; did you mean 'learning_rate'?",
        "job.toml: [ranker] n_estimators: must be a whole number, not 'many'",
        "job.toml: [ranker] objective: unknown objective 'lambdarnk'. Did you mean 'lambdarank'?",
        "job.toml: [ranker]: backend='catbost': choose one of 'lightgbm', 'xgboost', 'catboost'.",
        "job.toml: [ranker]: engine='fast': choose one of 'compiled', 'numpy', 'native'.",
        "job.toml: [ranker]: early_stopping_rounds=-1: must be a whole number of at least 1.",
        "job.toml: [ranker]: max_leaves=1: must be a whole number of at least 2.",
        "job.toml: [ranker]: subsample=2: a share is above 0 and at most 1.",
        "job.toml: measures, item 2: unknown measure 'ndgc'. Did you mean 'ndcg'?",
        "job.toml: measures, item 3: p needs a cutoff, as in 'p@10'.",
        "job.toml: [tuning] folds: must be a whole number, not 1.5",
        "job.toml: [tuning] n_trials: must be at least 1, not 0",
        "job.toml: output: name the output folder here, or give it beside the job",
    ]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"data": {}}, "[data]: give one of folds, folder, file, train; there is none"),
        ({"data": {"train": "a"}}, "[data]: train needs test beside it"),
        ({"data": {"folds": []}}, "[data] folds: name at least one folder"),
        ({"data": {"folds": ["x", 3]}}, "[data] folds: item 2 must be a string, not 3"),
        ({"data": {"folder": "nowhere"}}, "[data] folder: there is no folder"),
        ({"data": {"file": "nowhere"}, "split": {"test_size": 1.0}}, "[split] test_size: must be a share below 1"),
        ({"split": {"test_size": 0.1}}, "[split]: goes with [data] file only"),
        ({"data": 3}, "data: must be a table, not 3"),
        ({"measures": []}, "measures: name at least one"),
        ({"measures": ["ap", "AP"]}, "measures: ap is given twice"),
        ({"measures": ["ap"], "preset": "lettor"}, "unknown preset 'lettor'. Did you mean 'letor'?"),
        ({"seeds": [1, 1]}, "seeds: must be different whole numbers"),
        ({"seeds": [True]}, "seeds: item 1 must be a whole number, not True"),
        ({"seeds": [1], "ranker": {"random_state": 1}}, "[ranker] random_state: seeds says it already"),
        ({"ranker": {"objective": {"truncation": 3}}}, "[ranker] objective: a table needs the objective's name"),
        ({"ranker": {"objective": {"name": "lambdarank", "truncaton": 3}}}, "Did you mean 'truncation'?"),
        ({"ranker": {"callbacks": []}}, "[ranker] callbacks: unknown key"),
        ({"ranker": {"learning_rate": True}}, "[ranker] learning_rate: must be a number, not True"),
        ({"ranker": {"validation_fraction": 0.1}}, "[ranker] validation_fraction: has no effect"),
        ({"tuning": {"space": {"max_leavs": [3, 5]}}}, "Did you mean 'max_leaves'?"),
        ({"tuning": {"storage": "out/study.db"}}, "[tuning] storage: lies in the output folder"),
        ({"tuning": {"timeout": 0}}, "[tuning] timeout: must be a number of seconds above 0"),
        ({"calibration": {"folds": 1}}, "[calibration] folds: must be at least 2, not 1"),
        ({"calibration": {"method": "softmax"}}, "method='softmax': choose one of 'platt', 'beta', 'isotonic'"),
    ],
)
def test_each_problem(fold, tables, told):
    assert any(told in line for line in problems_of(job(fold, **tables)))


def test_validation_data_where_they_are_needed(fold):
    alone = {"data": {"train": str(fold / "train.txt"), "test": str(fold / "test.txt")}, "output": "out"}
    (line,) = problems_of(alone | {"ranker": {"early_stopping_rounds": 5}})
    assert "[ranker] early_stopping_rounds: needs validation data" in line
    (line,) = problems_of(alone | {"tuning": {}})
    assert "[tuning] folds: give the number of folds" in line
    read_job(alone | {"ranker": {"early_stopping_rounds": 5, "validation_fraction": 0.2}})
    read_job(alone | {"tuning": {"folds": 3}, "ranker": {"early_stopping_rounds": 5}})


def test_a_ranker_to_go_on_from_is_a_file_beside_the_job(fold, tmp_path):
    old = GBRanker(n_estimators=2, n_jobs=1).fit(make_letor(20, n_features=6, random_state=0))
    old.save(tmp_path / "old.gbrank")
    (tmp_path / "job.toml").write_text(to_toml(job(fold, ranker={"init_model": "old.gbrank"})))
    read = read_job(tmp_path / "job.toml")
    assert read.ranker.init_model == str(tmp_path / "old.gbrank")
    assert tmp_path / "old.gbrank" in read.files()
    again = read_job(tomllib.loads(to_toml(read.table())))
    assert again.ranker.init_model == read.ranker.init_model
    (line,) = problems_of(job(fold, ranker={"init_model": "nowhere"}))
    assert "[ranker] init_model: there is no file" in line
    with pytest.raises(ParameterError, match="save this one, and give the path"):
        ranker_table(GBRanker(init_model=old))


@pytest.mark.parametrize(
    ("ranker", "rounds", "patience"),
    [
        ({}, 1000, 50),
        ({"n_estimators": 7}, 7, 50),
        ({"early_stopping_rounds": 9}, 1000, 9),
        ({"early_stopping_rounds": 0}, 100, None),
        ({"early_stopping_rounds": 0, "n_estimators": 7}, 7, None),
    ],
)
def test_rounds_are_those_of_the_command_line(fold, ranker, rounds, patience):
    read = read_job(job(fold, ranker=ranker))
    assert (read.ranker.n_estimators, read.ranker.early_stopping_rounds) == (rounds, patience)
    again = read_job(tomllib.loads(to_toml(read.table())))
    assert (again.ranker.n_estimators, again.ranker.early_stopping_rounds) == (rounds, patience)


def test_without_validation_data_nothing_stops(fold):
    alone = {"data": {"train": str(fold / "train.txt"), "test": str(fold / "test.txt")}, "output": "out"}
    read = read_job(alone)
    assert (read.ranker.n_estimators, read.ranker.early_stopping_rounds) == (100, None)
    tuned = read_job(alone | {"tuning": {"folds": 3}, "ranker": {"n_estimators": 7}})
    assert (tuned.ranker.n_estimators, tuned.ranker.early_stopping_rounds) == (7, 50)


def test_a_fold_that_is_named_twice(fold):
    (line,) = problems_of({"data": {"folds": [str(fold), str(fold / ".." / fold.name)]}, "output": "out"})
    assert "[data] folds, item 2: is the same folder as item 1" in line


def test_outputs_that_would_destroy_data(fold, tmp_path):
    train = str(fold / "train.txt")
    (line,) = problems_of({"data": {"folder": str(fold)}, "output": str(fold)})
    assert "is replaced whole, and the data" in line
    link = tmp_path / "study.db"
    link.symlink_to(train)
    (line,) = problems_of({"data": {"folder": str(fold)}, "output": "out", "tuning": {"storage": str(link)}})
    assert "is a file of the data; give another file" in line
    lost = str(tmp_path / "no" / "study.db")
    (line,) = problems_of({"data": {"folder": str(fold)}, "output": "out", "tuning": {"storage": lost}})
    assert "does not exist; create it first" in line


def test_paths_are_relative_to_the_file(fold):
    path = fold.parent / "job.toml"
    path.write_text('output = "sub/out"\n[data]\nfolds = ["Fold1"]\n')
    read = read_job(path)
    assert read.output == fold.parent / "sub" / "out"
    assert read.data["folds"] == [str(fold)]
    assert read_job(path, "here").output == (path.cwd() / "here")


def test_resolved_job_reads_back_as_itself(fold):
    path = fold.parent / "resolved.toml"
    first = read_job(
        job(
            fold,
            title='a "b"',
            preset="letor",
            seeds=[3, 1],
            ranker={"objective": {"name": "focal", "gamma": 1}, "backend_params": {"min_data_in_bin": 5}},
            tuning={"n_trials": 2, "space": {"max_leaves": {"low": 3, "high": 9, "log": True}}},
        )
    )
    path.write_text(to_toml(first.table()))
    second = read_job(path)
    assert second.table() == first.table()
    assert second.measures == first.measures
    assert second.ranker.objective == first.ranker.objective
    assert second.ranker.backend_params == {"min_data_in_bin": 5}


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.toml: there is no such file"):
        read_job(tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_text("output = \n")
    with pytest.raises(DataError, match=r"bad\.toml: is not TOML \(.*line 1"):
        read_job(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(os.urandom(100) + b"\xff")
    with pytest.raises(DataError, match=r"bytes\.toml: is not TOML"):
        read_job(tmp_path / "bytes.toml")


def test_make_ranker_names_the_source():
    with pytest.raises(ParameterError, match=r"^here: max_leafs: unknown key; did you mean 'max_leaves'\?$"):
        make_ranker({"max_leafs": 3}, source="here", name="")
    ranker = make_ranker({"objective": {"name": "lambdarank", "truncation": 7}, "learning_rate": 1})
    assert ranker.objective.truncation == 7
    assert ranker.learning_rate == 1
