"""The policy's network as kernels: one whole program forward, and the way back through its steps.

They work on tuples of arrays that the policy keeps.  W is the width of the network, O the number of operators, M the
most steps that a program takes, A the number of leaves and nodes, and N the most that one choice is made from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._compile import fast_kernel
from .._scalar_math import expit

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


class Weights(NamedTuple):
    """What is learnt, or the gradient by it."""

    start: Array  # (W,)
    operators: Array  # (O, W)
    leaves: Array  # (n_leaves, W)
    lstm: Array  # (2 W, 4 W), of a step's input, and of the state
    lstm_bias: Array  # (4 W,)
    out: Array  # (W, O + 1)
    out_bias: Array  # (O + 1,)
    key: Array  # (W, W)
    query: Array  # (W, W)
    v: Array  # (W,)


class Rules(NamedTuple):
    """What is fixed; odds are logarithms, to add to logits."""

    arities: Whole  # (O,)
    end_odds: Array  # (n_nodes,), of the end, against any one operator
    used_odds: float  # of a node that is read
    tanh_constant: float


class Tape(NamedTuple):
    """A run, step by step: row t is of step t.  A run finds rows 0 of x, state and cell, and what is of leaves."""

    choice: Whole  # (M,)
    n_inputs: Whole  # (M,), how many inputs were chosen from; 0 where an operator was chosen
    x: Array  # (M + 1, W), the input of the LSTM
    state: Array  # (M + 1, W), before the step; cell, too
    cell: Array  # (M + 1, W)
    gates: Array  # (M, 4 W): input, forget, output, cell
    squashed_cell: Array  # (M, W), tanh of the cell after
    anchors: Array  # (A, W)
    keys: Array  # (A, W), anchors times `key`
    odds: Array  # (A,), of inputs
    asked: Array  # (M, W), of pointers: state times `query`
    hidden: Array  # (M, A, W), of pointers
    squashed: Array  # (M, N), tanh of the logits
    p: Array  # (M, N)
    entropy: Array  # (M,)


class Slopes(NamedTuple):
    """Gradients by what is of a run.  The way back finds zeros, but for gates, asked and logits."""

    state: Array  # (W,), at the step
    cell: Array  # (W,), at the step
    gates: Array  # (M, 4 W), before their squashing
    anchors: Array  # (A, W), those of leaves through keys left out
    keys: Array  # (A, W)
    asked: Array  # (M, W)
    logits: Array  # (M, N), before their tanh


def new_tape(n_steps: int, n_anchors: int, n_choices: int, width: int) -> tuple[Tape, Slopes]:
    """Return arrays for so many steps, anchors, and things to choose from."""
    tape = Tape(
        choice=np.zeros(n_steps, dtype=np.int64),
        n_inputs=np.zeros(n_steps, dtype=np.int64),
        x=np.zeros((n_steps + 1, width)),
        state=np.zeros((n_steps + 1, width)),
        cell=np.zeros((n_steps + 1, width)),
        gates=np.zeros((n_steps, 4 * width)),
        squashed_cell=np.zeros((n_steps, width)),
        anchors=np.zeros((n_anchors, width)),
        keys=np.zeros((n_anchors, width)),
        odds=np.zeros(n_anchors),
        asked=np.zeros((n_steps, width)),
        hidden=np.zeros((n_steps, n_anchors, width)),
        squashed=np.zeros((n_steps, n_choices)),
        p=np.zeros((n_steps, n_choices)),
        entropy=np.zeros(n_steps),
    )
    slopes = Slopes(
        state=np.zeros(width),
        cell=np.zeros(width),
        gates=np.zeros((n_steps, 4 * width)),
        anchors=np.zeros((n_anchors, width)),
        keys=np.zeros((n_anchors, width)),
        asked=np.zeros((n_steps, width)),
        logits=np.zeros((n_steps, n_choices)),
    )
    return tape, slopes


@fast_kernel
def run(weights: Any, rules: Any, tape: Any, uniform: Any) -> int:
    """Write a program down; return its number of steps, or -1 where the tape has a choice that is impossible.

    Choices are drawn by the numbers of `uniform`, or are those of the tape where it is empty.
    """
    end, n_nodes = len(weights.operators), len(rules.end_odds)
    n_inputs, lacking, taken = len(tape.anchors) - n_nodes, 0, -1  # inputs that there are, and that the node lacks
    n_leaves, node = n_inputs, 0
    for t in range(len(tape.choice)):
        h, u, p = tape.state[t + 1], tape.squashed[t], tape.p[t]
        lstm(
            tape.x[t], tape.state[t], tape.cell[t], weights.lstm, weights.lstm_bias, tape.gates[t], tape.cell[t + 1],
            tape.squashed_cell[t], h,
        )  # fmt: skip
        n = n_inputs if lacking > 0 else end + 1
        if lacking > 0:
            point(h, tape.keys[:n], weights.query, weights.v, tape.asked[t], tape.hidden[t], u)
            for k in range(n):
                p[k] = tape.odds[k] if k != taken else -np.inf  # the inputs of a node are distinct
        else:
            for k in range(n):
                u[k], p[k] = weights.out_bias[k], 0.0
            add_product(h, weights.out, u)
            p[end] = rules.end_odds[node]
        tape.entropy[t] = softmax(rules.tanh_constant, u[:n], p[:n])
        choice = drawn(p[:n], uniform[t]) if len(uniform) > 0 else tape.choice[t]
        tape.choice[t], tape.n_inputs[t] = choice, n if lacking > 0 else 0
        if choice < 0 or choice >= n or p[choice] == 0.0:
            return -1
        if lacking == 0:
            if choice == end:
                return t + 1
            x, lacking, taken = weights.operators[choice], rules.arities[choice], -1
        else:
            x, lacking, taken = tape.anchors[choice], lacking - 1, choice
            if choice >= n_leaves:
                tape.odds[choice] = rules.used_odds
            if lacking == 0:  # the node is complete, and is pointed at from now on
                for k in range(len(h)):
                    tape.anchors[n_inputs, k], tape.keys[n_inputs, k] = h[k], 0.0
                add_product(h, weights.key, tape.keys[n_inputs])
                n_inputs, node = n_inputs + 1, node + 1
                if node == n_nodes:
                    return t + 1
        for k in range(len(x)):
            tape.x[t + 1, k] = x[k]
    return -1


@fast_kernel
def lstm(
    x: Any, h: Any, c: Any, weights: Any, bias: Any, gates: Any, next_c: Any, squashed: Any, next_h: Any
) -> None:  # fmt: skip
    """Write the gates of an LSTM, its next cell, the tanh of that, and its next state."""
    width = len(c)
    for k in range(4 * width):
        gates[k] = bias[k]
    add_product(x, weights[:width], gates)
    add_product(h, weights[width:], gates)
    for k in range(3 * width, 4 * width):
        gates[k] *= 2.0
    for k in range(4 * width):
        gates[k] = expit(gates[k])
    for k in range(3 * width, 4 * width):
        gates[k] = 2.0 * gates[k] - 1.0  # that is tanh
    for k in range(width):
        next_c[k] = gates[width + k] * c[k] + gates[k] * gates[3 * width + k]
        squashed[k] = tanh(next_c[k])
        next_h[k] = gates[2 * width + k] * squashed[k]


@fast_kernel
def tanh(x: float) -> float:
    value: float = 2.0 * expit(2.0 * x) - 1.0
    return value


@fast_kernel
def point(h: Any, keys: Any, query: Any, v: Any, asked: Any, hidden: Any, u: Any) -> None:
    """Write ``asked = h @ query``, ``hidden = tanh(keys + asked)`` and ``u = hidden @ v``."""
    for k in range(len(v)):
        asked[k] = 0.0
    add_product(h, query, asked)
    for i in range(len(keys)):
        total = 0.0
        for k in range(len(v)):
            hidden[i, k] = tanh(keys[i, k] + asked[k])
            total += hidden[i, k] * v[k]
        u[i] = total


@fast_kernel
def softmax(tanh_constant: float, u: Any, p: Any) -> float:
    """Squash u, and turn odds into the probabilities of ``p + tanh_constant * u``; return their entropy."""
    highest, total, entropy = -np.inf, 0.0, 0.0
    for k in range(len(p)):
        u[k] = np.tanh(u[k])
        p[k] += tanh_constant * u[k]
        highest = max(highest, p[k])
    for k in range(len(p)):
        p[k] = np.exp(p[k] - highest)
        total += p[k]
    for k in range(len(p)):
        p[k] /= total
        if p[k] > 0.0:
            entropy -= p[k] * np.log(p[k])
    return entropy


@fast_kernel
def drawn(p: Any, uniform: float) -> int:
    """Return what is drawn; it is possible even where rounding leaves the sum below 1."""
    below, last = 0.0, 0
    for k in range(len(p)):
        below += p[k]
        last = k if p[k] > 0.0 else last
        if uniform < below:
            break
    return last


@fast_kernel
def run_back(
    weights: Any, rules: Any, tape: Any, n_steps: int, advantage: float, entropy_weight: float, slopes: Any, grad: Any
) -> None:  # fmt: skip
    """Write the slopes of ``advantage * log_probability + entropy_weight * entropy`` of the last run.

    What goes into start, operators and v is added to `grad`; the rest of it are products of matrices.
    """
    dh, dc, width, n_options = slopes.state, slopes.cell, len(weights.v), len(weights.out_bias)
    for t in range(n_steps - 1, -1, -1):
        n = tape.n_inputs[t]
        if n > 0 and (t + 1 == n_steps or tape.n_inputs[t + 1] == 0):  # the node was complete: its anchor is the state
            add_product_of_rows(weights.key, slopes.keys[n], slopes.anchors[n])
            for k in range(width):
                dh[k] += slopes.anchors[n, k]
        du = slopes.logits[t, : n if n > 0 else n_options]
        softmax_back(
            rules.tanh_constant, tape.squashed[t], tape.p[t], tape.choice[t], tape.entropy[t], advantage,
            entropy_weight, du,
        )  # fmt: skip
        if n > 0:
            point_back(tape.hidden[t], du, weights.v, slopes.keys, slopes.asked[t], grad.v)
            add_product_of_rows(weights.query, slopes.asked[t], dh)
        else:
            add_product_of_rows(weights.out, du, dh)
        lstm_back(dh, dc, tape.cell[t], tape.gates[t], tape.squashed_cell[t], slopes.gates[t])
        for k in range(width):
            dh[k] = 0.0
        add_product_of_rows(weights.lstm[width:], slopes.gates[t], dh)
        dx = grad.start
        if t > 0:
            came = tape.choice[t - 1]
            dx = grad.operators[came] if tape.n_inputs[t - 1] == 0 else slopes.anchors[came]
        add_product_of_rows(weights.lstm[:width], slopes.gates[t], dx)


@fast_kernel
def softmax_back(
    tanh_constant: float, squashed: Any, p: Any, choice: int, entropy: float, advantage: float, entropy_weight: float,
    du: Any,
) -> None:  # fmt: skip
    """Go back through `softmax`, from the choice's logarithm and the entropy to u."""
    for k in range(len(du)):
        slope = advantage * ((1.0 if k == choice else 0.0) - p[k])
        if p[k] > 0.0:
            slope -= entropy_weight * p[k] * (np.log(p[k]) + entropy)
        du[k] = slope * tanh_constant * (1.0 - squashed[k] * squashed[k])


