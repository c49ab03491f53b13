"""``gbrank train`` and ``gbrank tune``."""

import json
import re
import shlex

import numpy as np
import pytest

from gbrank import GBRanker, RankingData, load
from gbrank.data import make_letor, read_letor, write_letor

QUICK = ["--n-jobs", "1", "-p", "max_leaves=5", "-p", "min_docs_in_leaf=5"]


def test_with_validation_data(gbrank, files, tmp_path):
    out = tmp_path / "m.gbrank"
    ended = gbrank("train", files / "train.txt", "--vali", files / "vali.txt", "--model", out, *QUICK, "--json")
    told = json.loads(ended.out)
    ranker = load(out)
    assert ranker.early_stopping_rounds == 50
    assert ranker.n_estimators == 1000
    assert told["rounds"] == ranker.best_iteration_ < 1000
    assert told["validation"] == {"measure": "ndcg@10", "mean": ranker.best_score_}
    assert "training on RankingData(40 queries" in ended.err


def test_options_reach_the_ranker(gbrank, files, tmp_path):
    out = tmp_path / "m.gbrank"
    more = ["--n-estimators", 3, "--learning-rate", 0.2, "--seed", 5, "--measure", "ap", "--backend", "xgboost"]
    params = ["-p", "max_leaves=4", "-p", "subsample=0.8", "--objective-param", "truncation=7", "--n-jobs", "1"]
    ended = gbrank("train", files / "train.txt", "--model", out, *more, *params, "--backend-param", "gamma=0.5")
    assert ended.out.startswith(f"{out}: 3 rounds in ")
    ranker = load(out)
    assert (ranker.backend, ranker.max_leaves, ranker.subsample, ranker.random_state) == ("xgboost", 4, 0.8, 5)
    assert (ranker.learning_rate, ranker.objective.truncation, ranker.measure) == (0.2, 7, "ap")
    assert ranker.backend_params == {"gamma": 0.5}


def test_training_goes_on_from_a_saved_ranker(gbrank, files, tmp_path):
    first, more, once = (tmp_path / name for name in ("first.gbrank", "more.gbrank", "once.gbrank"))
    gbrank("train", files / "train.txt", "--model", first, "--n-estimators", 4, *QUICK)
    on = ["--init-model", first, "--model", more]
    ended = gbrank("train", files / "train.txt", *on, "--n-estimators", 3, *QUICK)
    assert ended.out.startswith(f"{more}: 7 rounds in ")
    gbrank("train", files / "train.txt", "--model", once, "--n-estimators", 7, *QUICK)
    data = read_letor(files / "train.txt")
    np.testing.assert_array_equal(load(more).predict(data), load(once).predict(data))
    ended = gbrank("train", files / "train.txt", *on, "--backend", "xgboost", "--n-estimators", 3, code=1)
    assert "init_model: was trained with backend='lightgbm'" in ended.err
    ended = gbrank("train", files / "train.txt", "--init-model", first, "--model", first, *QUICK, code=1)
    assert "which would be overwritten" in ended.err
    few = tmp_path / "few.txt"
    few.write_text("".join(f"{i % 3} qid:{i // 6} 1:{i}\n" for i in range(60)))  # the columns are the model's
    ended = gbrank("train", few, *on, "--n-estimators", 3, *QUICK)
    assert "nothing is written of the last" in ended.err


def test_a_share_of_the_queries_is_held_out(gbrank, files, tmp_path):
    ended = gbrank(
        "train",
        files / "train.txt",
        "--model",
        tmp_path / "m",
        "--validation-fraction",
        0.3,
        "--n-estimators",
        5,
        *QUICK,
    )
    assert "validation ndcg@10 = 0." in ended.out


def test_files_as_the_boosters_read_them(gbrank, files, tmp_path):
    """Sizes of queries and ranks beside text without query ids: the model is that of the data in memory."""
    data = read_letor(files / "train.txt")
    ranks = np.arange(data.n_documents) - np.repeat(data.query_ptr[:-1], data.query_sizes) + 1
    path, clicked = tmp_path / "plain.txt", RankingData(data.X, data.y > 0, data.qid, position=ranks)
    write_letor(clicked, path)
    path.write_text(re.sub(r" qid:\S+", "", path.read_text()))
    np.savetxt(f"{path}.query", data.query_sizes, fmt="%d")
    ended = gbrank(
        "train", path, "--model", tmp_path / "m", "--objective", "position_based", "--n-estimators", 5, *QUICK
    )
    assert "plain.txt: read with plain.txt.query, plain.txt.position." in ended.err
    assert "plain.txt.query" in gbrank("inspect", path).err
    expected = GBRanker("position_based", n_estimators=5, n_jobs=1, max_leaves=5, min_docs_in_leaf=5).fit(clicked)
    found = load(tmp_path / "m")
    assert np.array_equal(found.predict(data), expected.predict(data))
    assert found.position_bias_.equals(expected.position_bias_)


