"""``gbrank inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._inputs import AsJson, NFeatures, Scattered, ZeroBased, tell_beside
from ._talk import answer, answer_json, say, spoken

if TYPE_CHECKING:
    from ..data import Description


def inspect_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="LETOR files.")],
    n_features: NFeatures = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
    as_json: AsJson = False,
) -> None:
    """Tell what LETOR files hold.

    That is queries, documents, features, labels, and what deserves a second look. A file that cannot be used is refused
    with file, line and remedy; the others are told nevertheless.

    For example:

        gbrank inspect train.txt vali.txt test.txt

    A file has one document a line: its label, its query, and its features as index:value. A comment may hold the
    document's id:

        2 qid:1 1:0.5 2:3 46:0.01 # docid = GX001
    """
    from .. import DataError, GbrankError
    from ..data import describe, read_letor

    found: dict[str, Description] = {}
    errors = []
    for path in files:
        try:
            data = read_letor(path, n_features=n_features, zero_based=zero_based, scattered=scattered)
            tell_beside(path)
            found[str(path)] = describe(data)
        except GbrankError as error:
            errors.append(spoken(str(error)))
    if as_json:
        answer_json({"files": {path: facts.to_dict() for path, facts in found.items()}, "errors": errors})
    else:
        answer("\n\n".join(f"{path}\n{facts}" for path, facts in found.items()))
        _compare(found)
    if errors:
        raise DataError("\n".join(errors))


def _compare(found: dict[str, Any]) -> None:
    widths = {path: facts.features for path, facts in found.items()}
    if len(set(widths.values())) > 1:
        told = ", ".join(f"{path} {width}" for path, width in widths.items())
        say(f"The files differ in features ({told}); read them with --n-features {max(widths.values())}.")
