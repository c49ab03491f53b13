"""Batch jobs: a TOML file in, an output folder out.

`run` does a whole job; `read_job` checks one without running it; `make_ranker` turns the ``[ranker]`` table into a
ranker, with every problem reported at once.
"""

from ._data import naming_parts
from ._job import Job, read_job
from ._rankers import make_ranker, ranker_table, with_stopping
from ._result import JobResult
from ._run import follow, run
from ._toml import to_toml

__all__ = [
    "Job",
    "JobResult",
    "follow",
    "make_ranker",
    "naming_parts",
    "ranker_table",
    "read_job",
    "run",
    "to_toml",
    "with_stopping",
]
