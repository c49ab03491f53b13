"""Full-stage learning to rank: logs of systems of several stages, and training data made of them."""

from ._baselines import RankFlowRanker, StageProductRanker, stage_method
from ._cascade import Cascade, CascadeRun, Stage
from ._concat import concat_logs
from ._files import read_stage_log
from ._full_stage import FullStageRanker
from ._log import StageLog
from ._platform import Platform, PlatformSplit, RequestSizes
from ._principle import AssumptionCheck, check_assumption_2, gprp_scores
from ._relabel import relabel, stage_labels
from ._requests import add_candidates, sample_requests
from ._simulate import make_platform

__all__ = [
    "AssumptionCheck",
    "Cascade",
    "CascadeRun",
    "FullStageRanker",
    "Platform",
    "PlatformSplit",
    "RankFlowRanker",
    "RequestSizes",
    "Stage",
    "StageLog",
    "StageProductRanker",
    "add_candidates",
    "check_assumption_2",
    "concat_logs",
    "gprp_scores",
    "make_platform",
    "read_stage_log",
    "relabel",
    "sample_requests",
    "stage_labels",
    "stage_method",
]
