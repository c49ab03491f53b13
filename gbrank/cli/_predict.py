"""``gbrank predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._inputs import Scattered, Threads, ZeroBased, read_files, read_model
from ._outputs import check_output
from ._talk import answer, say


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that gbrank saved.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="LETOR file of documents to score.")],
    output: Annotated[Path | None, typer.Option(help="File to write to.", show_default="standard output")] = None,
    n_jobs: Threads = None,
    zero_based: ZeroBased = False,
    scattered: Scattered = "refuse",
) -> None:
    """Score the documents of a LETOR file.

    There is one score a line, in the order of the file's lines; a higher score ranks first. Scores are written with
    every digit, so that reading them gives the same numbers.

    For example:

        gbrank predict m.gbrank test.txt > scores.txt
        gbrank predict m.gbrank test.txt --output scores.txt

    The file is LETOR text, of which labels are not used but must be there; its features are those of the model.
    """
    from .._files import atomic_write

    if output is not None:
        check_output(output, "--output", [model, file])
    ranker = read_model(model, n_jobs=n_jobs)
    data = read_files([file], n_features=ranker.n_features_in_, zero_based=zero_based, scattered=scattered, of=model)[0]
    text = "\n".join(map(repr, scores_by_line(ranker, data).tolist()))
    if output is None:
        answer(text)
        return
    with atomic_write(output) as out:
        out.write(text + "\n")
    say(f"{output}: {data.n_documents} scores")


def scores_by_line(ranker: Any, data: Any) -> Any:
    """Return the score of each document in the order of the file's lines, which regrouping has changed."""
    import numpy as np

    scores = np.empty(data.n_documents)
    scores[data.order] = ranker.predict(data)
    return scores
