"""Why a log may not support an answer: few clicks, documents never shown, clipped weights, wrong propensities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._problem import Problem

FEW_CLICKS, LOW_SHARE = 30, 0.1
"""Fewer effective clicks, or a lower share of the clicks that count, is a serious doubt."""
MUCH = 0.05
"""More of the weight without data, or more of the estimate clipped away, is a serious doubt."""
FAR = 4.0
"""More standard errors between clicks of a rank and those expected, or of weights from 1, is a serious doubt."""


@dataclass(frozen=True)
class Doubt:
    """One reason.

    Attributes
    ----------
    kind : {"few clicks", "never shown", "not shown", "not ranked", "clipped", "propensity", "exposure", "unchecked"}
    text : str
    serious : bool
        Whether it is warned of.
    """

    kind: str
    text: str
    serious: bool


def doubts(problem: Problem, methods: Sequence[str], clip: float, z: npt.NDArray[np.float64]) -> tuple[Doubt, ...]:
    """Return the doubts about an estimate.

    Parameters
    ----------
    problem : Problem
    methods : sequence of str
    clip : float
    z : array of shape (n_ranks,)
        How far clicks at each rank are from those expected; see `clicks_by_rank`.
    """
    found: list[Doubt] = []
    if set(methods) != {"direct"}:
        found += [*_few_clicks(problem), *_exposure(problem)]
    found += [*_support(problem, methods), *_propensity(problem, z)]
    if not {"clipped", "clipped_dr"}.isdisjoint(methods):
        found += _clipped(problem, clip)
    return tuple(found)


def _few_clicks(problem: Problem) -> Iterator[Doubt]:
    weights = problem.click_weights()
    effective = problem.effective_clicks("ips", 0.0)
    if not len(weights):
        yield Doubt("few clicks", "no click is on a document that has a weight in the reward.", True)
    elif effective < max(FEW_CLICKS, LOW_SHARE * len(weights)):
        yield Doubt(
            "few clicks",
            f"few clicks bear the estimate: the {len(weights):,} that count weigh as much as {effective:,.1f} equal "
            "ones; log more sessions, or clip.",
            True,
        )


def _support(problem: Problem, methods: Sequence[str]) -> Iterator[Doubt]:
    missing, share = problem.weight_not_seen()
    if share > 0:
        guessed = [name for name in methods if name not in ("ips", "snips", "clipped")]
        text = f"documents that were never shown hold {share:.1%} of the weight: ips is too low by up to {missing:.4f}"
        text += ", snips takes them for like the others" * ("snips" in methods)
        text += f", {', '.join(guessed)} know them by `relevance` alone" * bool(guessed)
        yield Doubt("never shown", f"{text}.", share > MUCH)
    absent = problem.share_not_shown()
    if problem.by == "rank" and absent > 0:
        yield Doubt(
            "not shown",
            f"sessions did not show documents that hold {absent:.1%} of the weight, and exposure='rank' takes them for "
            "without attraction; use exposure='policy'.",
            absent > MUCH,
        )
    others = int(((problem.shown.new_rank == 0) & problem.shown.seen).sum())
    if others:
        yield Doubt(
            "not ranked", f"{others:,} documents of the log are not in the new ranking and bring nothing.", False
        )


def _clipped(problem: Problem, clip: float) -> Iterator[Doubt]:
    full, cut = problem.click_weights().sum(), problem.click_weights(clip).sum()
    if cut < full:
        share = 1 - cut / full
        yield Doubt(
            "clipped",
            f"clipping at {clip:.4g} takes off {share:.1%} of what clicks weigh: clipped is too low by as much.",
            share > MUCH,
        )


def _propensity(problem: Problem, z: npt.NDArray[np.float64]) -> Iterator[Doubt]:
    if np.isnan(z).all():
        yield Doubt("unchecked", "no document stood at two ranks, so this log cannot check the propensities.", False)
    elif np.nanmax(np.abs(z)) > FAR:
        worst = int(np.nanargmax(np.abs(z)))
        more = "more" if z[worst] > 0 else "less"
        yield Doubt(
            "propensity",
            f"the propensities do not fit: rank {worst + 1} has {more} clicks than the same documents at other ranks "
            f"explain, by {abs(z[worst]):.1f} standard errors; see by_rank.",
            True,
        )


def _exposure(problem: Problem) -> Iterator[Doubt]:
    if problem.by != "given":
        return
    shares, due = problem.shares(), 1 - problem.weight_not_seen()[1]
    error = shares.std() / np.sqrt(len(shares))
    if abs(shares.mean() - due) > FAR * error + 1e-9:
        yield Doubt(
            "exposure",
            f"the exposures given do not fit: propensities divided by them average {shares.mean():.3f}, not {due:.3f}; "
            "they are of another logging policy or other propensities.",
            True,
        )
