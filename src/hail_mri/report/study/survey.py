"""All scans of a study measured and pictured, in one process or several; none stops the others."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hail_mri.errors import HailError
from hail_mri.image.nifti import load_volume
from hail_mri.model.threads import limit_threads
from hail_mri.report.study.measures import KEPT_DIR, Box, ScanMeasures, measure_files
from hail_mri.report.study.places import place_inside
from hail_mri.report.study.scans import StudyScan
from hail_mri.report.study.thumbnails import Window, jpeg, middle_slice, white_matter_window

# Edge of a picture, pixels, by the number of scans at most: a page of 400 scans stays below about 4 MB.
SIZES = ((24, 144), (120, 112), (600, 80), (2000, 56))
SMALLEST = 40
WHITE = "white_matter_median"


@dataclass(frozen=True)
class StudyEntry:
    """A scan of a study, with what was measured, and JPEGs of before and after where there is something to see."""

    scan: StudyScan
    measures: ScanMeasures
    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True)
class _Look:
    """What is to be pictured of a scan."""

    path: Path
    box: Box | None
    window: Window | None
    size: int


def survey(
    scans: Sequence[StudyScan],
    folder: Path,
    *,
    n_processes: int = 1,
    step: Callable[[], None] = lambda: None,
    with_pictures: bool = True,
) -> list[StudyEntry]:
    """
    Measure the scans of a study, and make a picture of each before and after.

    Parameters
    ----------
    scans : sequence of StudyScan
    folder : Path
        Of the results; what was measured is kept in it.
    n_processes : int
    step : callable
        Called after each scan that was measured.
    with_pictures : bool

    Returns
    -------
    entries : list of StudyEntry
        In the order of the scans. What could not be read or measured is among the scan's problems.

    Raises
    ------
    HailError
        If what was measured cannot be kept, or is to be kept outside of the folder, by a link; or a process was killed.

    Notes
    -----
    Before, every scan is shown with its own white matter light grey: units of scanners have no meaning. After, all
    results of one target are shown in one window, that of their white matter in the middle: units are to agree then,
    and a scan whose units do not stands out.
    """
    kept_dir = place_inside(folder, KEPT_DIR)
    with _pool(n_processes) as pool:
        run = map if pool is None else pool.map
        entries = []
        for scan, measures in zip(scans, run(partial(_measured, kept_dir), scans), strict=True):
            problem = () if not measures.reason or measures.reason in scan.problems else (measures.reason,)
            entries.append(StudyEntry(replace(scan, problems=scan.problems + problem), measures))
            step()
        return _pictured(entries, run) if with_pictures else entries


def picture_size(n_scans: int) -> int:
    """Return the edge of each picture in pixels: the more scans, the smaller."""
    return next((size for most, size in SIZES if n_scans <= most), SMALLEST)


def _measured(kept_dir: Path, scan: StudyScan) -> ScanMeasures:
    """Measure one scan, if both files may be read."""
    if scan.source is None or scan.result is None:
        return ScanMeasures()
    try:
        return measure_files(scan.source, scan.result, kept_dir)
    except HailError:
        raise
    except Exception as error:  # noqa: BLE001
        # A file that a library chokes on is named like any other that cannot be read.
        return ScanMeasures(reason=f"{scan.name}: {type(error).__name__}: {error}")


def _pictured(entries: Sequence[StudyEntry], run: Callable[..., Iterable[Any]]) -> list[StudyEntry]:
    """Return the entries with pictures."""
    size, windows = picture_size(len(entries)), target_windows(entries)
    before = [_look(e.scan.source, e, _own_window(e), size) for e in entries]
    after = [_look(e.scan.result, e, windows.get(e.scan.target), size) for e in entries]
    pictured = []
    for entry, first, second in zip(entries, run(_picture, before), run(_picture, after), strict=True):
        told = (problem for problem in (first[1], second[1]) if problem)
        new = tuple(problem for problem in dict.fromkeys(told) if problem not in entry.scan.problems)
        scan = replace(entry.scan, problems=entry.scan.problems + new)
        pictured.append(replace(entry, scan=scan, before=first[0], after=second[0]))
    return pictured


def target_windows(entries: Sequence[StudyEntry]) -> dict[str, Window]:
    """Return the window of the results of each target; none for targets whose results have no white matter."""
    found: dict[str, list[float]] = {}
    for entry in entries:
        white = entry.measures.after.get(WHITE, np.nan)
        if np.isfinite(white) and white > 0:
            found.setdefault(entry.scan.target, []).append(white)
    return {target: white_matter_window(float(np.median(values))) for target, values in found.items()}


def _own_window(entry: StudyEntry) -> Window | None:
    """Return the window of a source, if its white matter is known."""
    white = entry.measures.before.get(WHITE, np.nan)
    return white_matter_window(white) if np.isfinite(white) and white > 0 else None


def _look(path: Path | None, entry: StudyEntry, window: Window | None, size: int) -> _Look | None:
    """Return what is to be pictured, if there is a file."""
    return None if path is None else _Look(path, entry.measures.box, window, size)


def _picture(look: _Look | None) -> tuple[bytes | None, str]:
    """Return a JPEG, or why there is none."""
    if look is None:
        return None, ""
    try:
        picture, spacing = middle_slice(load_volume(look.path), look.box)
        return jpeg(picture, spacing, look.window, size=look.size), ""
    except HailError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001
        return None, f"{look.path.name}: {type(error).__name__}: {error}"


@contextmanager
def _pool(n_processes: int) -> Iterator[ProcessPoolExecutor | None]:
    """Yield processes to work in; none if this one is enough."""
    if n_processes == 1:
        yield None
        return
    # Not forked: a forked process inherits locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(n_processes, mp_context=context, initializer=limit_threads, initargs=(1,)) as pool:
            yield pool
    except BrokenProcessPool as error:
        raise HailError(
            "one of the processes that measure scans was killed, perhaps for a lack of memory",
            "take fewer of them; what was measured is kept",
        ) from error
