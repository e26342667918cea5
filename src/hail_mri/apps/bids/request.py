"""What a person asks of the BIDS App."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hail_mri.apps.bids.masks import MaskChoice
from hail_mri.harmonize.settings import HarmonizeSettings

Level = Literal["participant", "group"]
AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class AppRequest:
    """A run of the App.

    Attributes
    ----------
    dataset_dir, output_dir : Path
    participants, sessions : tuple of str
        Labels with or without `sub-` and `ses-`; all if there are none.
    filter_path : Path or None
    target : str or None
        A scan, a style card, a table of targets by site, or `auto`: the medoid scan of `target_site`.
    target_site : str or None
    site_from : str or None
        See `find_sites`.
    lesion_masks, brain_masks : MaskChoice
        Whether masks are taken from data sets of derivatives. What was erased cannot be told from a result, so lesions
        are looked for unless they are not wanted; the brain is found without a mask, and one of another program changes
        results.
    derivatives : tuple of Path
        Data sets with masks, beside those in the raw one.
    work_dir : Path
        Where styles of scans are kept.
    n_processes, threads, memory_gb, dask_scheduler
        As those of the workers.
    settings : HarmonizeSettings
    skip_validation, overwrite, reports : bool
    verbosity : int
    """

    dataset_dir: Path
    output_dir: Path
    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    filter_path: Path | None = None
    target: str | None = None
    target_site: str | None = None
    site_from: str | None = None
    lesion_masks: MaskChoice = "auto"
    brain_masks: MaskChoice = "none"
    derivatives: tuple[Path, ...] = ()
    work_dir: Path
    n_processes: int | None = None
    threads: int | None = None
    memory_gb: float | None = None
    dask_scheduler: str | None = None
    settings: HarmonizeSettings = field(default_factory=HarmonizeSettings)
    skip_validation: bool = False
    overwrite: bool = False
    reports: bool = True
    verbosity: int = 0
