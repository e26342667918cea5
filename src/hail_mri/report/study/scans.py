"""The scans of a study: each line of the table of results, with what the sidecar of its result tells."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hail_mri.errors import HailError
from hail_mri.harmonize.check import Check
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES, sidecar_path
from hail_mri.provenance.tables import NO_VALUE
from hail_mri.report.report_state import report_state, scan_report_path
from hail_mri.report.study.places import file_inside, scan_file
from hail_mri.report.study.result_rows import ResultRow

VERDICTS = ("ok", "check", "fail")  # from best to worst
DONE = ("done", "done already")  # statuses of what has a result
N_HASH = 12  # digits of a hash that are enough to tell weights apart
LARGEST_SIDECAR_BYTES = 1 << 24
_ENTITY = re.compile(r"(?:^|_)(sub|ses)-([A-Za-z0-9]+)(?=_|\.|$)")


@dataclass(frozen=True)
class StudyScan:
    """One scan of a study.

    Attributes
    ----------
    line : int
        Of the table, counted as an editor counts lines; it tells scans apart.
    name : str
        Of the source's file, for people.
    source, result : Path or None
        Files that may be read; None where there is none, `problems` says why.
    subject, session, site, target : str
        Empty where nothing is known.
    status, seconds : str
        As in the table; empty where nothing is.
    message : str
        As in the table, without the folder of the source, with which it may begin: names are told apart by less.
    verdict : str
        ok, check or fail, the worst of all checks; empty where none was made.
    checks : tuple of (str, Check)
        What was checked (Source, Target, Result), and what was found.
    report : str
        Path of the scan's own report, relative to the table's folder; empty if there is none.
    made_with : str
        Version, model and weights that made the result; empty where that is not known.
    skull_stripped : bool or None
        Whether the source has next to nothing but a brain; None where that is not known.
    problems : tuple of str
        What could not be read.
    """

    line: int
    name: str
    source: Path | None
    result: Path | None
    subject: str = ""
    session: str = ""
    site: str = ""
    target: str = ""
    status: str = ""
    verdict: str = ""
    message: str = ""
    seconds: str = ""
    checks: tuple[tuple[str, Check], ...] = ()
    report: str = ""
    made_with: str = ""
    skull_stripped: bool | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the table says that there is a result."""
        return self.status in DONE

    @property
    def not_ok(self) -> list[tuple[str, Check]]:
        """Checks that are not ok."""
        return [(of, check) for of, check in self.checks if check.verdict != "ok"]


def study_scan(row: ResultRow, folder: Path, sites: Mapping[str, str] | None = None) -> StudyScan:
    """Return the scan of a line.

    Parameters
    ----------
    row : ResultRow
    folder : Path
        The table's own.
    sites : mapping of str to str, optional
        Sites by subject (without `sub-`), for lines that name none.

    Notes
    -----
    Without a column, subject and session are those of a BIDS name (`sub-01_ses-02_T1w.nii.gz`).
    """
    problems = [row.problem] if row.problem else []
    source = _or_problem(problems, "source", lambda: scan_file(folder, row.get("source")))
    result: Path | None = None
    sidecar: dict[str, Any] = {}
    if row.get("status") in DONE:
        output = row.get("output")
        result = _or_problem(problems, "result", lambda: file_inside(folder, output, suffixes=NIFTI_SUFFIXES))
    if result is not None:
        sidecar = _or_problem(problems, "sidecar", lambda: _read_sidecar(result, folder)) or {}
    report = row.get("report")
    if report and _or_problem(problems, "report", lambda: file_inside(folder, report, suffixes=(".html",))) is None:
        report = ""
    if not report and result is not None:
        report = _report_beside(result, folder)
    entities = dict(_ENTITY.findall(Path(row.get("source")).name))
    subject = row.get("subject").removeprefix("sub-") or entities.get("sub", "")
    checks = read_checks(sidecar.get("Checks"))
    return StudyScan(
        line=row.line,
        name=Path(row.get("source")).name or f"line {row.line}",
        source=source,
        result=result,
        subject=subject,
        session=row.get("session").removeprefix("ses-") or entities.get("ses", ""),
        site=row.get("site") or (sites or {}).get(subject, ""),
        target=row.get("target") or _text(sidecar.get("Target")),
        status=row.get("status"),
        verdict=row.get("verdict") if row.get("verdict") in VERDICTS else worst(check for _, check in checks),
        message=without_folder(row.get("message"), folder / row.get("source")),
        seconds=row.get("seconds"),
        checks=checks,
        report=report,
        made_with=_made_with(row, sidecar),
        skull_stripped=_flag(sidecar.get("SkullStripped")),
        problems=tuple(problems),
    )


