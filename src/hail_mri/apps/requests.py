"""Which scan goes where: one file, the scans in a folder, or the rows of a table.

Nothing is read or computed here beyond names: what is certainly wrong is found before the first scan.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.scan_folder import find_scans, result_name
from hail_mri.errors import InputError
from hail_mri.image.nifti import READABLE_SUFFIXES
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.links import real_path
from hail_mri.provenance.sidecar import sidecar_path
from hail_mri.provenance.tables import EMPTY_CELLS, read_lines

TABLE_SUFFIX = ".tsv"
COLUMNS = ("source", "output")
MASK_COLUMNS = ("brain_mask", "lesion_mask")


@dataclass(frozen=True)
class ScanRequest:
    """One scan to harmonize, where the result goes, and its masks if there are any; errors call it by `label`."""

    source: Path
    output: Path
    brain_mask: Path | None = None
    lesion_mask: Path | None = None
    label: str = ""

    @property
    def read(self) -> list[Path]:
        """The files that are read for it."""
        return [path for path in (self.source, self.brain_mask, self.lesion_mask) if path is not None]


def is_batch(source: Path) -> bool:
    """Return whether a source stands for several scans: a folder or a table."""
    return source.is_dir() or source.name.lower().endswith(TABLE_SUFFIX)


def request_of_scan(
    source: Path, output: Path | None, brain_mask: Path | None, lesion_mask: Path | None = None
) -> ScanRequest:
    """Return the request for one scan.

    Raises
    ------
    InputError
        If the result has no name.
    """
    if output is None:
        raise InputError("-o is missing, expected the file to write", "add -o and a name that ends in .nii.gz")
    return ScanRequest(source, output, brain_mask, lesion_mask, label=str(source))


@dataclass(frozen=True)
class Batch:
    """Scans to harmonize, and images of a folder that are left out, each with the reason."""

    requests: list[ScanRequest]
    skipped: tuple[tuple[Path, str], ...] = ()


def requests_of_batch(
    source: Path, output: Path | None, brain_mask: Path | None, lesion_mask: Path | None = None
) -> Batch:
    """Return the requests that a folder or a table stands for.

    Raises
    ------
    InputError, MissingFileError
        As `find_scans`, `read_table` and `require_inside`; also if a folder comes without `output`, or with one mask
        for all its scans.
    """
    for column, mask in zip(MASK_COLUMNS, (brain_mask, lesion_mask), strict=True):
        if mask is not None:
            option = f"--{column.replace('_', '-')}"
            hint = f"list the scans in a table with the columns {', '.join(COLUMNS)}, {column}"
            raise InputError(f"{option} is the mask of one scan, but {source} stands for several", hint)
    if not source.is_dir():
        return Batch(read_table(source, output))
    if output is None:
        raise InputError("-o is missing, expected the folder to write to", "add -o and the name of a folder")
    found = find_scans(source, output)
    requests = [ScanRequest(s, output / result_name(s.relative_to(source)), label=str(s)) for s in found.scans]
    for request in requests:
        require_inside(request, output)
    return Batch(requests, found.skipped)


def read_table(table_path: Path, output_dir: Path | None = None) -> list[ScanRequest]:
    """Return a request for every row of a tab-separated table.

    Parameters
    ----------
    table_path : Path
        UTF-8, with the columns `source` and `output`, and `brain_mask` and `lesion_mask` if wanted; other columns are
        ignored. Sources and masks are relative to the table's folder.
    output_dir : Path or None
        Folder that outputs are relative to and lie in; None for the table's own, which they may leave.

    Raises
    ------
    MissingFileError
        If there is no such table.
    InputError
        If it is not such a table, or two rows have one result; the message names the row, counted as an editor counts
        lines.
    """
    header, rows = _checked_rows(table_path)
    requests = [_request_of_row(table_path, number, header, cells, output_dir) for number, cells in rows]
    for error in same_results(requests).values():
        raise error
    return requests


def table_rows(table_path: Path) -> list[dict[str, str]]:
    """Return the cells of every row of a table of requests, by column; raises as `read_table`."""
    header, rows = _checked_rows(table_path)
    return [dict(zip(header, (cell.strip() for cell in cells), strict=False)) for _, cells in rows]


def _checked_rows(table_path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a table of requests, and (line number, cells) of the rows below."""
    rows = _read_rows(table_path)
    header = [name.strip() for name in rows[0][1]]
    for name in COLUMNS:
        if header.count(name) != 1:
            raise InputError(
                f"{table_path}, row 1 has the columns {', '.join(header)}; expected {' and '.join(COLUMNS)}, each once",
                "separate columns by tabs and put their names in the first row",
            )
    if not rows[1:]:
        raise InputError(f"{table_path} has no rows below the header, expected one for each scan")
    return header, rows[1:]


