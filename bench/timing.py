"""Interleaved timing: ratios that hold although the machine's speed drifts."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def interleaved(calls: Mapping[str, Callable[[], Any]], repeats: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Return the seconds of each call, made in turn `repeats` times after `warm_up` rounds that do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm_up + repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Return the median of ours / theirs, run by run, with the least and the greatest."""
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"ratio": statistics.median(each), "least": min(each), "greatest": max(each)}
