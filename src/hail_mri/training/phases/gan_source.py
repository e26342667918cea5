"""Where a run of Liu et al.'s networks has its slices from: real scans, simulated ones, or both, as our own runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.preprocess.reference import mni_reference
from hail_mri.simulation.scanners import site_by_name
from hail_mri.training.data.label_map_split import split_label_maps
from hail_mri.training.data.mixed_source import MixedSource
from hail_mri.training.data.scan_pairs import ScanSource
from hail_mri.training.data.scan_slices import SliceSource
from hail_mri.training.data.scan_split import Phase, ScanSplit, split_scans
from hail_mri.training.data.scan_table import read_scan_table
from hail_mri.training.data.simulator import Simulator
from hail_mri.training.data.slice_pairs import SlicePairSettings, draw_slice_pair
from hail_mri.training.data.source import SampleSource
from hail_mri.training.gan_settings import GanTrainingSettings
from hail_mri.training.phases.paper_source import PairFiles

SPLIT_AS: Phase = "style"  # subjects that our own phase 2 learns from


def make_slice_source(
    files: PairFiles, settings: GanTrainingSettings, out_dir: Path
) -> tuple[SampleSource, ScanSplit | None]:
    """
    Make the source of pairs of slices; nothing is prepared yet.

    Parameters
    ----------
    files : PairFiles
    settings : GanTrainingSettings
    out_dir : Path
        Of the run, where heads and prepared scans are kept.

    Returns
    -------
    source : SampleSource
    split : ScanSplit or None
        Of the real scans; that of our own phase 2.

    Raises
    ------
    InputError, MissingFileError
        If files and settings do not agree, or what they name cannot be used.
    """
    _require_agreement(files, settings)
    simulated = None if files.label_maps is None else _simulator(files.label_maps, settings, out_dir)
    if files.scans is None:
        if simulated is None:
            raise AssertionError("files were checked")
        return simulated, None
    split = split_scans(read_scan_table(files.scans), held_out=settings.scans.held_out_sites, seed=settings.data.seed)
    real = SliceSource(_scans(split, settings, out_dir), settings.data.spacing_mm)
    if simulated is None:
        return real, split
    return MixedSource(real, simulated, settings.scans.simulated_share), split


def _simulator(label_maps: Path, settings: GanTrainingSettings, out_dir: Path) -> Simulator:
    """Return simulated slices."""
    for name in settings.data.sites:
        site_by_name(name)  # raises if there is none
    draw = partial(draw_slice_pair, settings=SlicePairSettings(settings.data.sites, settings.data.flips))
    return Simulator(split_label_maps(label_maps), out_dir / "heads", settings.data, draw)


def _scans(split: ScanSplit, settings: GanTrainingSettings, out_dir: Path) -> ScanSource:
    """Return real scans, registered to the MNI152 brain."""
    data = settings.data
    return ScanSource(
        split,
        SPLIT_AS,
        out_dir / "scans",
        partial(mni_reference, spacing=data.spacing_mm, size=max(data.shape)),
        settings.scans.preset,
        settings.scans.bad_scans,
        data.patch,
        data.flips,
        data.seed,
    )


def _require_agreement(files: PairFiles, settings: GanTrainingSettings) -> None:
    """Refuse what cannot be learned from, before anything is prepared."""
    if files.scans is None and files.label_maps is None:
        raise InputError("there is nothing to learn from", "give --scans TABLE, --label-maps FOLDER, or both")
    share = settings.scans.simulated_share
    if files.scans is not None and bool(share) != (files.label_maps is not None):
        raise InputError(
            f"scans.simulated_share is {share:g} and label maps are {'not ' * (files.label_maps is None)}given",
            "to mix simulated scans in, give --label-maps and a share above 0; else neither",
        )
