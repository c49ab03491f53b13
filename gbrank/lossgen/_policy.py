"""The policy of the controller: a recurrent network that writes a graph choice by choice, with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Params = dict[str, Array]
Choose = Callable[[Array], int]
ODDS = {"score": 0.5, "unused": 3.0, "used": 0.5}
"""Of an input to be one with the score, a certain node that nothing reads yet, and one that is read: to any leaf."""
BOUND = 0.1  # of the uniform distribution that parameters begin with


class Step(NamedTuple):
    """One choice: what went in, what the network made of it, and what was chosen."""

    x: Array
    cell: tuple[Array, ...]
    h: Array
    anchors: Array | None  # what a pointer chose from; None where an operator was chosen
    hidden: Array | None
    squashed: Array
    p: Array
    choice: int
    source: tuple[str, int]  # where x came from: "start", "operators", or "anchors" by number


class Trace(NamedTuple):
    """A graph as a sequence of choices."""

    steps: list[Step]
    ends: list[int]  # the step at which each node was complete

    @property
    def choices(self) -> tuple[int, ...]:
        """What was chosen, step by step."""
        return tuple(step.choice for step in self.steps)

    @property
    def log_probability(self) -> float:
        """The logarithm of the probability of all choices."""
        return float(sum(np.log(step.p[step.choice]) for step in self.steps))

    @property
    def entropy(self) -> float:
        """The sum of the entropies of the distributions chosen from, in nats."""
        return float(sum(_entropy(step.p) for step in self.steps))


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
        self.n_leaves, self.arities, self.n_nodes = n_leaves, tuple(arities), n_nodes
        self.odds = np.ones(n_leaves)
        self.odds[list(scores)] += ODDS["score"] * n_leaves / max(len(scores), 1)
        self.odds /= self.odds.sum()
        self.width, self.tanh_constant = width, tanh_constant
        shapes = {
            "start": (width,),
            "operators": (len(self.arities), width),
            "leaves": (n_leaves, width),
            "lstm": (2 * width, 4 * width),
            "lstm_bias": (4 * width,),
            "out": (width, len(self.arities) + 1),
            "out_bias": (len(self.arities) + 1,),
            "key": (width, width),
            "query": (width, width),
            "v": (width,),
        }
        self.params: Params = {name: rng.uniform(-BOUND, BOUND, shape) for name, shape in shapes.items()}

    def sample(self, rng: np.random.Generator) -> Trace:
        """Return a graph drawn from the policy."""
        return self._run(lambda p: int(np.searchsorted(np.cumsum(p)[:-1], rng.random(), side="right")))

    def replay(self, choices: Sequence[int]) -> Trace:
        """Return the trace of given choices under the present parameters."""
        rest = iter(choices)
        return self._run(lambda p: next(rest))

    def _run(self, choose: Choose) -> Trace:
        steps: list[Step] = []
        ends: list[int] = []
        anchors = self.params["leaves"]
        x, source = self.params["start"], ("start", 0)
        state = np.zeros(self.width), np.zeros(self.width)
        end = len(self.arities)
        used: set[int] = set()
        for node in range(self.n_nodes):
            step, state = self._step(x, source, state, None, self._odds_of_operators(node), choose)
            steps.append(step)
            if step.choice == end:
                break
            x, source = self.params["operators"][step.choice], ("operators", step.choice)
            taken: int | None = None
            for _ in range(self.arities[step.choice]):
                step, state = self._step(x, source, state, anchors, self._odds_of_inputs(node, used, taken), choose)
                steps.append(step)
                taken = step.choice
                used.add(taken)
                x, source = anchors[taken], ("anchors", taken)
            anchors = np.vstack((anchors, state[0]))
            ends.append(len(steps) - 1)
        return Trace(steps, ends)

    def _step(
        self,
        x: Array,
        source: tuple[str, int],
        state: tuple[Array, Array],
        anchors: Array | None,
        odds: Array,
        choose: Choose,
    ) -> tuple[Step, tuple[Array, Array]]:
        p = self.params
        h, c, cell = lstm(x, *state, p["lstm"], p["lstm_bias"])
        hidden = None
        if anchors is None:
            squashed = np.tanh(h @ p["out"] + p["out_bias"])
        else:
            hidden = np.tanh(anchors @ p["key"] + h @ p["query"])
            squashed = np.tanh(hidden @ p["v"])
        probability = _softmax(odds + self.tanh_constant * squashed)
        step = Step(x, cell, h, anchors, hidden, squashed, probability, choose(probability), source)
        return step, (h, c)

    def _odds_of_operators(self, node: int) -> Array:
        """Return logarithms: operators are alike, and every number of nodes is as likely as any other."""
        odds = np.zeros(len(self.arities) + 1)
        odds[-1] = np.log(len(self.arities) / (self.n_nodes - node)) if node else -np.inf
        return odds

    def _odds_of_inputs(self, node: int, used: Collection[int], taken: int | None) -> Array:
        """Return logarithms, by `ODDS`; what is taken is impossible."""
        nodes = [ODDS["used" if self.n_leaves + each in used else "unused"] for each in range(node)]
        odds = np.concatenate((self.odds, nodes))
        if taken is not None:
            odds[taken] = 0.0
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(odds)
        return logarithms

    def gradient(self, trace: Trace, advantage: float, entropy_weight: float) -> Params:
        """Return the gradient of ``advantage * log_probability + entropy_weight * entropy`` by the parameters."""
        p, grad = self.params, {name: np.zeros_like(value) for name, value in self.params.items()}
        to_anchors = np.zeros((self.n_leaves + self.n_nodes, self.width))
        node_of = {step: node for node, step in enumerate(trace.ends)}
        to_gates = np.empty((len(trace.steps), 4 * self.width))
        dh, dc = np.zeros(self.width), np.zeros(self.width)
        for number in range(len(trace.steps) - 1, -1, -1):
            step = trace.steps[number]
            if number in node_of:
                dh = dh + to_anchors[self.n_leaves + node_of[number]]
            du = self._to_logits(step, advantage, entropy_weight)
            dh = dh + (self._of_operator(step, du, grad) if step.anchors is None else 0.0)
            if step.anchors is not None:
                dh = dh + self._of_pointer(step, du, grad, to_anchors)
            dx, dh, dc, to_gates[number] = lstm_backward(dh, dc, step.cell, p["lstm"])
            name, place = step.source
            into = to_anchors[place] if name == "anchors" else grad[name] if name == "start" else grad[name][place]
            into += dx
        grad["leaves"] += to_anchors[: self.n_leaves]
        grad["lstm"] += np.array([step.cell[0] for step in trace.steps]).T @ to_gates
        grad["lstm_bias"] += to_gates.sum(axis=0)
        return grad

    def _to_logits(self, step: Step, advantage: float, entropy_weight: float) -> Array:
        chosen = np.zeros(len(step.p))
        chosen[step.choice] = 1.0
        by_entropy = -step.p * (np.log(np.where(step.p > 0, step.p, 1.0)) + _entropy(step.p))
        slope: Array = advantage * (chosen - step.p) + entropy_weight * by_entropy
        return slope * self.tanh_constant * (1.0 - step.squashed**2)

    def _of_operator(self, step: Step, du: Array, grad: Params) -> Array:
        grad["out"] += np.outer(step.h, du)
        grad["out_bias"] += du
        dh: Array = self.params["out"] @ du
        return dh

    def _of_pointer(self, step: Step, du: Array, grad: Params, to_anchors: Array) -> Array:
        assert step.hidden is not None
        assert step.anchors is not None
        grad["v"] += du @ step.hidden
        inner = np.outer(du, self.params["v"]) * (1.0 - step.hidden**2)
        total = inner.sum(axis=0)
        grad["key"] += step.anchors.T @ inner
        grad["query"] += np.outer(step.h, total)
        to_anchors[: len(inner)] += inner @ self.params["key"].T
        dh: Array = self.params["query"] @ total
        return dh


def lstm(x: Array, h: Array, c: Array, weights: Array, bias: Array) -> tuple[Array, Array, tuple[Array, ...]]:
    """Return the next state and cell of an LSTM, and what its gradient needs; gates are input, forget, output, cell."""
    joined = np.concatenate((x, h))
    gates = joined @ weights + bias
    width = len(h)
    i, f, o = (1.0 / (1.0 + np.exp(-gates[: 3 * width]))).reshape(3, width)
    g = np.tanh(gates[3 * width :])
    following = f * c + i * g
    squashed = np.tanh(following)
    return o * squashed, following, (joined, c, i, f, o, g, squashed)


def lstm_backward(dh: Array, dc: Array, cell: tuple[Array, ...], weights: Array) -> tuple[Array, Array, Array, Array]:
    """Return the gradients by input, state before, cell before, and gates; these are those by the bias, too."""
    _, c, i, f, o, g, squashed = cell
    dc = dc + dh * o * (1.0 - squashed**2)
    by_gates = np.concatenate(
        (dc * g * i * (1.0 - i), dc * c * f * (1.0 - f), dh * squashed * o * (1.0 - o), dc * i * (1.0 - g**2))
    )
    by_joined = weights @ by_gates
    width = len(c)
    return by_joined[:-width], by_joined[-width:], dc * f, by_gates


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


def _softmax(logits: Array) -> Array:
    weights = np.exp(logits - logits.max())
    p: Array = weights / weights.sum()
    return p


def _entropy(p: Array) -> float:
    return float(-(p * np.log(np.where(p > 0, p, 1.0))).sum())
