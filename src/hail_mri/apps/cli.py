"""The command `hail-mri`: each verb is a short function that calls the library, in a module of its kind (`..._verbs`).

Exit status: 0 all done; 2 the request is wrong; 70 some of a batch failed; 130 interrupted. Nothing heavy is imported
before a verb runs, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from hail_mri import __version__
from hail_mri.apps.evaluation_verbs import evaluate, reproduce
from hail_mri.apps.model_verbs import export, info, train
from hail_mri.apps.report_verbs import features, report
from hail_mri.apps.scan_verbs import harmonize, preprocess, segment, simulate
from hail_mri.apps.style_verb import style
from hail_mri.apps.terminal import PROGRAM, one_line, say
from hail_mri.errors import HailError

EXIT_WRONG_REQUEST = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name=PROGRAM,
    help="Give a T1-weighted brain scan the look of another scan or site; its anatomy stays as it is.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None for those of the process. Without any, help is shown.
    """
    return run_app(app, sys.argv[1:] if argv is None else argv, PROGRAM)


def run_app(app: typer.Typer, argv: Sequence[str], program: str) -> int:
    """Run a command line and return its exit status; what is wrong is said in one line.

    Parameters
    ----------
    app : typer.Typer
    argv : sequence of str
        Arguments after the program's name. Without any, help is shown.
    program : str
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that is no UTF-8 is shown with a sign for what is none, and ends nothing.
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(args=list(argv) or ["--help"], prog_name=program, standalone_mode=False) or 0
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", program)
        say("error", f"{error.format_message().rstrip('.')}. See '{command} --help'.")
        return EXIT_WRONG_REQUEST
    except HailError as error:
        say("error", one_line(error))
        return EXIT_WRONG_REQUEST
    except MemoryError:
        say("error", "There is not enough memory, even to begin.")
        return EXIT_WRONG_REQUEST
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    if status == EXIT_INTERRUPTED:
        say("error", "Interrupted; results that were complete are kept.")
    return int(status)


def _show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Take what can be asked without a verb."""


for verb in (
    harmonize,
    style,
    segment,
    preprocess,
    evaluate,
    reproduce,
    report,
    features,
    simulate,
    train,
    export,
    info,
):
    app.command()(verb)
