"""The official BIDS validator, if it is installed: a program of its own, in Deno or in Node.

The newer one is called `bids-validator-deno` where pip installs it, and both are called `bids-validator` elsewhere;
they answer in JSON of two forms.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hail_mri.errors import InputError

PROGRAMS = ("bids-validator-deno", "bids-validator")
MOST_SHOWN = 5
INSTALL = "install hail-mri[bids-validator], or `npm install -g bids-validator`"


def find_validator() -> str | None:
    """Return the path of the validator: beside this Python, or where the shell finds it; None if there is none."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return next(filter(None, (shutil.which(program, path=places) for program in PROGRAMS)), None)


def errors_of(dataset_dir: Path, validator: str) -> list[tuple[str, str]]:
    """Return the errors that the validator finds in a data set: a code and a path for each.

    Raises
    ------
    InputError
        If the validator does not answer.
    """
    command = [validator, str(dataset_dir.resolve()), "--json", "--ignoreWarnings"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    try:
        issues = json.loads(done.stdout[done.stdout.index("{") :])["issues"]
    except (ValueError, KeyError, TypeError) as error:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        hint = "repair it, or leave it out with --skip-bids-validation"
        raise InputError(f"{validator} gave no answer (exit status {done.returncode}): {said}", hint) from error
    return list(_found(issues))


def require_valid(dataset_dir: Path, validator: str) -> None:
    """Refuse a data set in which the validator finds errors.

    Raises
    ------
    InputError
        With how many there are of each kind, and the first of them.
    """
    errors = errors_of(dataset_dir, validator)
    if not errors:
        return
    kinds = ", ".join(f"{n} {code}" for code, n in Counter(code for code, _ in errors).items())
    first = "; ".join(f"{code} {path}".strip() for code, path in errors[:MOST_SHOWN])
    raise InputError(
        f"{dataset_dir} is no valid BIDS data set: {kinds} ({first})",
        "repair it, or go on with --skip-bids-validation",
    )


def _found(issues: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield code and path of errors, in either form."""
    for error in issues.get("errors", ()):
        places = [(one.get("file") or {}).get("relativePath", "") for one in error["files"] if one]
        yield from ((error["key"], place) for place in places or [""])
    for issue in issues.get("issues", ()):
        if issue["severity"] == "error":
            yield issue["code"], issue.get("location", "")