def test_all_wrong_parameters_at_once(gbrank, files, tmp_path):
    params = ["-p", "learning_rat=0.1", "--objective", "lambdarnk", "--measure", "ndgc@5", "--backend", "catbost"]
    ended = gbrank("train", files / "train.txt", "--model", tmp_path / "m", *params, code=1)
    assert ended.out == ""
    assert ended.err.splitlines() == [
        "gbrank: error: parameters: learning_rat: unknown key; did you mean 'learning_rate'?",
        "gbrank: error: parameters: objective: unknown objective 'lambdarnk'. Did you mean 'lambdarank'?",
        "gbrank: error: parameters: measure: unknown measure 'ndgc'. Did you mean 'ndcg'?",
        "gbrank: error: parameters: backend='catbost': choose one of 'lightgbm', 'xgboost', 'catboost'.",
    ]


def test_all_bad_files_at_once(gbrank, tmp_path):
    (tmp_path / "train.txt").write_text("1 1:0.5\n")
    (tmp_path / "empty.txt").write_text("")
    ended = gbrank("train", tmp_path / "train.txt", "--vali", tmp_path / "empty.txt", "--model", tmp_path / "m", code=1)
    assert len(ended.err.splitlines()) == 2
    assert "no query ids" in ended.err
    assert "the file is empty" in ended.err
    assert not (tmp_path / "m").exists()


def test_a_missing_file(gbrank, tmp_path):
    ended = gbrank("train", tmp_path / "nowhere.txt", "--model", tmp_path / "m", code=1)
    assert "nowhere.txt" in ended.err
    assert "Traceback" not in ended.err


def test_validation_data_with_other_columns(gbrank, files, tmp_path):
    write_letor(make_letor(10, n_features=9, max_documents=9, random_state=0), tmp_path / "wide.txt")
    options = ["--model", tmp_path / "m", "--n-estimators", 2, *QUICK]
    ended = gbrank("train", files / "train.txt", "--vali", tmp_path / "wide.txt", *options, code=1)
    assert "wide.txt:1" in ended.err
    assert "train.txt has 6 features and this file more" in ended.err
    write_letor(make_letor(10, n_features=4, max_documents=9, random_state=0), tmp_path / "narrow.txt")
    ended = gbrank("train", files / "train.txt", "--vali", tmp_path / "narrow.txt", *options)
    assert "narrow.txt: nothing is written of the last 2 of 6 features" in ended.err


def test_a_model_that_could_not_be_written_is_refused_first(gbrank, tmp_path):
    for command in ("train", "tune"):
        ended = gbrank(command, "nowhere.txt", "--model", tmp_path / "no" / "m", code=1)
        assert "no does not exist; create it first" in ended.err
    assert "is a folder" in gbrank("train", "nowhere.txt", "--model", tmp_path, code=1).err


def test_labels_that_the_objective_cannot_use(gbrank, tmp_path):
    (tmp_path / "train.txt").write_text("-1 qid:1 1:0.5\n0.5 qid:1 1:0.1\n")
    ended = gbrank("train", tmp_path / "train.txt", "--model", tmp_path / "m", code=1)
    assert ended.err.splitlines()[-1].startswith("gbrank: error: ")
    assert "label" in ended.err


def test_nothing_to_learn(gbrank, tmp_path):
    (tmp_path / "train.txt").write_text("".join(f"1 qid:{q} 1:{d}\n" for q in range(3) for d in range(3)))
    ended = gbrank("train", tmp_path / "train.txt", "--model", tmp_path / "m", code=1)
    assert "gbrank: error: " in ended.err
    assert not (tmp_path / "m").exists()


def test_tune(gbrank, files, tmp_path):
    out, storage = tmp_path / "m.gbrank", tmp_path / "study.db"
    options = ["--model", out, "--trials", 2, "--n-estimators", 5, "--storage", storage, *QUICK]
    ended = gbrank("tune", files / "train.txt", "--vali", files / "vali.txt", *options, "--json")
    told = json.loads(ended.out)
    assert told["n_trials"] == 2
    assert load(out).learning_rate == told["best_params"]["learning_rate"]
    again = gbrank("tune", files / "train.txt", "--vali", files / "vali.txt", *options)
    assert (
        f"best ndcg@10 = {told['best_value']:.4f} on the validation data" in again.out
    )  # the stored study is done already


