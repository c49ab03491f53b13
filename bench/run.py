"""Run every benchmark and write RESULTS.rst beside this file.

    python bench/run.py [name ...]

Each module ``bench_NAME.py`` has a `TITLE` and ``rows()``, which asserts that both sides compute the same before it
times anything.  With names, only those run, and the other sections stay as they are.
"""

import importlib
import os
import platform
import re
import sys
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from gbrank._files import atomic_write

HERE = Path(__file__).parent
NAMES = (
    "reader",
    "runs",
    "measures",
    "training",
    "search",
    "predict",
    "objectives",
    "start",
    "letor_tables",
    "mq2008",
    "compare",
    "significance",
    "full_stage",
    "value",
    "stages",
    "clicks",
    "unbiased",
    "debias",
    "propensities",
    "found_losses",
    "expressions",
    "lossgen",
)
PACKAGES = (
    "gbrank",
    "numpy",
    "numba",
    "lightgbm",
    "xgboost",
    "catboost",
    "scikit-learn",
    "ranx",
    "pytrec_eval-terrier",
)
HEAD = """Results
=======

Written by ``python bench/run.py``; every section asserts first that both sides compute the same.  Times are medians of
interleaved runs on a machine that other work shares, so ratios count, not seconds.
"""


def section(name: str) -> str:
    """Run a benchmark and return its section."""
    module = importlib.import_module(f"bench_{name}")
    rows = module.rows()
    title = getattr(module, "TITLE", (module.__doc__ or name).split("\n")[0].rstrip("."))
    about = "\n".join((module.__doc__ or "").strip().split("\n")).strip()
    return f".. {name}\n\n{title}\n{'-' * len(title)}\n\n{about}\n\nRun with {environment()}.\n\n{table(rows)}\n"


def environment() -> str:
    """Return machine and versions."""
    installed = {each.metadata["Name"] for each in distributions()}
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES if package in installed)
    return f"Python {platform.python_version()}, {os.cpu_count()} cores ({processor()}), {versions}"


def processor() -> str:
    """Return the processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    found = re.search(r"model name\s*:\s*(.*)", text)
    return found.group(1) if found else platform.machine()


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as a list-table; keys of any row are columns."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in [columns, *([text(row.get(column)) for column in columns] for row in rows)]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}".rstrip() for i, cell in enumerate(cells)]
    return "\n".join(lines)


def text(value: Any) -> str:
    """Return a cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}" if 0.001 <= abs(value) < 10 else f"{value:.4g}"
    return str(value)


def old_sections(path: Path) -> dict[str, str]:
    """Return the sections that stand in the file."""
    if not path.exists():
        return {}
    parts = re.split(r"^\.\. (\w+)\n\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: f".. {name}\n\n{body.rstrip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def main(names: list[str]) -> None:
    """Write the results."""
    path = HERE / "RESULTS.rst"
    sections = old_sections(path)
    for name in names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        sections[name] = section(name)
        with atomic_write(path) as file:
            file.write("\n".join([HEAD, *(sections[each] for each in NAMES if each in sections)]))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main(sys.argv[1:])
