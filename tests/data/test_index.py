"""The index of pandas objects, where it says that rows do not belong together."""

import pandas as pd
import pytest

from gbrank import DataError, RankingData

LABELS = ["p", "q", "r", "s"]
FRAME = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}, index=LABELS)
ROWS = {"y": [0, 1, 0, 1], "qid": [5, 5, 6, 6]}


def series(values, index):
    return pd.Series(values, index=index)


@pytest.mark.parametrize("name", ["y", "qid", "doc_id", "position", "sample_weight", "init_score"])
def test_the_labels_of_the_frame_in_another_order_are_refused(name):
    value = series(ROWS.get(name, [1, 2, 3, 4]), ["p", "r", "q", "s"])
    with pytest.raises(DataError, match=rf"{name}: .* \(row 1 is 'q' in X, and 'r' here\); align it"):
        RankingData(FRAME, **ROWS | {name: value})
    RankingData(FRAME, **ROWS | {name: value.to_numpy()})
    RankingData(FRAME, **ROWS | {name: value.loc[FRAME.index]})


def test_places_count_otherwise():
    default = FRAME.reset_index(drop=True)
    turned = series(ROWS["y"], [3, 2, 1, 0])
    for frame, y in (
        (FRAME, series(ROWS["y"], LABELS)),
        (FRAME, series(ROWS["y"], None)),  # an index by default
        (FRAME, series(ROWS["y"], ["t", "u", "v", "w"])),  # labels of something else
        (FRAME.to_numpy(), turned),
        (default, turned),  # sorted alike, one of them numbered anew
        (FRAME.set_axis(["p", "p", "q", "q"]), series(ROWS["y"], ["p", "p", "q", "q"])),
    ):
        assert RankingData(frame, y, ROWS["qid"]).y.tolist() == ROWS["y"]


def test_repeated_labels():
    frame = FRAME.set_axis(["p", "p", "q", "q"])
    with pytest.raises(DataError, match="row 1 is 'p' in X, and 'q' here"):
        RankingData(frame, series(ROWS["y"], ["p", "q", "p", "q"]), ROWS["qid"])
