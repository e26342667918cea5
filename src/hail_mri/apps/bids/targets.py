"""Which target each scan gets: one for the study, one by site from a table, or the medoid scan of a site."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.mask_files import BRAIN
from hail_mri.apps.bids.plan import Plan
from hail_mri.apps.bids.request import AUTO, AppRequest
from hail_mri.apps.bids.side_files import read_table
from hail_mri.apps.leaks import SPLIT_COLUMN, SplitScan, is_test, leak_warnings
from hail_mri.apps.request_columns import CARD_SUFFIX
from hail_mri.apps.requests import TABLE_SUFFIX
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.errors import InputError, MissingFileError


@dataclass(frozen=True)
class Targets:
    """The target of each scan, and the table they are from, if there is one.

    Attributes
    ----------
    of_scan : mapping of BidsScan to TargetFiles
        A scan that has none is not there.
    table_path : Path or None
    """

    of_scan: Mapping[BidsScan, TargetFiles]
    table_path: Path | None = None


@dataclass(frozen=True)
class Auto:
    """The target is the medoid of scans of a site; which it is has to be measured.

    Attributes
    ----------
    site : str
    examples : tuple of BidsScan
    n_left_out : int
        How many more scans of the site are left out as they are of test subjects.
    only_tested : bool
        Whether all scans of the site are; then they are the examples nevertheless.
    """

    site: str
    examples: tuple[BidsScan, ...]
    n_left_out: int = 0
    only_tested: bool = False

    @property
    def name(self) -> str:
        """What the scans are of, in words."""
        return self.site or "the data set"

    @property
    def told(self) -> str:
        """Which scans they are, in words."""
        return f"{len(self.examples)} scans of {self.name}"


def find_targets(request: AppRequest, plan: Plan) -> Targets | Auto:
    """Tell which target each scan gets, as far as files and names tell.

    Raises
    ------
    InputError, MissingFileError
        If nothing is asked for, a file is missing, or a site has no target or is unknown.
    """
    if request.target is None and request.target_site is None:
        raise InputError(
            "neither --target nor --target-site is given, expected one of them",
            f"give a scan, a style card or a table of targets, or {AUTO} with the site whose look is wanted",
        )
    if request.target in (None, AUTO):
        return _auto(request, plan)
    if request.target_site is not None:
        raise InputError(f"--target-site is given with --target {request.target}, expected --target {AUTO}")
    path = Path(str(request.target))
    if path.name.lower().endswith(TABLE_SUFFIX):
        return _by_site(path, plan)
    target = _target_files(path, str(path), plan)
    return Targets(dict.fromkeys(plan.selection.scans, target))


def warnings_of(targets: Targets | Auto, plan: Plan) -> list[str]:
    """Return a warning for each target whose subject is among the test subjects, by `split` of `participants.tsv`.

    Of a target that is still to be measured it is known only whether all that it may be are test subjects'.
    """
    if isinstance(targets, Auto):
        if not targets.only_tested:
            return []
        tested = f"the target will be among the test subjects: all {targets.told} are of such"
        return [f"{tested}. What is measured on test subjects will look better than it is; take another site's target."]
    scans = [SplitScan(scan.path, scan.subject, _is_tested(scan, plan)) for scan in plan.dataset.scans]
    return leak_warnings(scans, (target.path for target in targets.of_scan.values()))


def _auto(request: AppRequest, plan: Plan) -> Auto:
    """Return the scans of the target's site, without those of test subjects."""
    counts = plan.sites.counts()
    site = request.target_site
    if site is None and len(counts) > 1:
        names = ", ".join(f"{name} ({n} scans)" for name, n in counts.items())
        raise InputError(f"--target {AUTO} needs a site; the data set has {names}", "give one as --target-site")
    site = site if site is not None else next(iter(counts), "")
    scans = plan.sites.scans_of(site)
    untested = [scan for scan in scans if not _is_tested(scan, plan)]
    if not untested:
        return Auto(site, tuple(scans), only_tested=True)
    return Auto(site, tuple(untested), n_left_out=len(scans) - len(untested))


def _is_tested(scan: BidsScan, plan: Plan) -> bool:
    """Return whether a scan's subject is among the test subjects."""
    return is_test(plan.tables.of_participant(scan).get(SPLIT_COLUMN, ""))


def _by_site(path: Path, plan: Plan) -> Targets:
    """Return the target of each scan, from a table with the columns site, target and perhaps target_mask."""
    if not path.exists():
        raise MissingFileError(f"{path} does not exist, expected a table of targets (columns site and target)")
    files = {}
    for site, row in read_table(path, key="site").items():
        where = f"{path}, site {site}"
        if "target" not in row:
            raise InputError(f"{where}: target is empty, expected a scan or a style card")
        mask = row.get("target_mask")
        mask_path = None if mask is None else path.parent / mask
        files[site] = _target_files(path.parent / row["target"], where, plan, mask_path)
    if not files:
        raise InputError(f"{path} has no rows below the header, expected one for each site")
    used = {scan: files.get(plan.sites.of_scan[scan]) for scan in plan.selection.scans}
    if not files.keys() & set(plan.sites.of_scan.values()):
        names = ", ".join(plan.sites.counts()) or "none"
        raise InputError(
            f"{path} has targets for {', '.join(files)}; the data set has the sites {names}", "see --site-from"
        )
    return Targets({scan: target for scan, target in used.items() if target is not None}, path)


def _target_files(path: Path, where: str, plan: Plan, mask: Path | None = None) -> TargetFiles:
    """Return a target that is there, a scan or a style card; a scan of the data set has the masks that it has there."""
    for file in (path, mask):
        if file is not None and not file.is_file():
            about = f"{where}: " if where != str(path) else ""
            raise MissingFileError(f"{about}{file} does not exist, expected a scan, a style card or a table of targets")
    masks, refused = plan.masks.scan_masks(path, plan.dataset.scans)
    if refused:
        raise InputError(f"the target {path} has unclear masks: {refused}")
    masks = {**masks, **({} if mask is None else {BRAIN: mask})}
    return TargetFiles(path, is_style_card=path.name.lower().endswith(CARD_SUFFIX), **masks)
