"""How kernels are compiled and run: the one module that touches numba's settings.

A kernel is a plain loop over queries, compiled without numba's own threading: it releases the interpreter lock, and
`over_queries` runs it on several Python threads, each with a run of whole queries.  No threading layer of numba is
ever started, so kernels may run from Optuna's or joblib's threads and after a fork; every query is computed by one
thread, so results do not depend on how many there are.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
import os
import types
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite.ir as ir
import numba
import numba.extending
import numba.np.unsafe.ndarray
import numpy as np

from ._checks import IntArray, ParameterError

F = TypeVar("F", bound=Callable[..., Any])

# What may be assumed of floating point: sums may be reordered and fused so that inner loops vectorise;
# NaN and infinity keep their meaning.
FAST = {"reassoc", "contract", "nsz", "arcp"}
EXACT = False  # said everywhere: a function for which nothing is said takes on what its first caller may do


def kernel(function: F) -> F:
    """Compile a module-level function, with its machine code kept on disk between processes."""
    return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=EXACT)(function))


def fast_kernel(function: F) -> F:
    """Compile as `kernel`, allowing sums to be reordered (see `FAST`)."""
    return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=FAST)(function))


def inlined(function: F) -> F:
    """Compile an elementwise NumPy function for use on numbers inside kernels, inlined by the machine-code compiler.

    The function's ``np`` becomes one whose `where`, `exp`, `log` and so on are scalar code without branches, see
    `_scalar_math`, so that loops over the function become vector instructions; Python functions that it calls are
    compiled with it.
    """
    return cast(F, _inlined(function))


@functools.lru_cache(maxsize=512)
def _inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled = numba.njit(error_model="numpy", fastmath=FAST, forceinline=True)(scalar_form(function))
    return cast(Callable[..., Any], compiled)


def refusal(function: Callable[..., Any], *args: float) -> str | None:
    """Return why a function of numbers cannot be `inlined`, in one line, or None where it can.

    Parameters
    ----------
    *args : float
        Arguments to try it with.
    """
    try:
        inlined(function)(*args)
    except Exception as error:  # what cannot be compiled may fail in any way, RecursionError among them
        return reason_of(error)
    return None


def reason_of(error: Exception) -> str:
    """Return in one line why a function could not be compiled."""
    if not isinstance(error, numba.core.errors.NumbaError):
        return f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(":.")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Failed in")]
    return (told or [type(error).__name__])[0].rstrip(":.")


def scalar_form(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with NumPy's elementwise functions replaced by their scalar twins."""
    used = _names_used(function.__code__)
    names = {name: _scalar_value(function.__globals__[name], used) for name in used & set(function.__globals__)}
    names["__name__"] = function.__module__  # machine code on disk names the module that it belongs to
    cells = tuple(types.CellType(_scalar_value(cell.cell_contents, used)) for cell in function.__closure__ or ())
    return types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)


def _names_used(code: types.CodeType) -> set[str]:
    inner = [_names_used(each) for each in code.co_consts if isinstance(each, types.CodeType)]
    return set(code.co_names).union(*inner)


def _scalar_value(value: Any, used: set[str]) -> Any:
    from . import _scalar_math

    if value is np:
        return _scalar_math.as_numpy()
    if isinstance(value, types.ModuleType):
        return _scalar_module(value, used)
    if isinstance(value, np.ufunc) or getattr(value, "__module__", None) == "numpy":
        return _scalar_math.TWINS.get(getattr(value, "__name__", ""), value)
    return inlined(value) if isinstance(value, types.FunctionType) else value


def _scalar_module(module: types.ModuleType, used: set[str]) -> types.ModuleType:
    """Return a module (`scipy.special`, or one of the user's) with scalar twins for what is used of it."""
    found = {name: getattr(module, name) for name in used if hasattr(module, name)}
    twins = {
        name: _scalar_value(value, used)
        for name, value in found.items()
        if not isinstance(value, types.ModuleType) or value.__name__.startswith(f"{module.__name__}.")
    }
    if all(twin is found[name] for name, twin in twins.items()):
        return module
    copy = types.ModuleType(module.__name__)
    copy.__dict__.update(found | twins)
    return copy


def plain(function: F) -> F:
    """Compile a NumPy function of arrays as it stands, with the Python functions that it calls."""
    used = _names_used(function.__code__) & set(function.__globals__)
    found = {name: function.__globals__[name] for name in used}
    names = {name: plain(value) if isinstance(value, types.FunctionType) else value for name, value in found.items()}
    names["__name__"] = function.__module__
    copy = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    return cast(F, numba.njit(nogil=True, error_model="numpy", fastmath=FAST)(copy))


def inlined_exactly(function: F) -> F:
    """Compile a function for use inside kernels as `inlined`, but as it stands, with no arithmetic reordered."""
    return cast(F, numba.njit(cache=True, error_model="numpy", fastmath=EXACT, forceinline=True)(function))


def inlined_fused(function: F) -> F:
    """Compile as `inlined_exactly`, but a product and the sum that it goes into may be rounded once, together."""
    return cast(F, numba.njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)(function))