@fast_kernel
def point_back(hidden: Any, du: Any, v: Any, to_keys: Any, to_asked: Any, to_v: Any) -> None:
    """Go back through `point`: add the slopes by keys and v, and write those by `asked`."""
    for k in range(len(v)):
        to_asked[k] = 0.0
    for i in range(len(du)):
        for k in range(len(v)):
            to_v[k] += du[i] * hidden[i, k]
            inner = du[i] * v[k] * (1.0 - hidden[i, k] * hidden[i, k])
            to_keys[i, k] += inner
            to_asked[k] += inner


@fast_kernel
def lstm_back(dh: Any, dc: Any, c: Any, gates: Any, squashed: Any, to_gates: Any) -> None:
    """Go back through `lstm`: write the slopes by gates before their squashing, and turn those by cell to c."""
    width = len(c)
    for k in range(width):
        i, f, o, g = gates[k], gates[width + k], gates[2 * width + k], gates[3 * width + k]
        by_cell = dc[k] + dh[k] * o * (1.0 - squashed[k] * squashed[k])
        to_gates[k] = by_cell * g * i * (1.0 - i)
        to_gates[width + k] = by_cell * c[k] * f * (1.0 - f)
        to_gates[2 * width + k] = dh[k] * squashed[k] * o * (1.0 - o)
        to_gates[3 * width + k] = by_cell * i * (1.0 - g * g)
        dc[k] = by_cell * f


