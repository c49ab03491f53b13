"""Start-up: what ``import gbrank`` costs beside ``import numpy``, and how long ``gbrank --help`` takes.

Whole processes, interleaved, files warm.
"""

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from timing import interleaved

TITLE = "Start-up"
REPEATS = 11


def rows() -> list[dict[str, Any]]:
    """Return the seconds of each process."""
    command = str(Path(sys.executable).with_name("gbrank"))
    processes = {
        "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
        "python -c 'import gbrank'": [sys.executable, "-c", "import gbrank"],
        "gbrank --help": [command, "--help"],
    }
    calls = {
        name: lambda args=args: subprocess.run(args, check=True, capture_output=True)
        for name, args in processes.items()
    }
    seconds = interleaved(calls, REPEATS)
    numpy = seconds["python -c 'import numpy'"]
    return [
        {
            "process": name,
            "median s": statistics.median(values),
            "least s": min(values),
            "more than numpy": statistics.median(a - b for a, b in zip(values, numpy, strict=True)),
        }
        for name, values in seconds.items()
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
