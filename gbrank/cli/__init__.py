"""The command ``gbrank``.

Each command has a file of its own, which imports the library only when the command runs, so that ``--help`` is quick.
Results go to standard output and all talk to standard error.  The exit code is 0 when the work is done, 1 when data or
parameters were refused or a file could not be read or written, 2 when the command line was wrong, 130 when interrupted,
and 141 when the reader of the results went away.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from .. import GbrankError, GbrankWarning, __version__
from .._optional import waiting_asleep
from ._clicks import clicks_fit, clicks_simulate
from ._clicks_evaluate import clicks_evaluate
from ._clicks_propensity import clicks_propensity
from ._compare import compare
from ._demo import demo
from ._diagnose import diagnose
from ._evaluate import evaluate
from ._explain_difference import explain_difference
from ._inspect import inspect_files
from ._losses import losses_search, losses_show
from ._losses_test import losses_test
from ._losses_tune import losses_tune
from ._measures import measures
from ._objectives import objectives
from ._predict import predict
from ._report import report
from ._run import run
from ._talk import STDOUT, flush, say, spoken
from ._train import train
from ._tune import tune
from ._value import value_tune
from ._value_learn import value_learn
from ._value_pareto import value_pareto

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "inspect": inspect_files,
    "diagnose": diagnose,
    "train": train,
    "tune": tune,
    "predict": predict,
    "evaluate": evaluate,
    "compare": compare,
    "explain-difference": explain_difference,
    "report": report,
    "run": run,
    "objectives": objectives,
    "measures": measures,
}
GROUPS: dict[str, tuple[str, dict[str, Callable[..., None]]]] = {
    "value": (
        "Tune value models: the weights of several tasks in one score.",
        {"tune": value_tune, "pareto": value_pareto, "learn": value_learn},
    ),
    "clicks": (
        "Simulate clicks, fit click models to logs, estimate propensities, and evaluate new rankings by them.",
        {
            "simulate": clicks_simulate,
            "fit": clicks_fit,
            "propensity": clicks_propensity,
            "evaluate": clicks_evaluate,
        },
    ),
    "losses": (
        "Search for losses, tune their constants, and test those that were found.",
        {"search": losses_search, "show": losses_show, "tune": losses_tune, "test": losses_test},
    ),
}
"""Commands of two words: the first, its help, and the second."""

HELP = """
Learning to rank with gradient-boosted trees.

    gbrank demo                                    see all of it work, in half a minute
    gbrank inspect train.txt                       what is in a LETOR file
    gbrank train train.txt --vali vali.txt --model m.gbrank
    gbrank evaluate test.txt --model m.gbrank      NDCG and others, query by query
    gbrank compare a.trec b.trec --qrels q.txt     differences, with tests and intervals
    gbrank run job.toml                            all of the above and a report, from one file

Data are LETOR (SVMLight) text, one document a line: label, query, features.

    2 qid:1 1:0.5 2:3 46:0.01 # docid = GX001

Results go to standard output, all talk to standard error. Exit code: 0 done, 1 data or parameters refused, or a file
not to be read or written, 2 wrong command line, 130 interrupted, 141 the reader of the results went away.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.
    """
    try:
        _app()(args=None if argv is None else list(argv), prog_name="gbrank")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _app() -> typer.Typer:
    app = typer.Typer(
        help=_verbatim(HELP),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(_top)
    _add(app, COMMANDS)
    for name, (told, commands) in GROUPS.items():
        group = typer.Typer(help=told, no_args_is_help=True, rich_markup_mode=None)
        _add(group, commands)
        app.add_typer(group, name=name)
    return app


def _add(app: typer.Typer, commands: dict[str, Callable[..., None]]) -> None:
    for name, function in commands.items():
        app.command(name, help=_verbatim(inspect.getdoc(function) or ""))(_guarded(function))


def _top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=lambda on: _version(on)),
    ] = False,
) -> None: ...


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gbrank {__version__}")
        raise typer.Exit


def _verbatim(text: str) -> str:
    """Return help in which indented paragraphs keep their lines: typer's mark for that is a backspace."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(f"\b\n{each}" if each.startswith("    ") else each for each in paragraphs)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with its ends in order: a refusal is a message and code 1, a fault keeps its traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        with warnings.catch_warnings(), waiting_asleep():
            warnings.simplefilter("always", GbrankWarning)
            _show_briefly()
            try:
                command(*args, **kwargs)
                flush()
            except GbrankError as error:
                _refuse(spoken(str(error), of_job=command is run))
            except BrokenPipeError:
                _stop_writing()
                raise typer.Exit(141) from None  # as a shell tells of SIGPIPE
            except OSError as error:
                if error.strerror is None:
                    raise
                if error.filename == STDOUT:
                    _stop_writing()
                _refuse(f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}.")
            except KeyboardInterrupt:
                say("gbrank: interrupted")
                raise typer.Exit(130) from None

    return guarded


def _refuse(message: str) -> None:
    for line in message.splitlines():
        say(f"gbrank: error: {line}")
    raise typer.Exit(1) from None


def _show_briefly() -> None:
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, GbrankWarning):
            say(f"gbrank: warning: {message}")
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show


def _stop_writing() -> None:
    # The reader is gone (as after `| head`) or the disk full; what Python would still flush at its end must go nowhere.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
