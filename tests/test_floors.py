"""The house: imports go down only, heavy libraries stay in their rooms, and the front door is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gbrank

PACKAGE = Path(gbrank.__file__).parent

FLOORS = {
    **dict.fromkeys(
        ("_version", "_groups", "_compile", "_scalar_math", "_checks", "_files", "_registry", "_optional", "_progress"),
        0,
    ),
    **dict.fromkeys(("data", "metrics"), 1),
    **dict.fromkeys(("splits", "preprocessing", "objectives", "evaluation"), 2),
    **dict.fromkeys(("backends", "testing"), 3),
    "rankers": 4,
    **dict.fromkeys(("tuning", "explain", "clicks"), 5),
    "stages": 6,
    "fusion": 6,
    "lossgen": 6,
    "reports": 7,
    "jobs": 8,
    "cli": 9,
    "__main__": 10,
}
# Who alone may import what is heavy or has a sharp edge.
ONLY = {
    "numba": {"_compile"},
    "lightgbm": {"backends"},
    "xgboost": {"backends"},
    "catboost": {"backends"},
    "optuna": {"tuning", "fusion", "lossgen"},
    "matplotlib": {"reports"},
    "jinja2": {"reports"},
    "typer": {"cli"},
    "rich": {"cli"},
    "scipy.stats": {"evaluation"},
}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield path, parts


def imports(path, parts):
    """Yield each imported module as a tuple of names; those of gbrank start with "gbrank"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ("gbrank", *parts)[: len(parts) + 1 - node.level] if node.level else ()
            base = (*package, *(node.module.split(".") if node.module else ()))
            yield from ((*base, alias.name) for alias in node.names)


def test_every_room_has_a_floor():
    assert {parts[0] for _, parts in modules()} <= set(FLOORS)


@pytest.mark.parametrize(
    ("path", "parts"), list(modules()), ids=lambda each: "/".join(each) if isinstance(each, tuple) else ""
)
def test_imports_go_down(path, parts):
    room = parts[0]
    for target in imports(path, parts):
        if target[0] == "gbrank":
            other = target[1] if len(target) > 1 else ""
            if other == room:
                continue
            if other not in FLOORS:  # a name of the package itself: the jobs' and command line's way in
                assert FLOORS[room] >= 8, f"{'/'.join(parts)} imports gbrank.{other} through the front door"
            elif FLOORS[room] == 0:
                assert FLOORS[other] == 0
            else:
                assert FLOORS[other] < FLOORS[room], f"{'/'.join(parts)} imports {'.'.join(target)}"
        for heavy, rooms in ONLY.items():
            if target[: heavy.count(".") + 1] == tuple(heavy.split(".")):
                assert room in rooms, f"{'/'.join(parts)} imports {heavy}"


def loaded_by(code):
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sorted(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_import_loads_nothing_heavy():
    heavy = {
        "numba",
        "pandas",
        "sklearn",
        "scipy",
        "lightgbm",
        "xgboost",
        "optuna",
        "matplotlib",
        "jinja2",
        "typer",
        "rich",
    }
    assert not heavy & loaded_by("import gbrank")


def test_a_search_of_losses_does_not_load_optuna():
    search = "gbrank.LossSearch(ranker=ranker, cv=2, n_trained=1, starts=['exp(-d)'], n_jobs=1).fit(data)"
    code = (
        "import gbrank, gbrank.lossgen\n"
        "data = gbrank.make_letor(20, n_features=3, max_documents=8, random_state=0)\n"
        f"ranker = gbrank.GBRanker(n_estimators=1, max_leaves=3, min_docs_in_leaf=1, n_jobs=1)\n{search}"
    )
    assert "optuna" not in loaded_by(code)


def test_every_public_name_is_there_and_documented():
    for name in gbrank.__all__:
        assert getattr(gbrank, name).__doc__ or name == "__version__", name
    assert set(gbrank.__all__) <= set(dir(gbrank)) | {
        "DataError",
        "GbrankError",
        "GbrankWarning",
        "ParameterError",
        "__version__",
    }
    with pytest.raises(AttributeError, match="no attribute 'lambdamart'"):
        _ = gbrank.lambdamart
