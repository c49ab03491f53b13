"""The searcher "controller": a recurrent network that learns by reinforcement which losses are worth trying."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._checks import ParameterError, check_positive, check_whole
from ._graph import NONE, Graph, Node, Space
from ._policy import Adam, Params, Policy
from ._searchers import REJECTED, SEARCHERS, Searcher

WORST = -1.0
"""Worth of a program that was rejected before anything was measured."""


@SEARCHERS.add("controller")
class Controller(Searcher):
    r"""Draws programs from a `Policy` that is trained by REINFORCE (Williams, 1992).

    Before the first draw after each `batch_size` programs, those included that do not read the score and are never
    proposed, the parameters ascend

    .. math:: \frac{1}{m} \sum_g (R_g - b)\, \nabla \log p(g) + \eta\, \nabla H(g)
              + \frac{\lambda}{k} \sum_{e \in E} \nabla \log p(e)

    by Adam, b being the moving mean of the worths R and H the entropy of the choices.  E are the best k programs so
    far, which are imitated with the weight :math:`\lambda` (priority queue training: Abolafia et al., 2018); 0 leaves
    REINFORCE alone.  The worth of an accepted program is the share of the last accepted rewards that are below its
    own, ties half, so that the scale of the measure is of no account.  A duplicate, and what was measured and found
    clearly worse, is worth 0, and what was rejected unmeasured -1.

    Parameters
    ----------
    space : Space
    width : int
        Of the network's state.
    tanh_constant : float
        Bound of the logits.
    learning_rate : float
        Adam's.
    entropy_weight : float
        :math:`\eta`.
    baseline_decay : float
        What remains of b at each graph; from 0 to below 1.
    batch_size : int
        m.
    imitation : float
        :math:`\lambda`.
    n_best : int
        k.
    memory : int
        Accepted rewards that a reward is ranked among.
    """

    def __init__(
        self,
        space: Space,
        *,
        width: int = 64,
        tanh_constant: float = 2.5,
        learning_rate: float = 0.02,
        entropy_weight: float = 0.03,
        baseline_decay: float = 0.95,
        batch_size: int = 20,
        imitation: float = 0.3,
        n_best: int = 10,
        memory: int = 200,
    ) -> None:
        for name, value in (("width", width), ("batch_size", batch_size), ("n_best", n_best), ("memory", memory)):
            check_whole(name, value)
        check_positive("tanh_constant", tanh_constant)
        check_positive("learning_rate", learning_rate)
        check_positive("entropy_weight", entropy_weight, zero=True)
        check_positive("imitation", imitation, zero=True)
        if not 0 <= baseline_decay < 1:
            raise ParameterError(f"baseline_decay={baseline_decay!r}: must be at least 0 and below 1, such as 0.95.")
        super().__init__(space)
        self.width, self.tanh_constant, self.learning_rate = width, tanh_constant, learning_rate
        self.entropy_weight, self.baseline_decay, self.imitation = entropy_weight, baseline_decay, imitation
        self.batch_size, self.n_best, self.memory = batch_size, n_best, memory
        self.policy: Policy | None = None
        self.baseline: float | None = None
        self.rewards: list[float] = []
        self.best: list[tuple[float, Graph]] = []
        self.pending: list[tuple[Graph, float]] = []

    def ask(self, rng: np.random.Generator) -> Graph:
        if self.policy is None:
            self._begin(rng)
        assert self.policy is not None
        while True:
            if len(self.pending) >= self.batch_size:
                self._learn(self.policy)
            graph = to_graph(self.space, self.policy.sample(rng).choices)
            if graph.used().intersection(self.space.scores):
                return graph.pruned()
            self.pending.append((graph, WORST))

    def tell(self, graph: Graph, reward: float, reason: str | None) -> None:
        if reason is not None:
            self.pending.append((graph, 0.0 if reward > REJECTED else WORST))
            return
        self.rewards = [*self.rewards, reward][-self.memory :]
        others = np.asarray(self.rewards)
        self.pending.append((graph, float(np.mean(others < reward) + np.mean(others <= reward)) / 2.0))
        self.best = sorted([*self.best, (reward, graph)], key=lambda each: -each[0])[: self.n_best]

    def _begin(self, rng: np.random.Generator) -> None:
        self.policy = Policy(
            self.space.n_inputs,
            self.space.scores,
            self.space.arities,
            self.space.n_nodes,
            width=self.width,
            tanh_constant=self.tanh_constant,
            rng=rng,
        )
        self.adam = Adam(self.policy.params, self.learning_rate)

    def _learn(self, policy: Policy) -> None:
        total: Params = {name: np.zeros_like(value) for name, value in policy.params.items()}
        for graph, worth in self.pending:
            usual = worth if self.baseline is None else self.baseline
            self.baseline = self.baseline_decay * usual + (1.0 - self.baseline_decay) * worth
            add_gradient(total, policy, graph, worth - usual, self.entropy_weight, 1.0 / len(self.pending))
        for _, graph in self.best if self.imitation else ():
            add_gradient(total, policy, graph, self.imitation, 0.0, 1.0 / len(self.best))
        self.adam.ascend(policy.params, total)
        self.pending = []


def add_gradient(
    total: Params, policy: Policy, graph: Graph, advantage: float, entropy_weight: float, share: float
) -> None:
    """Add a share of a program's gradient; nothing where the policy cannot write it."""
    choices = to_choices(graph)
    if choices is not None:
        policy.add_gradient(total, choices, share * advantage, share * entropy_weight)


def to_graph(space: Space, choices: Sequence[int]) -> Graph:
    """Return the graph that a policy's choices write."""
    nodes: list[Node] = []
    rest = iter(choices)
    for operator in rest:
        if operator == len(space.operators):
            break
        first = next(rest)
        nodes.append(Node(operator, first, next(rest) if space.arities[operator] == 2 else NONE))
    return space.graph(nodes)


def to_choices(graph: Graph) -> tuple[int, ...] | None:
    """Return the choices that write a graph's nodes, or None where a policy never does: two inputs that are equal."""
    choices: list[int] = []
    for place, node in enumerate(graph.nodes):
        inputs = graph.inputs(place)
        if len(set(inputs)) < len(inputs):
            return None
        choices += [node.operator, *inputs]
    if len(graph.nodes) < graph.space.n_nodes:
        choices.append(len(graph.space.operators))
    return tuple(choices)