@pytest.mark.parametrize("backend", ["lightgbm", "xgboost"])
def test_what_tune_prints_trains_the_same_model(gbrank, files, tmp_path, backend):
    options = ["--trials", 3, "--n-estimators", 6, "--n-jobs", 1, "--backend", backend, "-p", "max_leaves=7"]
    options += ["--objective", "lambdarank", "--objective-param", "truncation=7", "-p", "subsample=0.5"]
    arguments = [files / "train.txt", "--vali", files / "vali.txt", "--model", tmp_path / "tuned", *options]
    told = gbrank("tune", *arguments).out
    assert "at the start; 3 trials" in told
    assert "gain exp" in told
    words = shlex.split(told.splitlines()[-1])
    assert "max_leaves=7" in words
    words[words.index("--model") + 1] = str(tmp_path / "again")
    gbrank(*words[1:])
    tuned, again = load(tmp_path / "tuned"), load(tmp_path / "again")
    data = read_letor(files / "test.txt", n_features=6)
    assert again.max_leaves == 7
    assert np.array_equal(tuned.predict(data), again.predict(data))


def test_tune_does_not_search_what_is_given(gbrank, files, tmp_path):
    options = ["--model", tmp_path / "m", "--trials", 2, "--n-estimators", 3, *QUICK, "--json"]
    found = json.loads(gbrank("tune", files / "train.txt", "--vali", files / "vali.txt", *options).out)
    assert not {"max_leaves", "min_docs_in_leaf"} & set(found["best_params"])
    assert load(tmp_path / "m").max_leaves == 5


def test_a_seed_may_be_a_parameter(gbrank, files, tmp_path):
    for name, seed in {"a": ["-p", "random_state=3"], "b": ["--seed", 3]}.items():
        options = ["--model", tmp_path / name, "--n-estimators", 4, *QUICK, *seed, "-p", "subsample=0.5"]
        gbrank("train", files / "train.txt", *options)
    assert load(tmp_path / "a").random_state == load(tmp_path / "b").random_state == 3


def test_no_output_takes_the_place_of_an_input(gbrank, files, model, tmp_path):
    data, link = tmp_path / "data.txt", tmp_path / "link.txt"
    data.write_bytes((files / "train.txt").read_bytes())
    link.symlink_to(data)
    before = data.read_bytes(), model.read_bytes()
    vali = ["--vali", files / "vali.txt"]
    for arguments in (
        ["train", data, "--model", data],
        ["train", files / "train.txt", "--vali", data, "--model", link],
        ["tune", data, *vali, "--model", link],
        ["tune", data, *vali, "--model", tmp_path / "m", "--storage", link],
        ["tune", data, *vali, "--model", tmp_path / "m", "--storage", tmp_path / "m"],
        ["predict", model, data, "--output", link],
        ["predict", model, data, "--output", model],
        ["evaluate", data, "--model", model, "--per-query", data],
        ["evaluate", data, "--model", model, "--per-query", model],
        ["evaluate", files / "train.txt", "--scores", data, "--per-query", link],
        ["report", model, data, "--output", data],
        ["report", model, data, "--output", model],
    ):
        ended = gbrank(*arguments, code=1)
        assert "would be overwritten; give another file" in ended.err, arguments
        assert len(ended.err.splitlines()) == 1
    assert (data.read_bytes(), model.read_bytes()) == before


def test_the_folder_of_every_output_must_be_there(gbrank, model, tmp_path):
    for arguments in (
        ["predict", model, "nowhere.txt", "--output", tmp_path / "no" / "x"],
        ["evaluate", "nowhere.txt", "--model", model, "--per-query", tmp_path / "no" / "x"],
        ["report", model, "nowhere.txt", "--output", tmp_path / "no" / "x"],
        ["tune", "nowhere.txt", "--model", tmp_path / "m", "--storage", tmp_path / "no" / "x"],
    ):
        assert "does not exist; create it first" in gbrank(*arguments, code=1).err


def test_errors_of_labels_name_the_file(gbrank, files, model, tmp_path):
    text = (files / "vali.txt").read_text()
    (tmp_path / "bad.txt").write_text("-3" + text[text.index(" ") :])
    options = ["--model", tmp_path / "m", *QUICK]
    for arguments in (
        ["train", tmp_path / "bad.txt", "--n-features", 6, *options],
        ["train", files / "train.txt", "--vali", tmp_path / "bad.txt", *options],
        ["evaluate", tmp_path / "bad.txt", "--model", model],
    ):
        error = gbrank(*arguments, code=1).err.splitlines()[-1]
        assert error.startswith(f"gbrank: error: {tmp_path / 'bad.txt'}: label -3")


def test_tune_on_folds(gbrank, files, tmp_path):
    options = ["--model", tmp_path / "m", "--trials", 1, "--folds", 2, "--n-estimators", 3, *QUICK, "--json"]
    assert len(json.loads(gbrank("tune", files / "train.txt", *options).out)["fold_values"]) == 2


@pytest.mark.parametrize("text", ["0.1", "true", "[1, 2]", "'a'", "plain", "2024-13-99"])
def test_values_are_toml_or_text(text):
    from gbrank.cli._inputs import read_value

    expected = {"0.1": 0.1, "true": True, "[1, 2]": [1, 2], "'a'": "a"}.get(text, text)
    assert read_value(text) == expected
