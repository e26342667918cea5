"""The section of what a result was made of and with: files and their hashes, settings, versions, timings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from hail_mri.provenance.hashes import InputFile
from hail_mri.report.blocks import Cell, Column, Text, badge, definitions, details, plain, subheading, table
from hail_mri.report.page import Section
from hail_mri.report.scan_record import ScanRecord, shown
from hail_mri.report.trust import Concern

SAME, CHANGED, UNKNOWN = "as it was", "changed since", "not looked at"


@dataclass(frozen=True)
class FileState:
    """A file of a result: its role, the path that the sidecar tells, the hash it had, and whether it still has it."""

    role: str
    told: str
    sha256: str
    state: str


def file_states(record: ScanRecord, files: Mapping[str, Path]) -> list[FileState]:
    """
    Compare files with what they were when the result was made.

    Parameters
    ----------
    record : ScanRecord
    files : mapping of str to Path
        Where they are now, by the name that the sidecar has for them (Source, Target, Result, BrainMask, ...).
    """
    hashes = record.part("Sha256")
    states = []
    for role, sha256 in hashes.items():
        told = files[role].name if role == "Result" and role in files else shown(record.told.get(role, ""))
        state = UNKNOWN
        if role in files:
            state = SAME if InputFile.read(files[role]).sha256 == sha256 else CHANGED
        states.append(FileState(role, told, shown(sha256), state))
    return states


def concerns_of_files(states: Sequence[FileState]) -> list[Concern]:
    """Return which files are not those that the sidecar tells of."""
    return [
        Concern("fail", f"The {state.role} was changed since the result was made: its hash is not that of the sidecar.")
        for state in states
        if state.state == CHANGED
    ]


def provenance_section(record: ScanRecord, states: Sequence[FileState]) -> Section:
    """Return the section."""
    columns = [Column("file"), Column("now"), Column("path"), Column("SHA-256")]
    digest = Markup('<span class="hash">{}</span>')
    rows: list[list[Cell | Text]] = [[s.role, _state(s.state), s.told, digest.format(plain(s.sha256))] for s in states]
    seconds: dict[str, Text] = {name: f"{shown(number)} s" for name, number in record.part("Seconds").items()}
    if "PeakMemoryMiB" in record.told:
        seconds["peak memory"] = f"{shown(record.told['PeakMemoryMiB'])} MiB"
    blocks = [
        table("Files, and whether they are what they were when the result was made", columns, rows, sortable=False),
        subheading("Settings"),
        definitions(_texts(record.settings)),
        subheading("Versions"),
        definitions({**_texts(record.part("Versions")), "platform": shown(record.told.get("Platform", "unknown"))}),
        details("Timings", [definitions(seconds)]),
    ]
    return Section("provenance", "Settings, versions, hashes", blocks)


def _state(state: str) -> Cell:
    """Return a cell that says whether a file is what it was."""
    return Cell(badge({SAME: "ok", CHANGED: "fail"}.get(state, "none"), state))


def _texts(entries: Mapping[str, object]) -> dict[str, Text]:
    """Return names and values as text; what is None was left to the software."""
    return {name: "chosen by the software" if value is None else shown(value) for name, value in entries.items()}
