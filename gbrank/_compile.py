"""How kernels are compiled and run: the one module that touches numba's settings.

A kernel is a plain loop over queries, compiled without numba's own threading: it releases the interpreter lock, and
`over_queries` runs it on several Python threads, each with a run of whole queries.  No threading layer of numba is
ever started, so kernels may run from Optuna's or joblib's threads and after a fork; every query is computed by one
thread, so results do not depend on how many there are.
"""

from __future__ import annotations

import functools
import itertools
import os
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import llvmlite.ir as ir
import numba
import numba.extending
import numpy as np

from ._checks import IntArray, ParameterError

F = TypeVar("F", bound=Callable[..., Any])

# What may be assumed of floating point: sums may be reordered and fused so that inner loops vectorise;
# NaN and infinity keep their meaning.
FAST = {"reassoc", "contract", "nsz", "arcp"}


def kernel(function: F) -> F:
    """Compile a module-level function, with its machine code kept on disk between processes."""
    return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


def fast_kernel(function: F) -> F:
    """Compile as `kernel`, allowing sums to be reordered (see `FAST`)."""
    return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=FAST)(function))


def inlined(function: F) -> F:
    """Compile an elementwise NumPy function for use on numbers inside kernels, inlined by the machine-code compiler.

    The function's ``np`` becomes one in which `where`, `logaddexp` and `log1p` are scalar code: numba's own make an
    array for each `where`, and calls that cannot be left out where their value is not used.
    """
    names = {name: _scalar_numpy() if value is np else value for name, value in function.__globals__.items()}
    scalar = types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    return cast(F, numba.njit(error_model="numpy", fastmath=FAST, forceinline=True)(scalar))


@functools.cache
def _scalar_numpy() -> types.ModuleType:
    module = types.ModuleType("numpy")
    module.__dict__.update({name: getattr(np, name) for name in np.__all__})
    for replacement in (_where, _logaddexp, _log1p):
        setattr(module, replacement.__name__[1:], numba.njit(error_model="numpy", forceinline=True)(replacement))
    return module


def _where(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


def _log1p(x: Any) -> Any:
    # Kahan's: the rounding error of 1 + x cancels between log(u) and u - 1.
    u = 1.0 + x
    return x if u == 1.0 else (np.log(u) if np.isinf(u) else np.log(u) * (x / (u - 1.0)))


def _logaddexp(a: Any, b: Any) -> Any:
    if a == b:
        return a + np.log(2.0)
    x = np.exp(-abs(a - b))
    u = 1.0 + x
    return max(a, b) + (x if u == 1.0 else np.log(u) * (x / (u - 1.0)))


def inlined_exactly(function: F) -> F:
    """Compile a function for use inside kernels as `inlined`, but as it stands, with no arithmetic reordered."""
    return cast(F, numba.njit(error_model="numpy", forceinline=True)(function))


def specialised(function: F) -> F:
    """Compile a kernel that closes over other functions; such code cannot be kept on disk."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", fastmath=FAST)(function))


def list_pointer(function: Callable[..., Any], signature: str) -> Any:
    """Compile a function of one machine-code `signature`, for kernels to take as an argument.

    Unlike a kernel that closes over a function, one that takes such a pointer is compiled once for all of them and
    kept on disk, and so is the function.  The call costs nanoseconds: right for one call a query, not a document.
    """
    return numba.cfunc(signature, cache=True, error_model="numpy")(function)


def _load(bits: int) -> Callable[[Any], Any]:
    """Return the function, for kernels, that reads an unsigned number of so many bits at any address."""

    def load(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = ir.IntType(bits)
            value = builder.load(builder.inttoptr(args[0], kind.as_pointer()), align=1)
            return value if bits == 64 else builder.zext(value, ir.IntType(64))

        return (numba.uint64 if bits == 64 else numba.int64)(address), generate

    return cast(Callable[[Any], Any], numba.extending.intrinsic(load))


# For kernels over text: ``byte_at(address)`` is an int64, ``word_at(address)`` the uint64 of eight bytes, the first
# lowest.  An array is an address and a reference count, and to count references costs more than to parse a number.
byte_at = _load(8)
word_at = _load(64)


def _bits(generate: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """Return the function, for kernels, from a uint64 to an int64 that is one machine instruction."""

    def count(typing_context: Any, word: Any) -> Any:
        return numba.int64(numba.uint64), lambda context, builder, signature, args: generate(builder, args[0])

    return cast(Callable[[Any], Any], numba.extending.intrinsic(count))


# For kernels: how many bits of a uint64 are 1, and how many are 0 below the lowest 1; 64 of 0.
count_ones = _bits(lambda builder, word: builder.ctpop(word))
trailing_zeros = _bits(lambda builder, word: builder.cttz(word, ir.Constant(ir.IntType(1), 0)))


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads that `n_jobs` asks for: all cores for None and -1, all but one for -2, ..."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_jobs is None:
        return cores
    if n_jobs == 0:
        raise ParameterError("n_jobs=0: give a number of threads, or None for all cores.")
    return n_jobs if n_jobs > 0 else max(1, cores + 1 + n_jobs)


def over_queries(run: Callable[..., None], query_ptr: IntArray, *args: Any, n_jobs: int | None = None) -> None:
    """Call ``run(first, last, query_ptr, *args)`` on runs of whole queries of about equal numbers of documents."""
    n_queries = len(query_ptr) - 1
    parts = min(thread_count(n_jobs), n_queries)
    if parts <= 1 or query_ptr[-1] < 2000:
        run(0, n_queries, query_ptr, *args)
        return
    aims = query_ptr[-1] * np.arange(1, parts) // parts
    cuts = [0, *np.searchsorted(query_ptr, aims).tolist(), n_queries]
    in_parallel([(run, (a, b, query_ptr, *args)) for a, b in itertools.pairwise(cuts) if a < b])


def in_parallel(calls: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Any]:
    """Run the calls at the same time and return their results in order; the last runs on this thread."""
    if len(calls) == 1:
        return [calls[0][0](*calls[0][1])]
    pool = _threads()
    waiting = [pool.submit(function, *args) for function, args in calls[:-1]]
    function, args = calls[-1]
    last = function(*args)
    return [*(future.result() for future in waiting), last]


_pool: tuple[int, ThreadPoolExecutor] | None = None


def _threads() -> ThreadPoolExecutor:
    """Return this process's threads; a forked child gets its own."""
    global _pool
    if _pool is None or _pool[0] != os.getpid():
        _pool = os.getpid(), ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="gbrank")
    return _pool[1]
