"""The process that runs cases of bad input, so that an abort of a library does not end the one that asks.

It reads a line ``case backend engine`` from standard input, runs that case, and answers with one line of JSON: how it
ended.
"""

import json
import os
import sys
import time
import traceback
import warnings

from bad_input import CASES, Setting

from gbrank import GbrankError, GbrankWarning

# That the test of the cases sees what it is to see.
PROBES = {
    "probe-abort": lambda s: os.abort(),
    "probe-hang": lambda s: time.sleep(1000),
    "probe-fault": lambda s: 1 / 0,
    "probe-done": lambda s: None,
}


def answer(name: str, backend: str, engine: str) -> dict[str, str]:
    """Run a case and tell how it ended."""
    run = PROBES[name] if name in PROBES else CASES[name].run
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            run(Setting(backend, engine))
        except GbrankError as error:
            return {"outcome": "refused", "message": str(error)}
        except Exception:
            return {"outcome": "fault", "message": traceback.format_exc()}
    ours = [str(each.message) for each in told if issubclass(each.category, GbrankWarning)]
    return {"outcome": "warned" if ours else "done", "message": " ".join(ours)}


def serve() -> None:
    """Answer lines from standard input; what libraries print goes nowhere."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        print(json.dumps(answer(*line.split())), file=out, flush=True)


if __name__ == "__main__":
    serve()
