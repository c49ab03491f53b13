"""Value models: the final score as a combination of task predictions, with weights that mean something."""

from ._constraints import Constraints
from ._diversity import at_most, dpp, mmr
from ._files import read_task_scores, read_task_segments
from ._pareto import ParetoFront, pareto_front
from ._reward import RewardResult, learn_weights
from ._segments import SegmentedValueModel, target_weights_by_segment
from ._target import TargetResult, shares, target_weights
from ._transforms import TRANSFORMS, Transform
from ._value_model import ValueModel

__all__ = [
    "TRANSFORMS",
    "Constraints",
    "ParetoFront",
    "RewardResult",
    "SegmentedValueModel",
    "TargetResult",
    "Transform",
    "ValueModel",
    "at_most",
    "dpp",
    "learn_weights",
    "mmr",
    "pareto_front",
    "read_task_scores",
    "read_task_segments",
    "shares",
    "target_weights",
    "target_weights_by_segment",
]
