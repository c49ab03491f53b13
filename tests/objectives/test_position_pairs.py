"""Pairwise losses weighted by factors of positions, tied to data."""

import numpy as np
import pytest

import gbrank
from gbrank.objectives import CrossEntropy, PairwiseContrastive, PairwiseLogistic, Targets
from gbrank.objectives._position_pairs import bind_pairs

CLICKS = Targets(np.array([1.0, 0, 0, 1]), np.array([0, 2, 4]))


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_a_click_counts_by_its_factor_and_what_was_skipped_by_its_own(engine):
    up, down = np.array([1.0, 7, 9, 2]), np.array([5.0, 1, 3, 8])
    gradient, hessian = bind_pairs(PairwiseLogistic(), CLICKS, up, down, engine, 1).gradient_hessian(np.zeros(4), 0)
    np.testing.assert_allclose(gradient, [-0.5, 0.5, 3, -3], rtol=1e-14)
    np.testing.assert_allclose(hessian, [0.25, 0.25, 1.5, 1.5], rtol=1e-14)


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (CrossEntropy(), "no pairwise loss"),
        (PairwiseLogistic(pairs="given"), "pairs made from clicks"),
        (PairwiseLogistic(equal_pairs=True), "no clicked document"),
        (PairwiseContrastive(), "no clicked document"),
    ],
    ids=["pointwise", "given", "equal", "contrastive"],
)
def test_losses_without_a_clicked_document_are_refused(loss, told):
    with pytest.raises(gbrank.ParameterError, match=told):
        bind_pairs(loss, CLICKS, np.ones(4), np.ones(4))
