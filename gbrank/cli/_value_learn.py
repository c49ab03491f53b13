"""``gbrank value learn``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._inputs import AsJson, Seed, Threads
from ._outputs import check_output
from ._talk import answer, answer_json, progress
from ._value import Document, ModelFile, Query, Scores, read_value_model


def value_learn(
    config: ModelFile,
    scores: Scores,
    reward: Annotated[str, typer.Option(help="Column of what each document brought to its session.")],
    model: Annotated[Path | None, typer.Option(help="JSON file to write the best value model to.")] = None,
    measure: Annotated[
        str | None,
        typer.Option(help="How rewards of a ranked list add up.", show_default="dcg@10(gain=linear)"),
    ] = None,
    trials: Annotated[int, typer.Option(help="How many weights are tried.", min=1)] = 100,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no trial begins.", min=0)] = None,
    query: Query = "query",
    document: Document = "document",
    seed: Seed = None,
    n_jobs: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Find the weights of a value model whose ranking brings the highest reward.

    The model's own weights are the first trial. Constraints of its "target" (bounds, fixed weights, the sum) are kept;
    a floor of NDCG is refused, and the rest of a target not used.

    For example:

        gbrank value learn config.json --scores sessions.csv --reward value --trials 200 --model learnt.json

    As the best of several, the reward is somewhat optimistic: judge the model by sessions that the search has not seen.
    """
    from ..fusion import learn_weights, read_task_scores

    if model is not None:
        check_output(model, "--model", [config, scores])
    start, constraints = read_value_model(config)
    data = read_task_scores(scores, query=query, document=document or None, tasks=start.tasks, reward=reward)
    with progress() as tell:
        found = learn_weights(
            start, data, measure=measure, constraints=constraints, n_trials=trials, timeout=timeout,
            random_state=seed or 0, progress=tell, n_jobs=n_jobs,
        )  # fmt: skip
    if model is not None:
        found.model.save(model)
    if as_json:
        answer_json({
            "model": found.model.to_dict(), "value": found.value, "start_value": found.start_value,
            "trials": len(found.table),
        })  # fmt: skip
        return
    width = max(map(len, found.model.tasks))
    weights = "\n".join(f"{task:<{width}}  {weight:.4f}" for task, weight in found.model.weights.items())
    answer(f"{weights}\n\nreward {found.value:.4f}, at the start {found.start_value:.4f} ({len(found.table)} trials)")
