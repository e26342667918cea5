"""What a run will do, found from names, tables and sidecars before any image is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from hail_mri.apps.bids.dataset import BidsScan, Dataset, open_dataset
from hail_mri.apps.bids.derivatives import require_output_dir, result_path
from hail_mri.apps.bids.mask_files import BRAIN, LESION, mask_roots
from hail_mri.apps.bids.masks import Masks, find_masks
from hail_mri.apps.bids.request import AUTO, AppRequest
from hail_mri.apps.bids.selection import Selection, matches, read_filter, select
from hail_mri.apps.bids.sites import Sites, find_sites
from hail_mri.apps.bids.tables import Tables
from hail_mri.errors import InputError
from hail_mri.provenance.links import real_path


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes
    ----------
    dataset : Dataset
    selection : Selection
        The scans to harmonize.
    unusable : mapping of BidsScan to str
        Scans that were asked for and cannot be harmonized, each with the reason.
    examples : tuple of BidsScan
        Scans that may be the target of their site: those of all participants, so that runs of one participant each have
        the same target; of the names that the filter file asks for.
    sites : Sites
        Of the examples, among which are all that are selected.
    tables : Tables
    masks : Masks
        Of all scans of the data set.
    """

    dataset: Dataset
    selection: Selection
    unusable: Mapping[BidsScan, str]
    examples: tuple[BidsScan, ...]
    sites: Sites
    tables: Tables
    masks: Masks


def make_plan(request: AppRequest) -> Plan:
    """Find what a run will do.

    Raises
    ------
    HailError
        If the data set, the selection or the place for results is not as it should be.
    """
    dataset = open_dataset(request.dataset_dir)
    require_output_dir(request.output_dir, request.dataset_dir)
    _require_work_dir(request)
    masks = _find_masks(request, dataset)
    wanted = read_filter(request.filter_path)
    selection = select(dataset, request.participants, request.sessions, wanted)
    twins = _twins(dataset.scans)
    by_name = {key: labels for key, labels in wanted.items() if key not in ("sub", "ses")}
    examples = [scan for scan in dataset.scans if matches(scan, by_name) and scan not in twins]
    tables = Tables()
    sites = find_sites(examples, tables, request.site_from)
    reasons = {**twins, **sites.unreadable}
    unusable = {scan: reasons[scan] for scan in selection.scans if scan in reasons}
    usable = replace(selection, scans=tuple(scan for scan in selection.scans if scan not in unusable))
    return Plan(dataset, usable, unusable, tuple(sites.of_scan), sites, tables, masks)


def _find_masks(request: AppRequest, dataset: Dataset) -> Masks:
    """Return the masks that are asked for, of all scans of the data set."""
    choices = {LESION: request.lesion_masks, BRAIN: request.brain_masks}
    kinds = [kind for kind, choice in choices.items() if choice == AUTO]
    roots = mask_roots(request.dataset_dir, request.derivatives, request.output_dir)
    return find_masks(dataset.scans, roots, kinds)


def _twins(scans: Sequence[BidsScan]) -> dict[BidsScan, str]:
    """Return the scans that would have one result, such as x_T1w.nii and x_T1w.nii.gz, each with the reason."""

    def result(scan: BidsScan) -> Path:
        return result_path(scan, Path())

    reasons: dict[BidsScan, str] = {}
    for _, group in groupby(sorted(scans, key=lambda scan: (result(scan), scan.relative)), key=result):
        twins = list(group)
        names = " and ".join(scan.relative.name for scan in twins)
        if len(twins) > 1:
            reasons |= dict.fromkeys(twins, f"{names} would have one result, expected one of them: remove the other")
    return reasons


def _require_work_dir(request: AppRequest) -> None:
    """Refuse to put what is kept for later among raw scans; in the folder of results it is at home."""
    raw, work, results = map(real_path, (request.dataset_dir, request.work_dir, request.output_dir))
    if work.is_relative_to(raw) and not work.is_relative_to(results):
        raise InputError(
            f"--work-dir {request.work_dir} lies among the raw scans of {request.dataset_dir}",
            "give a folder elsewhere",
        )