@fast_kernel
def add_product(x: Any, matrix: Any, out: Any) -> None:
    """Add ``x @ matrix``, four rows at a time, as that reads and writes `out` four times less often."""
    whole = len(x) - len(x) % 4
    for j in range(0, whole, 4):
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        for k in range(len(out)):
            out[k] += (x0 * matrix[j, k] + x1 * matrix[j + 1, k]) + (x2 * matrix[j + 2, k] + x3 * matrix[j + 3, k])
    for j in range(whole, len(x)):
        for k in range(len(out)):
            out[k] += x[j] * matrix[j, k]


@fast_kernel
def add_product_of_rows(matrix: Any, y: Any, out: Any) -> None:
    """Add ``matrix @ y``, four rows at a time."""
    whole = len(out) - len(out) % 4
    for j in range(0, whole, 4):
        y0, y1, y2, y3 = 0.0, 0.0, 0.0, 0.0
        for k in range(len(y)):
            y0 += matrix[j, k] * y[k]
            y1 += matrix[j + 1, k] * y[k]
            y2 += matrix[j + 2, k] * y[k]
            y3 += matrix[j + 3, k] * y[k]
        out[j] += y0
        out[j + 1] += y1
        out[j + 2] += y2
        out[j + 3] += y3
    for j in range(whole, len(out)):
        for k in range(len(y)):
            out[j] += matrix[j, k] * y[k]


@fast_kernel
def add_product_of_columns(a: Any, b: Any, out: Any) -> None:
    """Add ``a.T @ b``."""
    for i in range(len(out)):
        add_product(a[:, i], b, out[i])
