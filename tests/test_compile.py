"""The kernel policy: whole queries to threads, and scalar code that equals NumPy."""

import itertools
import multiprocessing
import threading

import numpy as np
import pytest

from gbrank import ParameterError
from gbrank._compile import in_parallel, inlined, kernel, over_queries, thread_count


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 7, None])
def test_every_query_is_computed_once_and_whole(n_jobs):
    sizes = np.random.default_rng(0).integers(1, 900, 57)
    query_ptr = np.concatenate(([0], np.cumsum(sizes)))
    runs = []
    over_queries(lambda a, b, ptr: runs.append((a, b)), query_ptr, n_jobs=n_jobs)
    runs.sort()
    assert runs[0][0] == 0
    assert runs[-1][1] == 57
    assert all(left[1] == right[0] for left, right in itertools.pairwise(runs))


def test_one_giant_query_leaves_the_others_their_threads():
    query_ptr = np.array([0, 1, 100_000, 100_001])
    runs = []
    over_queries(lambda a, b, ptr: runs.append((a, b)), query_ptr, n_jobs=4)
    assert sorted(q for a, b in runs for q in range(a, b)) == [0, 1, 2]


def test_results_keep_their_order_and_errors_come_through():
    assert in_parallel([(lambda i=i: i * i, ()) for i in range(20)]) == [i * i for i in range(20)]
    with pytest.raises(ZeroDivisionError):
        in_parallel([(lambda: 1 / 0, ()), (lambda: 1, ())])


def test_thread_count():
    cores = thread_count(None)
    assert thread_count(3) == 3
    assert thread_count(-1) == cores
    assert thread_count(-2) == max(1, cores - 1)
    with pytest.raises(ParameterError, match="n_jobs=0"):
        thread_count(0)


def awkward(x, y):
    return np.where(x > y, np.logaddexp(x, y), np.log1p(np.exp(y))) + np.maximum(x, 0.0) * np.tanh(y) + np.abs(x)


def test_scalar_code_equals_numpy():
    each = inlined(awkward)
    values = [0.0, -0.0, 1e-12, 0.5, -3.0, 40.0, -40.0, 700.0, -700.0]
    for x in values:
        for y in values:
            assert each(x, y) == pytest.approx(float(awkward(np.float64(x), np.float64(y))), rel=1e-14, abs=1e-300)


@kernel
def total(first, last, query_ptr, values, out):
    """Write each query's sum."""
    for q in range(first, last):
        out[q] = values[query_ptr[q] : query_ptr[q + 1]].sum()


def sums(seed):
    rng = np.random.default_rng(seed)
    query_ptr = np.arange(0, 40_001, 100)
    values, out = rng.random(40_000), np.empty(400)
    over_queries(total, query_ptr, values, out, n_jobs=3)
    return bool(np.allclose(out, np.add.reduceat(values, query_ptr[:-1])))


def test_kernels_may_be_launched_from_several_threads_at_once():
    answers = []
    threads = [threading.Thread(target=lambda s=s: answers.append(sums(s))) for s in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 8


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kernels_run_after_a_fork():
    assert sums(0)  # starts this process's threads
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(sums, range(4)).get(timeout=60) == [True] * 4
