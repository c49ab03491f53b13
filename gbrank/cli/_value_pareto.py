"""``gbrank value pareto``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._inputs import AsJson, Threads
from ._outputs import FORMATS, check_figure, check_output, write_figure
from ._talk import answer, answer_json
from ._value import Document, ModelFile, Query, Scores, read_value_model


def value_pareto(
    config: ModelFile,
    first: Annotated[str, typer.Argument(metavar="TASK", help="The first of two tasks of the model.")],
    second: Annotated[str, typer.Argument(metavar="TASK", help="The second.")],
    scores: Scores,
    points: Annotated[int, typer.Option(help="How many mixtures of the two weights.", min=2)] = 41,
    k: Annotated[int, typer.Option(help="Cutoff of NDCG; 0 for whole lists.", min=0)] = 10,
    gain: Annotated[str, typer.Option(help="What a document is worth: value or above_lowest.")] = "value",
    plot: Annotated[Path | None, typer.Option(help=f"Figure to write: {', '.join(FORMATS)}.")] = None,
    query: Query = "query",
    document: Document = "document",
    n_jobs: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Tell what two tasks get from the ranking as weight moves from the one to the other.

    What a task gets is NDCG with its own predictions as gain; the other tasks keep their weights. Mixtures that no
    other beats in both tasks are marked as efficient.

    For example:

        gbrank value pareto tuned.json click dwell --scores scores.csv --plot front.svg
    """
    from ..fusion import pareto_front, read_task_scores
    from ..reports import pareto

    if plot is not None:
        check_output(plot, "--plot", [config, scores])
        check_figure(plot, "--plot")
    model, _ = read_value_model(config)
    data = read_task_scores(scores, query=query, document=document or None, tasks=model.tasks)
    front = pareto_front(model, data, first, second, k=k or None, gain=gain, n_points=points, n_jobs=n_jobs)
    if plot is not None:
        write_figure(pareto(front), plot)
    if as_json:
        rows = front.table.to_dict("records")
        answer_json({"tasks": list(front.tasks), "measure": front.measure, "current": front.current, "front": rows})
    else:
        here = ", ".join(f"{name} {value:.4f}" for name, value in front.current.items())
        answer(f"{front.measure} of {first} (a) and {second} (b)\n\n{front.table.round(4).to_string(index=False)}\n")
        answer(f"the model as it is: {here}")
