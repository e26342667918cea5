"""The target that is chosen by itself: the medoid scan of a site, with a table of the distances beside the results."""

from pathlib import Path

from hail_mri.apps.bids.plan import Plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.bids.targets import Auto, Targets
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.apps.terminal import progress

STYLES_DIR = "styles"


def measure_target(auto: Auto, request: AppRequest, plan: Plan) -> Targets:
    """Find the medoid of a site's scans, and write the table of their distances.

    Raises
    ------
    InputError
        If no scan of the site can be its example.
    UnwritableError
        If the table cannot be written.
    """
    from hail_mri.apps.suggest_target import suggest_target, write_candidates

    paths = [scan.path for scan in auto.examples]
    with progress(f"choosing the target among scans of {auto.site or 'the data set'}", total=len(paths)) as advance:
        candidates = suggest_target(paths, request.settings, kept_dir=request.work_dir / STYLES_DIR, advance=advance)
    write_candidates(candidates, candidates_path(request.output_dir, auto.site))
    target = TargetFiles(candidates[0].path, is_style_card=False)
    return Targets(dict.fromkeys(plan.selection.scans, target))


def candidates_path(output_dir: Path, site: str) -> Path:
    """Return where the table of distances goes.

    Examples
    --------
    >>> candidates_path(Path("out"), "Siemens 3T/b").as_posix()
    'out/target_Siemens-3T-b.tsv'
    """
    name = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in site or "all")
    return output_dir / f"target_{name}.tsv"
