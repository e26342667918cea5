"""Jobs of a batch that are not begun: no target can be read, or another result is, or would be, in their place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hail_mri.apps.earlier import differences
from hail_mri.apps.engine.jobs import ScanJob
from hail_mri.apps.engine.outcomes import failed_outcome
from hail_mri.apps.requests import same_results
from hail_mri.apps.result_table import Outcome
from hail_mri.apps.scan_files import TargetFiles, read_target
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError, OutputExistsError
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.sidecar import read_sidecar, sidecar_path


def unreadable_targets(jobs: Sequence[ScanJob]) -> dict[TargetFiles, HailError]:
    """Return the targets that cannot be read, with the reason.

    Raises
    ------
    HailError
        The reason, if all scans have one target: then the request is wrong, and not some scans of many.
    """
    targets = dict.fromkeys(job.target for job in jobs)
    unreadable: dict[TargetFiles, HailError] = {}
    for target in targets:
        try:
            read_target(target)
        except HailError as error:
            if len(targets) == 1:
                raise
            unreadable[target] = error
    return unreadable


def refused_jobs(
    jobs: Sequence[ScanJob], found: Collection[int], unreadable: Mapping[TargetFiles, HailError], *, overwrite: bool
) -> dict[int, Outcome]:
    """Return the outcomes of jobs that cannot be begun, by their numbers.

    Parameters
    ----------
    jobs : sequence of ScanJob
    found : collection of int
        Numbers of those whose result is there.
    unreadable : mapping of TargetFiles to HailError
    overwrite : bool

    Raises
    ------
    InputError, UnwritableError
        If an output is no place for a result.
    """
    wanted = [number for number in range(len(jobs)) if number not in found]
    same = same_results([jobs[number].request for number in wanted])
    refused = {}
    for place, number in enumerate(wanted):
        job, reason = jobs[number], ""
        if job.target in unreadable:
            reason = one_line(unreadable[job.target])
        elif place in same:
            reason = one_line(same[place])
        elif not overwrite:
            reason = _why_not_free(job)
        if reason:
            refused[number] = replace(failed_outcome(job, reason, 0.0), attempts=0)
    return refused


def _why_not_free(job: ScanJob) -> str:
    """Return why the result of a job may not be written, which another one is in the way of; nothing if it may."""
    output = job.request.output
    try:
        for path in (output, sidecar_path(output)):
            require_file_free(path, overwrite=False)
    except OutputExistsError as error:
        told = read_sidecar(output)
        if "Sha256" not in told or not output.is_file():
            return one_line(error)
        try:
            others = differences(told, job.request, job.settings, job.target)
        except HailError as unreadable:
            return one_line(unreadable)
        what = f"{output} exists and is another result ({'; '.join(others)})" if others else str(error)
        return one_line(OutputExistsError(what, error.hint))
    return ""
