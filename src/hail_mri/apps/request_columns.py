"""What a table of requests may tell of each scan beside its files: who it is, its own target, and what it is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.apps.leaks import SPLIT_COLUMN, SplitScan, is_test
from hail_mri.apps.requests import ScanRequest, table_rows
from hail_mri.apps.result_table import NAMES
from hail_mri.provenance.tables import EMPTY_CELLS

TARGET_COLUMN = "target"  # a scan, or a style card
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


def split_scans(requests: Sequence[ScanRequest], columns: Sequence[RowColumns]) -> list[SplitScan]:
    """Return what is known of the scans of requests, to find leaks."""
    return [
        SplitScan(request.source, row.names.get("subject", ""), row.is_test)
        for request, row in zip(requests, columns, strict=True)
    ]


def _columns_of(row: Mapping[str, str], folder: Path) -> RowColumns:
    """Return the optional columns of one row."""
    told = {name: value for name, value in row.items() if value not in EMPTY_CELLS}
    target = told.get(TARGET_COLUMN)
    return RowColumns(
        names={name: told[name] for name in NAMES if name in told},
        target=None if target is None else folder / target,
        is_test=is_test(told.get(SPLIT_COLUMN, "")),
    )