def list_pointer(
    function: Callable[..., Any],
    signature: str,
    *,
    fast: bool = False,
    compile: Callable[[Any], Any] = inlined,
    **parts: Callable[..., Any] | int,
) -> Any:
    """Compile a function of one machine-code `signature`, for kernels to take as an argument.

    Unlike a kernel that closes over a function, one that takes such a pointer is compiled once for all of them and
    kept on disk.  The call costs nanoseconds: right for one call a query, not a document.

    Parameters
    ----------
    function : callable
        A function of a module.
    fast : bool
        Whether sums may be reordered, see `FAST`.
    compile : {inlined, plain}
        How functions among the `parts` are compiled.
    **parts : callables or int
        What takes the place of those names in `function`, see `kernel_with`.
    """
    put, cache = _put_in(function, compile, parts)
    return numba.cfunc(signature, cache=cache, error_model="numpy", fastmath=FAST if fast else EXACT)(put)


def kernel_with(template: Callable[..., Any], **parts: Callable[..., Any] | int) -> Callable[..., Any]:
    """Compile a module-level function in which `parts`, functions and constants, take the place of those names.

    Functions are inlined.  The machine code is kept on disk only if all are gbrank's own: a user's may change without
    a change of its file.
    """
    put, cache = _put_in(template, inlined, parts)
    return cast(Callable[..., Any], numba.njit(nogil=True, cache=cache, error_model="numpy", fastmath=FAST)(put))


def _put_in(
    template: Callable[..., Any], compile: Callable[[Any], Any], parts: Mapping[str, Callable[..., Any] | int]
) -> tuple[Callable[..., Any], bool]:
    """Return `template` with its parts under a name of its own, and whether its machine code may be kept."""
    if not parts:
        return template, True
    names = template.__globals__ | {name: compile(part) if callable(part) else part for name, part in parts.items()}
    label = f"{template.__name__}_{_digest(parts)}"
    function = types.FunctionType(template.__code__, names, label, template.__defaults__)
    function.__module__, function.__qualname__ = template.__module__, label
    return function, all(is_own(part) for part in parts.values() if callable(part))


def is_own(function: Callable[..., Any]) -> bool:
    """Tell whether a function is gbrank's, and no closure: then its file says all about it."""
    in_file = not function.__code__.co_filename.startswith("<")  # as that of an example in a docstring does
    return in_file and function.__module__.startswith(f"{__package__}.") and function.__closure__ is None


def _digest(parts: Mapping[str, Callable[..., Any] | int]) -> str:
    """Return a name for `parts`: numba's files know the template's file, but not what is put into it."""
    files = {Path(__file__)}
    seen = hashlib.sha256()
    for name, part in sorted(parts.items()):
        label = f"{part.__module__} {part.__qualname__}" if callable(part) else part
        seen.update(f"{name} {label}".encode())
        if callable(part) and is_own(part):
            files |= _files_of(part)
    seen.update(repr(sorted((str(file), file.stat().st_mtime_ns) for file in files)).encode())
    return seen.hexdigest()[:16]


def _files_of(function: Callable[..., Any]) -> set[Path]:
    """Return the files of a function and of the Python functions that it calls."""
    used = _names_used(function.__code__) & set(function.__globals__)
    called = [value for name in used if isinstance(value := function.__globals__[name], types.FunctionType)]
    return {Path(inspect.getfile(function))}.union(*(_files_of(each) for each in called))


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


def _widen(typing_context: Any, address: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.VectorType(ir.IntType(32), 8)
        value = builder.zext(builder.bitcast(args[1], ir.VectorType(ir.IntType(8), 8)), wide)
        builder.store(value, builder.inttoptr(args[0], wide.as_pointer()), align=4)
        return context.get_dummy_value()

    return numba.void(address, word), generate


# ``widen(address, word)`` writes the eight bytes of a uint64 as eight 32-bit numbers, as NumPy keeps characters.
widen = cast(Callable[[Any, Any], None], numba.extending.intrinsic(_widen))


def _bits(generate: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """Return the function, for kernels, from a uint64 to an int64 that is one machine instruction."""

    def count(typing_context: Any, word: Any) -> Any:
        return numba.int64(numba.uint64), lambda context, builder, signature, args: generate(builder, args[0])

    return cast(Callable[[Any], Any], numba.extending.intrinsic(count))


# For kernels: how many bits of a uint64 are 1, and how many are 0 below the lowest 1; 64 of 0.
count_ones = _bits(lambda builder, word: builder.ctpop(word))
trailing_zeros = _bits(lambda builder, word: builder.cttz(word, ir.Constant(ir.IntType(1), 0)))


def _reinterpret(source: Any, target: Any, kind: Any) -> Callable[[Any], Any]:
    """Return the function, for kernels, that takes the 64 bits of a number for those of another type."""

    def take(typing_context: Any, number: Any) -> Any:
        return target(source), lambda context, builder, signature, args: builder.bitcast(args[0], kind)

    return cast(Callable[[Any], Any], numba.extending.intrinsic(take))


# For kernels: the bits of a float64 as an int64, and back.
float_bits = _reinterpret(numba.float64, numba.int64, ir.IntType(64))
float_of_bits = _reinterpret(numba.int64, numba.float64, ir.DoubleType())


# For kernels: ``fixed_tuple(array, length)`` is the tuple of an array's first values; `length` is a constant.
fixed_tuple = cast(Callable[[Any, int], Any], numba.np.unsafe.ndarray.to_fixed_tuple)


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads that `n_jobs` asks for: all cores for None and -1, all but one for -2, ..."""
    if n_jobs is not None and n_jobs > 0:
        return n_jobs
    if n_jobs == 0:
        raise ParameterError("n_jobs=0: give a number of threads, or None for all cores.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if n_jobs is None else max(1, cores + 1 + n_jobs)


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
