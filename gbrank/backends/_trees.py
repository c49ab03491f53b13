"""Leaves of one tree, found on dense features by a loop of our own.

The libraries copy every document, with all its features, to send it down a tree; here only the features that it meets
are read.  What the loop does not know, splits on categories and sparse features, stays with the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .._checks import IntArray
from .._compile import kernel, over_queries
from ..data import RankingData

NO_MISSING, ZERO_MISSING, NAN_MISSING = 0, 1, 2
LIGHTGBM_MISSING = {"None": NO_MISSING, "Zero": ZERO_MISSING, "NaN": NAN_MISSING}
ZERO = float(np.float32(1e-35))  # up to which LightGBM takes a number for 0


BLOCK = 64  # documents that go down the tree together: the processor need not wait for one to go on with another


class Tree(NamedTuple):
    """The nodes of a tree: a document goes to the first child where its feature is at most the threshold.

    `missing` tells what a feature that is missing looks like, and `missing_to` to which child it goes; NaN is 0 where
    it is not missing.  A leaf is its own child.
    """

    feature: IntArray
    threshold: npt.NDArray[np.float64]
    child: IntArray
    missing: IntArray
    missing_to: IntArray
    leaf: IntArray
    """The number of each leaf."""

    def depth(self) -> int:
        """Return the number of steps to the deepest leaf."""
        at, steps = np.zeros(1, np.int64), 0
        while len(at := np.unique(self.child[at][self.child[at] != at[:, None]])):
            steps += 1
        return steps


def lightgbm_tree(structure: Mapping[str, Any]) -> Tree | None:
    """Return the tree of LightGBM's dump, or None if it splits on categories."""
    nodes: list[tuple[Any, ...]] = []

    def add(node: Mapping[str, Any]) -> int:
        place = len(nodes)
        nodes.append((0, 0.0, (place, place), NO_MISSING, 0, node.get("leaf_index", 0)))
        if "split_feature" in node:
            children = add(node["left_child"]), add(node["right_child"])
            missing, missing_to = LIGHTGBM_MISSING[node["missing_type"]], int(not node["default_left"])
            nodes[place] = node["split_feature"], float(node["threshold"]), children, missing, missing_to, 0
        return place

    if splits_on_categories(structure):
        return None
    add(structure)
    return Tree(*(np.array(column) for column in zip(*nodes, strict=True)))


def splits_on_categories(node: Mapping[str, Any]) -> bool:
    """Tell whether any node of LightGBM's dump splits on categories."""
    if "split_feature" not in node:
        return False
    return node["decision_type"] != "<=" or any(
        splits_on_categories(node[f"{side}_child"]) for side in ("left", "right")
    )


def xgboost_tree(content: Mapping[str, Any]) -> Tree | None:
    """Return the tree of XGBoost's JSON, or None if it splits on categories; its leaves have their nodes' numbers."""
    if any(content["split_type"]):
        return None
    # Below a number in single precision is at most the next lower one.
    threshold = np.nextafter(np.array(content["split_conditions"], dtype=np.float32), np.float32(-np.inf))
    child = np.array([content["left_children"], content["right_children"]]).T.copy()
    own = np.arange(len(child))
    child[child[:, 0] < 0] = own[child[:, 0] < 0, None]
    missing, missing_to = np.full(len(own), NAN_MISSING), 1 - np.array(content["default_left"])
    return Tree(np.array(content["split_indices"]), threshold.astype(np.float64), child, missing, missing_to, own)


def tree_leaves(data: RankingData, trees: list[Tree | None], single: bool, n_threads: int) -> IntArray | None:
    """Return the leaf of each document in each tree, shape (n_documents, n_trees), or None if the library must tell.

    With `single`, features are read in single precision.
    """
    known = [tree for tree in trees if tree is not None]
    if sp.issparse(data.X) or len(known) < len(trees):
        return None
    leaf = np.empty((len(trees), data.n_documents), np.int64)
    for tree, out in zip(known, leaf, strict=True):
        used, feature = np.unique(tree.feature, return_inverse=True)
        walk = data.X, single, used, tree.depth(), feature, *tree[1:], out
        over_queries(find_leaves, data.query_ptr, *walk, n_jobs=n_threads)
    return leaf.T


@kernel
def find_leaves(
    first: int, last: int, query_ptr: Any, X: Any, single: bool, used: Any, depth: int, feature: Any, threshold: Any,
    child: Any, missing: Any, missing_to: Any, leaf: Any, out: Any,
) -> None:  # fmt: skip
    """Send the documents of some queries down a tree and write the numbers of their leaves."""
    node, x = np.empty(BLOCK, np.int64), np.empty((BLOCK, len(used)))
    for start in range(query_ptr[first], query_ptr[last], BLOCK):
        size = min(BLOCK, query_ptr[last] - start)
        for k in range(size):
            node[k] = 0
            for f in range(len(used)):  # in order, which memory is made for
                value = X[start + k, used[f]]
                x[k, f] = np.float64(np.float32(value)) if single else np.float64(value)
        for _ in range(depth):
            for k in range(size):
                at = node[k]
                value = x[k, feature[at]]
                if np.isnan(value) and missing[at] != NAN_MISSING:
                    value = 0.0
                to = int(not value <= threshold[at])
                if np.isnan(value) or (missing[at] == ZERO_MISSING and abs(value) <= ZERO):
                    to = missing_to[at]
                node[k] = child[at, to]
        for k in range(size):
            out[start + k] = leaf[node[k]]
