"""The styles of many scans, measured by one process or by several, with the same bits."""

from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from hail_mri.apps.engine.in_process import threads_put_back
from hail_mri.apps.engine.machine import total_memory
from hail_mri.apps.engine.memory import budget_of, estimate_of, n_processes_of, too_large
from hail_mri.apps.engine.workers import Workers
from hail_mri.apps.kept_styles import KeptStyles, MaskedScan, MeasuredStyle
from hail_mri.apps.process_pool import work_by_processes
from hail_mri.errors import HailError, InputError
from hail_mri.harmonize.settings import HarmonizeSettings

KILLED = (
    "the process that measured it was killed, also when it had the machine to itself; there may be too little memory"
)
ResultT = TypeVar("ResultT")
Measured = dict[MaskedScan, MeasuredStyle | HailError]


def measure_styles(
    scans: Sequence[MaskedScan],
    settings: HarmonizeSettings,
    *,
    kept_dir: Path | None,
    workers: Workers,
    advance: Callable[[], None] = lambda: None,
) -> Measured:
    """Measure the styles of scans that were not kept.

    Parameters
    ----------
    scans : sequence of MaskedScan
        Each once.
    settings : HarmonizeSettings
        Of which model and threads matter.
    kept_dir : Path or None
        Folder where styles are kept for the next time.
    workers : Workers
        0 processes are this one alone; a scan whose process is killed has none.
    advance : callable
        Called after each scan.

    Returns
    -------
    measured : dict of MaskedScan to tuple or HailError
        Style card and checks of each scan, or why there are none.
    """
    styles = KeptStyles(settings, kept_dir)
    found: Measured = {}
    for scan in scans:
        kept = _or_error(styles.kept, scan)
        if kept is not None:
            found[scan] = kept
            advance()
    missing = [scan for scan in scans if scan not in found]
    if workers.n_processes == 0:
        with threads_put_back():
            for scan in missing:
                found[scan] = _or_error(styles.measure, scan)
                advance()
        return found
    return found | _by_processes(missing, settings, kept_dir, workers, advance)


def _by_processes(
    scans: Sequence[MaskedScan],
    settings: HarmonizeSettings,
    kept_dir: Path | None,
    workers: Workers,
    advance: Callable[[], None],
) -> Measured:
    """Measure scans by as many processes as were asked for, and as fit into memory when all have the largest one."""
    most = total_memory()
    needed = {scan: estimate_of([scan.path], settings.model) for scan in scans}
    found: Measured = {
        scan: InputError(f"{scan.path}: {too_large(size, most)}") for scan, size in needed.items() if size > most
    }
    for _ in found:
        advance()
    possible = {scan: size for scan, size in needed.items() if scan not in found}
    if not possible:
        return found
    budget = budget_of(workers)
    n_wanted = n_processes_of(workers, list(possible.values()), budget, settings.threads or 1)
    n_processes = max(1, min(n_wanted, len(possible), budget // max(possible.values())))
    work = partial(_measure, settings, kept_dir)
    for scan, measured in work_by_processes(possible, work, n_processes):
        if isinstance(measured, BrokenProcessPool):
            found[scan] = InputError(f"{scan.path}: {KILLED}")
        elif isinstance(measured, Exception) and not isinstance(measured, HailError):
            raise measured
        else:
            found[scan] = measured
        advance()
    return found


def _measure(settings: HarmonizeSettings, kept_dir: Path | None, scan: MaskedScan) -> MeasuredStyle | HailError:
    """Measure one scan in a process that measures several."""
    return _or_error(_styles(settings, kept_dir).measure, scan)


@lru_cache(maxsize=1)
def _styles(settings: HarmonizeSettings, kept_dir: Path | None) -> KeptStyles:
    """Return what measures styles, with its model, made once for a process."""
    return KeptStyles(settings, kept_dir)


def _or_error(measure: Callable[[MaskedScan], ResultT], scan: MaskedScan) -> ResultT | HailError:
    """Measure a scan, and return what is wrong with it as a value."""
    try:
        return measure(scan)
    except HailError as error:
        return error
