"""Click models on real sessions, and the time that simulated ones take.

Perplexities are those of the later quarter of the sessions of yandex-relpred, with models fitted on the first three
quarters: of the file, which stands query by query, or of each query.  They are given the clicks above; 2 is a coin.
The log-likelihood is that of a session.  A session of two clicks is impossible to the cascade model.  Before the table
is told, UBM and DBN are asserted to be better than PBM on both, and simulated clicks to have the rates of their model.
"""

import statistics
import time
import warnings
from typing import Any

import numpy as np
from real_data import real_data
from timing import interleaved

from gbrank import GbrankWarning, make_letor
from gbrank.clicks import (
    CLICK_MODELS,
    ClickLog,
    DynamicBayesian,
    PlackettLuce,
    PositionBased,
    read_yandex_sessions,
    simulate_clicks,
)

TITLE = "Click models"
N_SESSIONS, N_RANKS, REPEATS, SEED = 1_000_000, 10, 3, 0


def real_sessions() -> ClickLog:
    """Return the sessions, without clicks on what was not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GbrankWarning)
        return read_yandex_sessions(real_data() / "yandex-relpred" / "sessions.txt", unlisted="ignore")


def fitted(earlier: ClickLog, later: ClickLog, split: str) -> list[dict[str, Any]]:
    """Return a row for each model."""
    rows = []
    for name in ("cascade", "dcm", "sdbn", "dbn", "pbm", "trust", "ubm"):
        start = time.perf_counter()
        model = CLICK_MODELS[name].fit(earlier)
        seconds = time.perf_counter() - start
        perplexity = model.perplexity(later)
        rows.append(
            {
                "split": split,
                "model": name,
                "log_likelihood": model.log_likelihood(later) / later.n_sessions,
                "perplexity": perplexity.overall,
                **{f"@{rank}": value for rank, value in enumerate(perplexity.by_rank.tolist(), start=1)},
                "fit_s": seconds,
            }
        )
    overall = {row["model"]: row["perplexity"] for row in rows}
    assert max(overall["ubm"], overall["dbn"]) < overall["pbm"], overall
    return rows


def simulated(n_sessions: int, repeats: int) -> list[dict[str, Any]]:
    """Return a row for each model and policy."""
    data = make_letor(700, max_documents=40, random_state=SEED)
    scores = data.X[:, 0]
    models = {"pbm": PositionBased.power(1, N_RANKS), "dbn": DynamicBayesian(0.9)}
    calls = {
        (name, how): lambda model=model, policy=policy: simulate_clicks(
            data, policy, model, n_sessions, SEED, top_k=N_RANKS
        )
        for name, model in models.items()
        for how, policy in (("by score", scores), ("Plackett-Luce", PlackettLuce(scores)))
    }
    log = simulate_clicks(data, scores, models["pbm"], n_sessions, SEED, top_k=N_RANKS, attraction=data.y / 4)
    wanted = models["pbm"].probabilities(log.session_ptr, (data.y / 4)[log.pair])
    place = log.rank - 1
    error = np.bincount(place, log.click - wanted) / np.bincount(place)
    assert np.abs(error).max() < 5 * 0.5 / np.sqrt(np.bincount(place).min()), error
    seconds = interleaved(calls, repeats)
    return [
        {
            "model": name,
            "ranking": how,
            "sessions": n_sessions,
            "ranks": N_RANKS,
            "simulate_s": statistics.median(times),
        }
        for (name, how), times in seconds.items()
    ]


def rows(n_sessions: int = N_SESSIONS, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return all rows."""
    sessions = real_sessions()
    found = fitted(*sessions.split_by_time(0.75), "of the file")
    found += fitted(*sessions.split_by_time(0.75, within_queries=True), "of each query")
    return found + simulated(n_sessions, repeats)


if __name__ == "__main__":
    for each in rows():
        print(each)
