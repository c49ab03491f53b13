"""The compiled engine of expressions: one machine program that runs the program of any expression.

Pairs, or documents, are taken in blocks, and each instruction runs over a whole block: what it costs to look an
instruction up is then shared by all of them, and its loop becomes vector instructions.  An expression needs no
compiling of its own.

A register holds a block of values, one of first and one of second derivatives, one after the other in one array: of
offsets into the same array, the compiler can tell that two registers do not overlap.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..._compile import inlined, kernel_with, list_pointer
from .._frames.lists import LEAST_BUFFER, norm_factor
from .._frames.pair_lists import PAIR_SIGNATURE
from .._frames.points import LEAST_CURVATURE
from .derivatives import (
    abs_rule,
    add_rule,
    exp_rule,
    inverse_rule,
    log_rule,
    max_rule,
    min_rule,
    multiply_rule,
    negate_rule,
    sigmoid_rule,
    softplus_rule,
    square_rule,
    tanh_rule,
    usable,
)
from .nodes import LEAVES
from .programs import HEADER, OPCODES

BLOCK = 128  # numbers at a time; a few registers then stay in the fastest cache
SECOND, REGISTER = 2 * BLOCK, 3 * BLOCK  # where second derivatives begin, and the next register
N_PAIR_LEAVES, N_POINT_LEAVES = len(LEAVES["pair"]), len(LEAVES["point"])
ADD, MULTIPLY, MAX, MIN = OPCODES["add"], OPCODES["multiply"], OPCODES["max"], OPCODES["min"]
NEGATE, SQUARE, LOG, INVERSE = OPCODES["negate"], OPCODES["square"], OPCODES["log"], OPCODES["inverse"]
EXP, SOFTPLUS, SIGMOID, TANH, ABS = (OPCODES[name] for name in ("exp", "softplus", "sigmoid", "tanh", "abs"))


def run(x: Any, code: Any, start: Any, count: Any, n: Any) -> None:
    """Run `count` instructions, which begin at `start` of the program, on the first `n` numbers of each register."""
    # Unsigned: an index that cannot be negative needs no check, and only so these become vector instructions.
    first, second, wide = np.uint64(BLOCK), np.uint64(SECOND), np.uint64(REGISTER)
    for step in range(count):
        at = start + 4 * step
        op = int(code[at])
        o, a, b = np.uint64(code[at + 1]) * wide, np.uint64(code[at + 2]) * wide, np.uint64(code[at + 3]) * wide
        o1, o2, a1, a2, b1, b2 = o + first, o + second, a + first, a + second, b + first, b + second
        if op == ADD:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = add_rule(
                    x[a + k], x[a1 + k], x[a2 + k], x[b + k], x[b1 + k], x[b2 + k]
                )
        elif op == MULTIPLY:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = multiply_rule(
                    x[a + k], x[a1 + k], x[a2 + k], x[b + k], x[b1 + k], x[b2 + k]
                )
        elif op == MAX:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = max_rule(
                    x[a + k], x[a1 + k], x[a2 + k], x[b + k], x[b1 + k], x[b2 + k]
                )
        elif op == MIN:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = min_rule(
                    x[a + k], x[a1 + k], x[a2 + k], x[b + k], x[b1 + k], x[b2 + k]
                )
        elif op == NEGATE:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = negate_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == SQUARE:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = square_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == LOG:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = log_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == INVERSE:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = inverse_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == EXP:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = exp_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == SOFTPLUS:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = softplus_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == SIGMOID:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = sigmoid_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == TANH:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = tanh_rule(x[a + k], x[a1 + k], x[a2 + k])
        elif op == ABS:
            for k in range(n):
                x[o + k], x[o1 + k], x[o2 + k] = abs_rule(x[a + k], x[a1 + k], x[a2 + k])


def registers_of(code: Any, at: int, leaves: int, variable: int) -> Any:
    """Return the registers of the program at `at`, with the constants and the slopes of the leaves in them."""
    x = np.zeros(int(code[at]) * REGISTER)
    mine = int(code[at + HEADER + variable]) * REGISTER
    for k in range(BLOCK):
        x[mine + BLOCK + k] = 1.0
    for which in range(int(code[at + 2])):
        place = at + HEADER + leaves + 2 * which
        to = int(code[place]) * REGISTER
        for k in range(BLOCK):
            x[to + k] = code[place + 1]
    return x


OF_LEAF = (0, 1, 2, 0, 1, 1, 3, 3)
"""Which number of a document, of label, gain, discount and rank, each leaf of a pair but IDCG is made of."""


def fill(x: Any, of_i: Any, of_j: Any, sign: Any, which: Any) -> None:
    """Write a leaf of the pairs of a document and others, better than these if `sign` is 1."""
    if which in (0, 1, 3):  # d, dG, dY
        for k in range(np.uint64(len(x))):
            x[k] = sign * (of_i - of_j[k])
    elif which == 2:  # dD
        for k in range(np.uint64(len(x))):
            x[k] = abs(of_i - of_j[k])
    elif (which in (4, 6)) == (sign > 0.0):  # of the better document, or of the other
        for k in range(np.uint64(len(x))):
            x[k] = of_i
    else:
        for k in range(np.uint64(len(x))):
            x[k] = of_j[k]


PAIR_HEADER = 4
"""Numbers before the program of a pair: truncation, score_norm, query_norm, and whether labels are made of gains."""


def _put_in(*args: Any) -> Any:  # what the templates below call is put in when they are compiled
    raise NotImplementedError


_run = _registers_of = _usable = _fill = _put_in


def _pairs_of_list(
    s: Any, gain: Any, w: Any, place: Any, discount: Any, ideal: float, cut: int, params: Any, g: Any, h: Any, up: Any,
    down: Any, cost_up: Any, cost_down: Any,
) -> None:  # fmt: skip
    """Add up the lambdas of a list's pairs; its documents stand as `pair_lists` says.

    A block of pairs is made of runs: a document i against `length` others from j on, better than them if `sign` is 1.
    """
    n, at = len(s), PAIR_HEADER
    x = _registers_of(params, at, N_PAIR_LEAVES, 0)
    result, count = int(params[at + 1]) * REGISTER, int(params[at + 3])
    leaf = at + HEADER
    start = leaf + N_PAIR_LEAVES + 2 * int(params[at + 2])
    numbers = np.empty((4, n + LEAST_BUFFER))  # label, gain, discount and rank of each document
    lowest, highest, total = s[0], s[0], 0.0
    for k in range(n):
        lowest, highest = min(s[k], lowest), max(s[k], highest)
        numbers[0, k] = np.floor(np.log2(gain[k] + 1.0) + 0.5) if params[3] > 0.0 else gain[k]
        numbers[1, k], numbers[2, k], numbers[3, k] = gain[k], discount[int(place[k])], place[k] + 1.0
    base, slope = (0.01, 1.0) if params[1] > 0.0 and highest > lowest else (1.0, 0.0)
    run_i, run_j, length = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    run_sign = np.empty(BLOCK)
    i, j, end, sign = -1, 0, 0, -1.0
    group, low, high = 0, n, n  # where the label of document i ends above the level, begins and ends below it
    while True:
        filled, runs = 0, 0
        while filled < BLOCK:
            while j >= end and i < cut:
                if sign > 0.0:
                    j, end, sign = high, n, -1.0
                    continue
                i += 1
                if i == group and i < cut:
                    while group < cut and gain[group] == gain[i]:
                        group += 1
                    while low > cut and gain[low - 1] > gain[i]:
                        low -= 1
                    high = low
                    while low > cut and gain[low - 1] == gain[i]:
                        low -= 1
                j, end, sign = group, low, 1.0
            if i >= cut:
                break
            take = min(end - j, BLOCK - filled)
            run_i[runs], run_j[runs], length[runs], run_sign[runs] = i, j, take, sign
            filled, j, runs = filled + take, j + take, runs + 1
        if filled == 0:
            break
        for which in range(N_PAIR_LEAVES):
            if params[leaf + which] >= 0.0:
                to = int(params[leaf + which]) * REGISTER
                if which == 8:
                    for k in range(filled):
                        x[to + k] = ideal
                    continue
                of = s if which == 0 else numbers[OF_LEAF[which]]
                for r in range(runs):
                    _fill(x[to : to + length[r]], of[run_i[r]], of[run_j[r] :], run_sign[r], which)
                    to += length[r]
        _run(x, params, start, count, np.uint64(filled + (-filled) % 8))
        from_first = result + BLOCK
        for r in range(runs):
            first, others, sign_r, many = run_i[r], run_j[r], run_sign[r], length[r]
            s_i, w_i, g_i, h_i = s[first], w[first], 0.0, 0.0
            x1, x2 = x[from_first : from_first + many], x[from_first + BLOCK : from_first + BLOCK + many]
            s_j, w_j, g_j, h_j = s[others:], w[others:], g[others:], h[others:]
            for k in range(np.uint64(many)):
                d1, d2 = _usable(x1[k], x2[k])
                worth = w_i * w_j[k] / (base + slope * abs(s_i - s_j[k]))
                lam, bend = sign_r * worth * d1, worth * d2
                g_j[k] -= lam
                h_j[k] += bend
                g_i += lam
                h_i += bend
                total += 2.0 * abs(lam)
            g[first] += g_i
            h[first] += h_i
            from_first += many
    if params[2] > 0.0:
        factor = norm_factor(total)
        for k in range(n):
            g[k] *= factor
            h[k] *= factor


def _run_all(x: Any, code: Any, start: Any, count: Any, n: Any) -> None:
    _run(x, code, start, count, n)


@functools.cache
def compile_run() -> Any:
    """Return the compiled `run`, which loops over pairs and over documents share."""
    return kernel_with(_run_all, _run=run)


def _run_apart(function: Any) -> Any:
    return compile_run() if function is run else inlined(function)


@functools.cache
def compile_pairs() -> Any:
    """Return the pointer to the loop over the pairs of a list, for any expression."""
    parts: dict[str, Any] = {"_run": run, "_registers_of": registers_of, "_usable": usable, "_fill": fill}
    return list_pointer(_pairs_of_list, PAIR_SIGNATURE, fast=True, compile=_run_apart, **parts)


def _each_document(first: int, last: int, query_ptr: Any, y: Any, score: Any, params: Any, g: Any, h: Any) -> None:
    code = params[0]
    x = _registers_of(code, 0, N_POINT_LEAVES, 0)
    result, count = int(code[1]) * REGISTER, int(code[3])
    of_score, of_label = int(code[HEADER]) * REGISTER, int(code[HEADER + 1]) * REGISTER
    start = HEADER + N_POINT_LEAVES + 2 * int(code[2])
    row, end = query_ptr[first], query_ptr[last]
    while row < end:
        filled = min(end - row, BLOCK)
        for k in range(filled):
            x[of_score + k] = score[row + k]
        if of_label >= 0:
            for k in range(filled):
                x[of_label + k] = y[row + k]
        _run(x, code, start, count, np.uint64(filled + (-filled) % 8))
        for k in range(filled):
            d1, d2 = _usable(x[result + BLOCK + k], x[result + SECOND + k])
            g[row + k], h[row + k] = d1, max(d2, LEAST_CURVATURE)
        row += filled


@functools.cache
def compile_points() -> Any:
    """Return the compiled pass over documents, for any expression."""
    return kernel_with(_each_document, _run=run, _registers_of=registers_of, _usable=usable)
