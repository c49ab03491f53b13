"""Where real data sets are."""

import os
from pathlib import Path


def real_data() -> Path:
    """Return the folder that holds mq2008, letor40-baselines, ..., or exit with the reason."""
    folder = os.environ.get("GBRANK_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        raise SystemExit("set GBRANK_TEST_DATA to the folder that holds mq2008, letor40-baselines, ...")
    return Path(folder)
