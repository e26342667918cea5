"""Where a run of the paper's phases has its pairs from: real scans, simulated ones, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.preprocess.reference import mni_reference
from hail_mri.simulation.scanners import site_by_name
from hail_mri.training.data.heads import fill_store
from hail_mri.training.data.label_map_split import split_label_maps
from hail_mri.training.data.mixed_source import MixedSource
from hail_mri.training.data.scan_pairs import ScanSource
from hail_mri.training.data.scan_split import Phase, ScanSplit, split_scans
from hail_mri.training.data.scan_table import read_scan_table
from hail_mri.training.data.simulated_pairs import PairSettings, draw_pair
from hail_mri.training.data.simulator import Simulator
from hail_mri.training.data.source import SampleSource
from hail_mri.training.data.whole_scans import WholeScan, mixed_scans, real_scans, simulated_scans
from hail_mri.training.settings import TrainingSettings

MOST_SCANS = 48  # of which the styles are measured that go with the weights
SCANS_OF_A_HEAD = 2  # at most; to place a head takes longer than to scan it


@dataclass(frozen=True)
class PairFiles:
    """What a run is given to learn from.

    Attributes
    ----------
    label_maps : Path or None
        Folder of FreeSurfer-style label maps, of which heads are simulated.
    scans : Path or None
        Table of real scans, see `scan_table`.
    """

    label_maps: Path | None = None
    scans: Path | None = None


def make_source(
    files: PairFiles, settings: TrainingSettings, phase: Phase, out_dir: Path
) -> tuple[SampleSource, ScanSplit | None]:
    """
    Make the source of a phase's pairs; nothing is prepared yet.

    Parameters
    ----------
    files : PairFiles
    settings : TrainingSettings
    phase : "encoder" or "style"
    out_dir : Path
        Of the run, where heads and prepared scans are kept.

    Returns
    -------
    source : SampleSource
    split : ScanSplit or None
        Of the real scans.

    Raises
    ------
    InputError, MissingFileError
        If files and settings do not agree, or what they name cannot be used.
    """
    _require_agreement(files, settings, phase)
    simulated = None if files.label_maps is None else _simulator(files.label_maps, settings, phase, out_dir)
    if files.scans is None:
        if simulated is None:
            raise AssertionError("files were checked")
        return simulated, None
    split = _split(files.scans, settings)
    real = _scans(split, settings, phase, out_dir)
    if simulated is None:
        return real, split
    return MixedSource(real, simulated, settings.scans.simulated_share), split


def place_heads(files: PairFiles, settings: TrainingSettings, out_dir: Path, say: Callable[[str], None]) -> None:
    """Place the heads that `whole_scans` needs, if there are label maps and no run has placed them."""
    if files.label_maps is None:
        return
    data, paths = settings.data, split_label_maps(files.label_maps).train
    n_heads = _n_heads(settings)
    store_dir = out_dir / "heads" / "train"
    for n in fill_store(store_dir, paths, n_heads=n_heads, shape=data.shape, spacing=data.spacing_mm, seed=data.seed):
        say(f"{n} of {n_heads} heads are placed")


def whole_scans(
    files: PairFiles, settings: TrainingSettings, phase: Phase, out_dir: Path, say: Callable[[str], None]
) -> Iterator[WholeScan]:
    """
    Return whole scans like those that a phase learns from; its source has to be prepared.

    Parameters
    ----------
    files, settings, phase, out_dir
        As of `make_source`.
    say : callable
        Takes one line at a time.

    Yields
    ------
    scan : WholeScan
        At most `MOST_SCANS`, real and simulated ones in the proportion of pairs, in an order that the settings' seed
        shuffles, so that the first are not of one site alone; a simulated head is scanned twice at most.
    """
    share = settings.scans.simulated_share if files.scans is not None else 1.0
    n_heads = _n_heads(settings)
    n_simulated = min(round(MOST_SCANS * share), SCANS_OF_A_HEAD * n_heads)
    real: Iterator[WholeScan] = iter(())
    simulated: Iterator[WholeScan] = iter(())
    n_real, seed = 0, settings.data.seed
    if files.scans is not None:
        rows = _split(files.scans, settings).of(phase, "train")
        n_real = min(len(rows), MOST_SCANS - n_simulated)
        real = real_scans(rows, n_real, say, seed=seed)
    if files.label_maps is not None:
        simulated = simulated_scans(
            out_dir / "heads" / "train",
            split_label_maps(files.label_maps).train,
            settings.augmentation,
            sites=settings.data.sites,
            n_heads=n_heads,
            n_scans=n_simulated,
            seed=seed,
        )
    yield from mixed_scans(real, n_real, simulated, n_simulated, seed=seed)


def _n_heads(settings: TrainingSettings) -> int:
    """Return how many of the simulated heads are looked at whole."""
    return min(settings.data.n_heads, MOST_SCANS // SCANS_OF_A_HEAD)


def _split(scans: Path, settings: TrainingSettings) -> ScanSplit:
    """Return what every scan of a table is for."""
    return split_scans(read_scan_table(scans), held_out=settings.scans.held_out_sites, seed=settings.data.seed)


def _simulator(label_maps: Path, settings: TrainingSettings, phase: Phase, out_dir: Path) -> Simulator:
    """Return simulated pairs."""
    for name in settings.data.sites:
        site_by_name(name)  # raises if there is none
    pairs = PairSettings(
        settings.augmentation,
        settings.data.patch,
        settings.network.to_settings().stride,
        settings.data.sites,
        with_truth=phase == "style" and settings.losses.need_truth,
    )
    return Simulator(split_label_maps(label_maps), out_dir / "heads", settings.data, partial(draw_pair, settings=pairs))


def _scans(split: ScanSplit, settings: TrainingSettings, phase: Phase, out_dir: Path) -> ScanSource:
    """Return pairs of real scans, registered to the MNI152 brain."""
    data = settings.data
    return ScanSource(
        split,
        phase,
        out_dir / "scans",
        partial(mni_reference, spacing=data.spacing_mm, size=max(data.shape)),
        settings.scans.preset,
        settings.scans.bad_scans,
        data.patch,
        settings.augmentation.flips,
        data.seed,
    )


def _require_agreement(files: PairFiles, settings: TrainingSettings, phase: Phase) -> None:
    """Refuse what cannot be learned from, before anything is prepared."""
    if files.scans is None and files.label_maps is None:
        raise InputError("there is nothing to learn from", "give --scans TABLE, --label-maps FOLDER, or both")
    if files.scans is None:
        return
    if settings.data.patch == 0:
        raise InputError("data.patch is 0, expected an edge: patches of real scans come from the same location")
    if phase == "style" and settings.losses.need_truth:
        raise InputError(
            "losses.supervised and losses.prediction compare with a truth, which real scans do not have",
            "set both to 0",
        )
    share = settings.scans.simulated_share
    if bool(share) != (files.label_maps is not None):
        raise InputError(
            f"scans.simulated_share is {share:g} and label maps are {'not ' * (files.label_maps is None)}given",
            "to mix simulated scans in, give --label-maps and a share above 0; else neither",
        )