def without_folder(message: str, source: Path) -> str:
    """Return a message without the folder of a file, if it begins with that; the reason is to be seen at once.

    Examples
    --------
    >>> without_folder("../data/sub-01/a.nii is empty", Path("/study/data/sub-01/a.nii"))
    'a.nii is empty'
    >>> without_folder("no target is given for /study/a.nii", Path("/study/a.nii"))
    'no target is given for /study/a.nii'
    """
    start, name, rest = message.partition(f"/{source.name}")
    parts = [part for part in start.split("/") if part not in ("", ".", "..")]
    begins_with_it = Path(os.path.abspath(source)).parts[-1 - len(parts) : -1] == tuple(parts)  # noqa: PTH100
    return f"{source.name}{rest}" if name and parts and begins_with_it else message


def worst(checks: Sequence[Check] | Any) -> str:
    """Return the worst verdict of checks; empty without any."""
    return max((check.verdict for check in checks), key=VERDICTS.index, default="")


def read_checks(told: object) -> tuple[tuple[str, Check], ...]:
    """Return the checks that a sidecar tells of, in its order; what is not as we write it is left out.

    Examples
    --------
    >>> read_checks({"Result": [{"name": "edges", "verdict": "ok", "found": "0.9", "expected": "1", "hint": ""}, 3]})
    (('Result', Check(name='edges', verdict='ok', found='0.9', expected='1', hint='')),)
    >>> read_checks(None)
    ()
    """
    if not isinstance(told, dict):
        return ()
    found = [(str(of), entry) for of, entries in told.items() if isinstance(entries, list) for entry in entries]
    return tuple((of, check) for of, entry in found if (check := _check(entry)) is not None)


def _check(entry: object) -> Check | None:
    """Return one check, if it is one."""
    if not isinstance(entry, dict) or entry.get("verdict") not in VERDICTS:
        return None
    texts = (str(entry.get(name, NO_VALUE)) for name in ("found", "expected", "hint"))
    return Check(str(entry.get("name", NO_VALUE)), entry["verdict"], *texts)


def _report_beside(result: Path, folder: Path) -> str:
    """Return the report beside a result, relative to the folder; nothing if there is none, or one of another result."""
    cell = scan_report_path(result).relative_to(folder).as_posix()
    if report_state(result) == "stale":
        return ""
    return cell if _or_problem([], "report", lambda: file_inside(folder, cell, suffixes=(".html",))) else ""


def _made_with(row: ResultRow, sidecar: Mapping[str, Any]) -> str:
    """Return version, model and weights of a result, of the table or else of the sidecar."""
    settings, hashes, versions = (_mapping(sidecar.get(name)) for name in ("Settings", "Sha256", "Versions"))
    version = row.get("version") or _text(versions.get("hail-mri"))
    weights = row.get("weights_sha256") or _text(hashes.get("Weights"))
    parts = {"hail-mri": version, "model": _text(settings.get("model")), "weights": weights[:N_HASH]}
    return ", ".join(f"{name} {part}" for name, part in parts.items() if part)


def _mapping(value: object) -> dict[str, Any]:
    """Return a mapping of a sidecar; an empty one if it is something else."""
    return value if isinstance(value, dict) else {}


def _read_sidecar(result: Path, folder: Path) -> dict[str, Any]:
    """Return what the sidecar tells; like the result, it lies in the folder."""
    cell = sidecar_path(result).relative_to(folder).as_posix()
    path = file_inside(folder, cell, suffixes=(".json",))
    if path.stat().st_size > LARGEST_SIDECAR_BYTES:
        raise HailError(f"{cell} is too large for a sidecar")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise HailError(f"{cell} is damaged ({type(error).__name__})") from error
    if not isinstance(told, dict):
        raise HailError(f"{cell} is no sidecar of ours")
    return told


def _or_problem(problems: list[str], what: str, find: Any) -> Any:
    """Return what is found, or note why it is not."""
    try:
        return find()
    except HailError as error:
        problems.append(f"{what}: {error}")
        return None


def _text(value: object) -> str:
    """Return a string of a sidecar; nothing if it is something else."""
    return value if isinstance(value, str) else ""


def _flag(value: object) -> bool | None:
    """Return a truth value of a sidecar; None if it is something else."""
    return value if isinstance(value, bool) else None
