"""The target that is chosen by itself: the medoid scan of a site, with a table of the distances beside the results."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.bids.plan import Plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.bids.targets import Auto, Targets
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.apps.terminal import progress
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import HarmonizeSettings

if TYPE_CHECKING:
    from hail_mri.apps.engine.workers import Workers
    from hail_mri.apps.suggest_target import Candidate

STYLES_DIR = "styles"


def measure_target(auto: Auto, request: AppRequest, plan: Plan, workers: "Workers") -> Targets:
    """Find the medoid of a site's scans, and write the table of their distances.

    Scans whose masks are not clear are not asked: they are in no table.

    Raises
    ------
    InputError
        If no scan of the site can be its example.
    UnwritableError
        If the table cannot be written.
    """
    from hail_mri.apps.suggest_target import suggest_target, write_candidates

    masks = _masks_of_examples(auto, plan)
    with progress(f"choosing the target among scans of {auto.name}", total=len(masks)) as advance:
        candidates = suggest_target(
            list(masks),
            _settings(request),
            masks=masks,
            kept_dir=request.work_dir / STYLES_DIR,
            workers=workers,
            advance=advance,
        )
    write_candidates(candidates, candidates_path(request.output_dir, auto.site))
    return _targets(candidates, masks, plan)


def kept_target(auto: Auto, request: AppRequest, plan: Plan) -> Targets | None:
    """Return what `measure_target` would, if an earlier run has kept the styles of all scans; nothing is written."""
    masks = _masks_of_examples(auto, plan)
    kept_dir = request.work_dir / STYLES_DIR
    if not kept_dir.is_dir():
        return None
    from hail_mri.apps.suggest_target import suggest_kept

    candidates = suggest_kept(list(masks), _settings(request), kept_dir, masks=masks)
    return None if candidates is None else _targets(candidates, masks, plan)


def candidates_path(output_dir: Path, site: str) -> Path:
    """Return where the table of distances goes.

    Examples
    --------
    >>> candidates_path(Path("out"), "Siemens 3T/b").as_posix()
    'out/target_Siemens-3T-b.tsv'
    """
    name = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in site or "all")
    return output_dir / f"target_{name}.tsv"


def _masks_of_examples(auto: Auto, plan: Plan) -> dict[Path, Mapping[str, Path]]:
    """Return the scans that may be the target, with the masks of each."""
    clear = [scan for scan in auto.examples if scan not in plan.masks.refused]
    if not clear:
        scan = auto.examples[0]
        raise InputError(
            f"no scan of {auto.name} has clear masks, for instance {scan.path}: {plan.masks.refused[scan]}"
        )
    return {scan.path: plan.masks.of(scan) for scan in clear}


def _settings(request: AppRequest) -> HarmonizeSettings:
    """Return the settings, with the number of threads that workers take: distances depend on it."""
    return replace(request.settings, threads=request.threads or 1)


def _targets(candidates: "list[Candidate]", masks: Mapping[Path, Mapping[str, Path]], plan: Plan) -> Targets:
    """Return the first candidate as the target of all."""
    path = candidates[0].path
    target = TargetFiles(path, is_style_card=False, **masks[path])
    return Targets(dict.fromkeys(plan.selection.scans, target))
