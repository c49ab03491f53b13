import json
import math

import pytest

from gbrank import DataError, LambdaMART, tune


@pytest.fixture(scope="module")
def found(train):
    start = LambdaMART(n_estimators=12, early_stopping_rounds=4, n_jobs=1, reg_lambda=0.0)
    space = {"max_leaves": (2, 15), "reg_lambda": {"low": 0.01, "high": 10.0, "log": True}}
    return tune(start, train, cv=3, space=space, n_trials=6, pruner=None)


def test_the_table_has_a_row_for_each_trial(found):
    table = found.table
    assert table.columns.tolist() == [
        *["number", "value", "spread", "state", "rounds", "seconds"],
        *["max_leaves", "reg_lambda"],
    ]
    assert table["number"].tolist() == [0, 1, 2, 3, 4, 5]
    assert (table["seconds"] > 0).all()
    best = table.loc[table["value"].idxmax()]
    assert (best["value"], best["rounds"]) == (found.best_value, found.best_rounds)
    a, b, c = found.fold_values
    mean = (a + b + c) / 3
    assert best["spread"] == pytest.approx(math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2) / 2))


def test_it_is_read_in_a_few_lines(found):
    first, *rest = str(found).splitlines()
    assert first == (
        f"ndcg@10 = {found.best_value:.4f} (mean of 3 folds) after {found.best_rounds} rounds; "
        f"{found.start_value:.4f} at the start; trials: 6 complete"
    )
    assert [line.split(" = ")[0] for line in rest] == ["  max_leaves", "  reg_lambda"]
    assert repr(found) == str(found)


def test_it_is_plain_values_for_json(found):
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["best_params"] == found.best_params
    assert plain["fold_values"] == list(found.fold_values)
    assert [trial["number"] for trial in plain["trials"]] == [0, 1, 2, 3, 4, 5]


def test_importances_are_shares(found):
    shares = found.importances()
    assert set(shares) == {"max_leaves", "reg_lambda"}
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert found.importances() == shares


def test_importances_need_trials(train):
    start = LambdaMART(n_estimators=3, early_stopping_rounds=3)
    found = tune(start, train, cv=2, space={"max_leaves": (2, 9)}, n_trials=1, refit=False)
    with pytest.raises(DataError, match=r"1 trials were completed.*raise n_trials"):
        found.importances()
