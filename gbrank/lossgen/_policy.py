"""The policy of the controller: a recurrent network that writes a graph choice by choice, with its gradient."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._checks import ParameterError
from ._policy_kernels import Array, Rules, Weights, add_product_of_columns, new_tape, run, run_back

Params = dict[str, Array]
ODDS = {"score": 0.5, "unused": 3.0, "used": 0.5}
"""Of an input to be one with the score, a certain node that nothing reads yet, and one that is read: to any leaf."""
BOUND = 0.1  # of the uniform distribution that parameters begin with
NOT_DRAWN = np.empty(0)


class Trace(NamedTuple):
    """A graph as the policy writes it."""

    choices: tuple[int, ...]
    log_probability: float
    entropy: float  # the sum of the entropies of the distributions chosen from, in nats


class Policy:
    r"""A distribution of graphs: an LSTM that chooses each node's operator, then points at its inputs.

    Every choice is drawn from a softmax over :math:`b + c\tanh(u)`.  The fixed b makes an untrained policy draw much
    as `Space.random` does: operators alike, each number of nodes alike, inputs by `ODDS`.  For operators :math:`u = W h
    + w`, h being the state of the LSTM; for inputs :math:`u_i = v^\top \tanh(K a_i + Q h)` over the leaves and the
    nodes before, whose anchors :math:`a_i` are learnt vectors (leaves) and the state after the node (nodes).  The two
    inputs of a binary operator are distinct.  What was chosen is the input of the next step.  After the first node the
    graph may end instead: a further choice beside the operators, whose number is that of operators.

    Parameters
    ----------
    n_leaves, n_nodes : int
    scores : collection of int
        The leaves that depend on the score.
    arities : sequence of int
        1 or 2 for each operator.
    width : int
        Of the state and of all vectors.
    tanh_constant : float
        c, the most that is learnt for or against a choice, so that none becomes impossible.
    rng : Generator
        Of the parameters at the start.

    References
    ----------
    Pham et al., Efficient Neural Architecture Search via Parameter Sharing, ICML 2018.
    Li et al., AutoLossGen, SIGIR 2022.
    """

    def __init__(
        self,
        n_leaves: int,
        scores: Collection[int],
        arities: Sequence[int],
        n_nodes: int,
        *,
        width: int,
        tanh_constant: float,
        rng: np.random.Generator,
    ) -> None:
        self.width = width
        n_steps, n_operators = n_nodes * (1 + max(arities)), len(arities)
        odds = np.ones(n_leaves)
        odds[list(scores)] += ODDS["score"] * n_leaves / max(len(scores), 1)
        ends = np.log(n_operators / np.arange(n_nodes, 0, -1))  # every number of nodes is as likely as any other
        ends[0] = -np.inf
        self.rules = Rules(np.array(arities, dtype=np.int64), ends, float(np.log(ODDS["used"])), float(tanh_constant))
        self.odds = np.log(np.append(odds / odds.sum(), np.full(n_nodes, ODDS["unused"])))
        self.tape, self.slopes = new_tape(n_steps, len(self.odds), max(len(self.odds), n_operators + 1), width)
        shapes = {
            "start": (width,),
            "operators": (n_operators, width),
            "leaves": (n_leaves, width),
            "lstm": (2 * width, 4 * width),
            "lstm_bias": (4 * width,),
            "out": (width, n_operators + 1),
            "out_bias": (n_operators + 1,),
            "key": (width, width),
            "query": (width, width),
            "v": (width,),
        }
        self.params: Params = {name: rng.uniform(-BOUND, BOUND, shape) for name, shape in shapes.items()}

    def sample(self, rng: np.random.Generator) -> Trace:
        """Return a graph drawn from the policy."""
        return self._trace(self._run(rng.random(len(self.tape.choice))))

    def replay(self, choices: Sequence[int]) -> Trace:
        """Return the trace of given choices under the present parameters.

        Raises
        ------
        ParameterError
            They are none that a policy makes.
        """
        return self._trace(self._run_again(choices))

    def _run(self, uniform: Array) -> int:
        weights, tape = Weights(**self.params), self.tape
        n_leaves = len(weights.leaves)
        tape.x[0], tape.anchors[:n_leaves], tape.odds[:] = weights.start, weights.leaves, self.odds
        np.matmul(weights.leaves, weights.key, out=tape.keys[:n_leaves])
        return int(run(weights, self.rules, tape, uniform))

    def _run_again(self, choices: Sequence[int]) -> int:
        known = self.tape.choice
        known.fill(-1)
        known[: len(choices)] = choices[: len(known)]
        n_steps = self._run(NOT_DRAWN)
        if n_steps != len(choices):
            raise ParameterError(f"choices={tuple(choices)}: this policy writes no such graph; give what it drew.")
        return n_steps

    def _trace(self, n_steps: int) -> Trace:
        choices, entropy = self.tape.choice[:n_steps], self.tape.entropy[:n_steps]
        p = self.tape.p[np.arange(n_steps), choices]
        return Trace(tuple(choices.tolist()), float(np.log(p).sum()), float(entropy.sum()))

    def add_gradient(self, total: Params, choices: Sequence[int], advantage: float, entropy_weight: float) -> None:
        """Add the gradient of ``advantage * log_probability + entropy_weight * entropy`` by the parameters to `total`.

        Raises
        ------
        ParameterError
            As for `replay`.
        """
        n_steps = self._run_again(choices)
        weights, grad, tape, slopes = Weights(**self.params), Weights(**total), self.tape, self.slopes
        for each in (slopes.state, slopes.cell, slopes.anchors, slopes.keys):
            each.fill(0.0)
        run_back(weights, self.rules, tape, n_steps, float(advantage), float(entropy_weight), slopes, grad)
        operator, h, gates = tape.n_inputs[:n_steps] == 0, tape.state[1 : n_steps + 1], slopes.gates[:n_steps]
        logits, n_leaves = slopes.logits[:n_steps, : len(grad.out_bias)][operator], len(grad.leaves)
        add_product_of_columns(tape.x[:n_steps], gates, grad.lstm[: self.width])
        add_product_of_columns(tape.state[:n_steps], gates, grad.lstm[self.width :])
        add_product_of_columns(h[operator], logits, grad.out)
        add_product_of_columns(h[~operator], slopes.asked[:n_steps][~operator], grad.query)
        add_product_of_columns(tape.anchors, slopes.keys, grad.key)
        total["lstm_bias"] += gates.sum(axis=0)
        total["out_bias"] += logits.sum(axis=0)
        total["leaves"] += slopes.anchors[:n_leaves] + slopes.keys[:n_leaves] @ weights.key.T


class Adam:
    """Adam's ascent of several arrays, in place.

    References
    ----------
    Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015.
    """

    def __init__(self, params: Params, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.learning_rate, self.betas, self.n_steps = learning_rate, betas, 0
        self.moments: tuple[Params, Params] = (_zeros(params), _zeros(params))

    def ascend(self, params: Params, gradient: Mapping[str, Array]) -> None:
        """Move the parameters along the gradient."""
        self.n_steps += 1
        first, second = self.moments
        one, two = (1.0 - beta**self.n_steps for beta in self.betas)
        for name, slope in gradient.items():
            first[name] += (1.0 - self.betas[0]) * (slope - first[name])
            second[name] += (1.0 - self.betas[1]) * (slope**2 - second[name])
            params[name] += self.learning_rate * (first[name] / one) / (np.sqrt(second[name] / two) + 1e-8)

    def state(self) -> dict[str, Any]:
        """Return the moments and the number of steps, copied."""
        first, second = ({name: value.copy() for name, value in each.items()} for each in self.moments)
        return {"n_steps": self.n_steps, "first": first, "second": second}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` returned."""
        self.n_steps = int(state["n_steps"])
        first, second = (
            {n: np.array(v, dtype=np.float64) for n, v in state[key].items()} for key in ("first", "second")
        )
        self.moments = first, second


def _zeros(params: Params) -> Params:
    return {name: np.zeros_like(value) for name, value in params.items()}
