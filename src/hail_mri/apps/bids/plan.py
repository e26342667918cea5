"""What a run will do, found from names, tables and sidecars before any image is read."""

from dataclasses import dataclass

from hail_mri.apps.bids.dataset import BidsScan, Dataset, open_dataset
from hail_mri.apps.bids.derivatives import require_output_dir
from hail_mri.apps.bids.request import AppRequest
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
    examples : tuple of BidsScan
        Scans that may be the target of their site: those of all participants, so that runs of one participant each have
        the same target; of the names that the filter file asks for.
    sites : Sites
        Of the examples, among which are all that are selected.
    tables : Tables
    """

    dataset: Dataset
    selection: Selection
    examples: tuple[BidsScan, ...]
    sites: Sites
    tables: Tables


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
    wanted = read_filter(request.filter_path)
    selection = select(dataset, request.participants, request.sessions, wanted)
    by_name = {key: labels for key, labels in wanted.items() if key not in ("sub", "ses")}
    examples = tuple(scan for scan in dataset.scans if matches(scan, by_name))
    tables = Tables()
    return Plan(dataset, selection, examples, find_sites(examples, tables, request.site_from), tables)


def _require_work_dir(request: AppRequest) -> None:
    """Refuse to put what is kept for later among raw scans; in the folder of results it is at home."""
    raw, work, results = map(real_path, (request.dataset_dir, request.work_dir, request.output_dir))
    if work.is_relative_to(raw) and not work.is_relative_to(results):
        raise InputError(
            f"--work-dir {request.work_dir} lies among the raw scans of {request.dataset_dir}",
            "give a folder elsewhere",
        )
