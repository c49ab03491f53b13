"""Sorting, selection and tie groups against NumPy, and the lists' functions as plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gbrank.metrics import _aspects, _lists, _order
from gbrank.metrics._batch import pointer
from gbrank.metrics._ranking import each_list, largest, rank_lists, sort_pairs, tie_groups, top


@st.composite
def scores(draw):
    n = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, draw(st.sampled_from([1, 3, 20, 10**6])), n).astype(float)


def scratch(n):
    return np.empty(n), np.empty(n, np.int64), np.empty(n), np.empty(n, np.int64)


@given(score=scores())
@settings(max_examples=200, deadline=None)
def test_sort_is_stable(score):
    n = len(score)
    key, row, spare_key, spare_row = scratch(n)
    key[:], row[:] = score, np.arange(n)
    sort_pairs(n, key, row, spare_key, spare_row)
    np.testing.assert_array_equal(row, np.argsort(score, kind="stable"))
    np.testing.assert_array_equal(key, np.sort(score))


@given(score=scores(), k=st.integers(1, 200))
@settings(max_examples=200, deadline=None)
def test_largest_gathers_the_k_largest(score, k):
    k = min(k, len(score))
    heap = np.empty(len(score))
    least = largest(score, k, heap)
    np.testing.assert_array_equal(np.sort(heap[:k]), np.sort(score)[-k:])
    assert least == np.sort(score)[-k]


@given(score=scores(), k=st.integers(1, 250))
@settings(max_examples=200, deadline=None)
def test_top_holds_the_first_k_and_their_tie_group(score, k):
    key, row, spare_key, spare_row = scratch(len(score))
    m = top(score, k, key, row, spare_key, spare_row)
    order = np.argsort(-score, kind="stable")
    np.testing.assert_array_equal(row[:m], order[:m])
    assert m == len(score) or (m >= k and score[order[m]] < score[order[m - 1]])
    end = np.empty(len(score), np.int64)
    tie_groups(m, np.empty(0), False, key, row, spare_key, spare_row, end)
    np.testing.assert_array_equal(end[:m], [(score >= score[i]).sum() for i in order[:m]])


OF_LISTS = [
    *((_lists, name) for name in ("dcg", "found", "r_precision", "mean_value", "hit", "rr", "ap", "err", "q_measure")),
    *((_lists, name) for name in ("bpref", "inferred_ap")),
    *((_order, name) for name in ("auc", "pairs", "tau", "tau_ap")),
    *((_aspects, name) for name in ("covered", "alikeness")),
]


@pytest.mark.parametrize(("module", "name"), OF_LISTS)
def test_compiled_and_plain_functions_agree(module, name):
    rng = np.random.default_rng(0)
    function = getattr(module, name)
    whole = module is _order or name in ("bpref", "q_measure")
    for k in (1, 4, 9, 1000) if name != "r_precision" else (1000,):
        score = rng.integers(0, 4, 9).astype(float)
        value = rng.integers(0, 2, 9).astype(float) if name != "err" else rng.random(9)
        order = np.argsort(-score, kind="stable")
        end = np.array([(score >= score[i]).sum() for i in order])
        table, out, query_ptr = 1 / np.log2(np.arange(2, 11)), np.empty(1), np.array([0, 9])
        row, tie_end, size = np.empty(9, np.int64), np.empty(9, np.int64), np.empty((1, 2), np.int64)
        rank_lists(0, 1, query_ptr, score, np.empty(0, bool), np.empty(0), False, 9, row, tie_end, size)
        norm = np.array([2.0])
        each_list(0, 1, query_ptr, pointer(function), row, tie_end, size, value, whole, k, norm, table, 0, 0, out)
        assert out[0] == pytest.approx(function(value[order], end, k, 2.0, table), rel=1e-14, nan_ok=True)