def require_possible(
    requests: Sequence[ScanRequest],
    inputs: Sequence[Path],
    *,
    table_path: Path | None = None,
    overwrite: bool,
    rewrite_table: bool = False,
) -> None:
    """Make sure that no result would replace an input, another result, or a file that is to stay.

    Parameters
    ----------
    requests : sequence of ScanRequest
    inputs : sequence of Path
        Files beside the sources that are read: target, style card, table of requests.
    table_path : Path or None
        Where the table of results goes, if there will be one.
    overwrite : bool
    rewrite_table : bool
        Whether a table of results that is there is one of ours, which this run goes on with.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
    """
    read = {real_path(path) for path in inputs} | {real_path(path) for request in requests for path in request.read}
    scans = read | {request.source for request in requests} | set(inputs)
    read |= {real_path(sidecar) for sidecar in map(own_sidecar, scans) if sidecar is not None}
    if table_path is not None:
        require_not_read(table_path, read)
        require_file_free(table_path, overwrite=overwrite or rewrite_table)
    for request in requests:
        require_not_read(request.output, read)
        require_file_free(request.output, overwrite=overwrite)
        sidecar = sidecar_path(request.output)
        require_not_read(sidecar, read)
        require_file_free(sidecar, overwrite=overwrite)
    for error in same_results(requests).values():
        raise error


def same_results(requests: Sequence[ScanRequest]) -> dict[int, InputError]:
    """Return, for each request whose result would have the name of another's, the error that says so, by its number."""
    taken: dict[Path, int] = {}
    errors: dict[int, InputError] = {}
    for number, request in enumerate(requests):
        # The sidecar tells results apart: a.nii and a.nii.gz would share a.json.
        other = taken.setdefault(real_path(sidecar_path(request.output)), number)
        if other != number:
            errors[number] = _same_result(request, requests[other])
            errors.setdefault(other, _same_result(requests[other], request))
    return errors


def _same_result(request: ScanRequest, other: ScanRequest) -> InputError:
    """Return the error that two requests have one result."""
    return InputError(
        f"{request.label}: the result would be {request.output} as for {other.label}, expected its own name",
        "rename one of them, or list both in a table with the columns source and output",
    )


def require_inside(request: ScanRequest, output_dir: Path) -> None:
    """Refuse an output that leaves the folder for results.

    Raises
    ------
    InputError
        If it does, by an absolute path, `..` or a link.
    """
    if real_path(output_dir) not in real_path(request.output).parents:
        raise InputError(
            f"{request.label}: the output {request.output} is not in the folder {output_dir}",
            "let the path be relative to the folder for results, without .. and without a link that leads elsewhere",
        )


def own_sidecar(scan: Path) -> Path | None:
    """Return the sidecar that tells how a scan was acquired, if there is one: it is an input like the scan."""
    stem = next((scan.name[: -len(s)] for s in READABLE_SUFFIXES if scan.name.lower().endswith(s)), None)
    sidecar = None if stem is None else scan.with_name(f"{stem}.json")
    return sidecar if sidecar is not None and sidecar.is_file() else None


def require_not_read(path: Path, inputs: Collection[Path]) -> None:
    """Refuse to replace an input, even where overwriting is allowed.

    Raises
    ------
    InputError
        If the path, with links followed, is one of the inputs, which are given with links followed.
    """
    if real_path(path) in inputs:
        raise InputError(f"{path} is an input of this run and would be replaced", "write to another folder")


def _read_rows(table_path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of every row of a table; empty lines at the end are no rows."""
    rows = read_lines(table_path, keep_blank=True)
    if not rows:
        raise InputError(f"{table_path} is empty, expected a table with the columns {' and '.join(COLUMNS)}")
    return rows


def _request_of_row(
    table_path: Path, number: int, header: list[str], cells: list[str], output_dir: Path | None
) -> ScanRequest:
    """Return the request of one row."""
    if len(cells) != len(header):
        raise InputError(f"{table_path}, row {number} has {len(cells)} cells, expected {len(header)} as in the header")
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    for name in COLUMNS:
        if row[name] in EMPTY_CELLS:
            raise InputError(f"{table_path}, row {number}: {name} is empty, expected the path of a file")
    folder = table_path.parent
    brain_mask, lesion_mask = (
        None if row.get(column, "") in EMPTY_CELLS else folder / row[column] for column in MASK_COLUMNS
    )
    request = ScanRequest(
        source=folder / row["source"],
        output=(folder if output_dir is None else output_dir) / row["output"],
        brain_mask=brain_mask,
        lesion_mask=lesion_mask,
        label=f"{table_path}, row {number}",
    )
    _require_result_name(table_path, number, request.output)
    if output_dir is not None:
        require_inside(request, output_dir)
    return request


def _require_result_name(table_path: Path, number: int, output: Path) -> None:
    """Say in which row an output has no name for a scan."""
    try:
        sidecar_path(output)
    except InputError as error:
        raise InputError(f"{table_path}, row {number}: {error}", "change the cell in the column output") from error
