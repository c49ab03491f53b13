"""Full-stage learning: a log of ten million rows to training data.

20,000 requests of 500 items in four stages (300, 100, 60, 30 and 10 of which reached stage 0 to 4; 30 % of the exposed
with positive feedback), eight float32 features.  Timed are: the checked log from arrays; equation 9 on all of it; the
sampling of requests (20, 30, 40, 30, 10 a stage); a list of one positive and five negatives for each positive; and the
second against pandas (a map of stages, a mask, the same `RankingData`).  Asserted first: pandas gives the same labels,
each sampled request has the numbers that were asked for, and both stand in the right requests.
"""

import statistics
from typing import Any

import numpy as np
import pandas as pd
from timing import interleaved, ratios

from gbrank import RankingData
from gbrank.stages import StageLog, relabel, sample_requests

TITLE = "Full-stage logs of ten million rows"
N_REQUESTS, SIZES, REPEATS, SEED = 20_000, (300, 100, 60, 30, 10), 3, 0
COUNTS, NEGATIVES = (20, 30, 40, 30, 10), (2, 1, 1, 0, 1)


def make_columns(n_requests: int = N_REQUESTS) -> dict[str, Any]:
    """Return the arrays of a log."""
    rng = np.random.default_rng(SEED)
    per = sum(SIZES)
    stage = np.tile(np.repeat(np.arange(len(SIZES)), SIZES), n_requests)
    liked = (rng.random(len(stage)) < 0.3).astype(float)
    return {
        "request": np.repeat(np.arange(n_requests), per),
        "item": (rng.integers(0, 1_000_000, n_requests)[:, None] + 7 * np.arange(per)).ravel(),
        "stage": stage,
        "feedback": np.where(stage == len(SIZES) - 1, liked, np.nan),
        "features": rng.random((len(stage), 8), dtype=np.float32),
    }


def relabel_by_pandas(columns: dict[str, Any]) -> RankingData:
    """Return the same training data by way of a DataFrame."""
    frame = pd.DataFrame({name: columns[name] for name in ("request", "item", "stage", "feedback")})
    frame["label"] = frame["stage"].map({s: float(s) for s in range(len(SIZES))})
    frame.loc[(frame["stage"] == len(SIZES) - 1) & (frame["feedback"] > 0), "label"] = float(len(SIZES))
    ids = frame["item"].astype(str).to_numpy(dtype=str)
    return RankingData(columns["features"], frame["label"], frame["request"], doc_id=ids)


def check(columns: dict[str, Any], log: StageLog) -> None:
    """Assert that what is timed is right."""
    ours, theirs = relabel(log), relabel_by_pandas(columns)
    assert (ours.y == theirs.y).all()
    assert (ours.query_ptr == theirs.query_ptr).all()
    assert (ours.doc_id == theirs.doc_id).all()
    sample = sample_requests(log, COUNTS, random_state=SEED)
    for stage, count in enumerate(COUNTS[:-1]):
        of_stage = sample.request[sample.stage == stage]
        assert (np.bincount(of_stage, minlength=log.n_requests) == count).all()
    lists = sample_requests(log, NEGATIVES, per="positive", random_state=SEED)
    assert lists.n_requests == log.positive.sum()
    assert lists.request_sizes.max() == 1 + sum(NEGATIVES)
    assert (log.request[lists.order] == np.array([int(r.split("#")[0]) for r in lists.request])).all()


def rows(n_requests: int = N_REQUESTS) -> list[dict[str, Any]]:
    """Return seconds for each step."""
    check((few := make_columns(200)), StageLog(**few, n_stages=len(SIZES) - 1))
    columns = make_columns(n_requests)
    log = StageLog(**columns, n_stages=len(SIZES) - 1)
    calls = {
        "log from arrays": lambda: StageLog(**columns, n_stages=len(SIZES) - 1),
        "relabelling": lambda: relabel(log),
        "relabelling by pandas": lambda: relabel_by_pandas(columns),
        "requests sampled": lambda: sample_requests(log, COUNTS, random_state=SEED),
        "a list for each positive": lambda: sample_requests(log, NEGATIVES, per="positive", random_state=SEED),
        "all of it": lambda: (
            relabel(sample_requests(whole := StageLog(**columns, n_stages=len(SIZES) - 1), COUNTS, random_state=SEED)),
            relabel(whole),
        ),
    }
    seconds = interleaved(calls, REPEATS)
    table = []
    for name in calls:
        row = {
            "step": name,
            "rows": log.n_rows,
            "median_s": statistics.median(seconds[name]),
            "max_s": max(seconds[name]),
        }
        if name == "relabelling":
            row |= {
                f"pandas_{key}": value for key, value in ratios(seconds["relabelling by pandas"], seconds[name]).items()
            }
        table.append(row)
    return table


if __name__ == "__main__":
    for row in rows():
        print(row)
