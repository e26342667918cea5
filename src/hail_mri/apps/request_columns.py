"""What a table of requests may tell of each scan beside its files: who it is, its own target, and what it is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.apps.requests import NO_VALUE, ScanRequest, table_rows
from hail_mri.apps.result_table import NAMES
from hail_mri.errors import HailError
from hail_mri.provenance.hashes import InputFile
from hail_mri.provenance.links import real_path

TARGET_COLUMN = "target"  # a scan, or a style card
SPLIT_COLUMN = "split"
TEST = "test"  # what the column says of scans that a study is judged by
CARD_SUFFIX = ".json"


@dataclass(frozen=True)
class RowColumns:
    """The optional columns of a row.

    Attributes
    ----------
    names : mapping of str to str
        `subject`, `session` and `site`, as far as they are told.
    target : Path or None
        Goes before the target of all.
    is_test : bool
        Whether the scan is one that a study is judged by.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    target: Path | None = None
    is_test: bool = False

    @property
    def target_is_style_card(self) -> bool:
        """Whether the row's target is a style card, by its name."""
        return self.target is not None and self.target.name.lower().endswith(CARD_SUFFIX)


def read_columns(table_path: Path) -> list[RowColumns]:
    """Return the optional columns of each row of a table of requests; raises as `requests.read_table`."""
    return [_columns_of(row, table_path.parent) for row in table_rows(table_path)]


def leaks(requests: Sequence[ScanRequest], columns: Sequence[RowColumns], target: Path) -> list[Path]:
    """Return the test scans that a target gives away: they are the target, or another scan of its subject.

    Parameters
    ----------
    requests : sequence of ScanRequest
    columns : sequence of RowColumns
        Of the requests.
    target : Path
        Known again by its place, and by its content wherever it lies.
    """
    test = [(request.source, row) for request, row in zip(requests, columns, strict=True) if row.is_test]
    sources = [request.source for request in requests]
    subjects = {
        row.names["subject"]
        for source, row in zip(sources, columns, strict=True)
        if "subject" in row.names and _is_same_file(source, target)
    }
    return [source for source, row in test if row.names.get("subject") in subjects or _is_same_file(source, target)]


def _columns_of(row: Mapping[str, str], folder: Path) -> RowColumns:
    """Return the optional columns of one row."""
    told = {name: value for name, value in row.items() if value not in NO_VALUE}
    target = told.get(TARGET_COLUMN)
    return RowColumns(
        names={name: told[name] for name in NAMES if name in told},
        target=None if target is None else folder / target,
        is_test=told.get(SPLIT_COLUMN, "").lower() == TEST,
    )


def _is_same_file(one: Path, other: Path) -> bool:
    """Return whether two files are one, or have the same content; those that cannot be read are no such files."""
    try:
        if real_path(one) == real_path(other):
            return True
        if one.stat().st_size != other.stat().st_size:
            return False
        return InputFile.read(one).sha256 == InputFile.read(other).sha256
    except (OSError, ValueError, HailError):
        return False
