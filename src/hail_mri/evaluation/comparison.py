"""One scan, several methods: how close each comes to the truth, and how far it moves the histogram.

Everything is compared in the target's scanner units. Methods return these. The truth is brought to them by one factor,
white matter to white matter, both known: the intensities of two scans of one scanner differ by the place of the coil,
which no method can know of. Contrast is what is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.histogram import match_histogram_exact, match_histogram_simpleitk
from hail_mri.errors import InputError
from hail_mri.evaluation.metrics import nwd, psnr, ssim
from hail_mri.evaluation.oracle import best_single_curve
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask
from hail_mri.preprocess.prepare import prepare
from hail_mri.simulation.travelling import TravellingPair

DO_NOTHING = "do nothing (rescaled)"
EXACT_MATCHING = "histogram matching, exact"
SIMPLEITK_MATCHING = "histogram matching, SimpleITK"
ORACLE = "best single curve (oracle)"
RESCAN = "rescan (floor)"

RANGE_PERCENTILE = 99.0  # of the truth in the head: it counts as everything; fat and vessels may go beyond
COARSE_MM, COARSE_STRIDE = 4.0, 8  # grid on which the levels of target and truth are read; any will do


@dataclass(frozen=True)
class Score:
    """One line of a comparison.

    Attributes
    ----------
    method : str
    psnr_head, psnr_brain : float
        dB, against the truth.
    ssim_head, ssim_brain : float
        At most 1, against the truth.
    nwd_ip, nwd_tp : float
        The paper's normalized Wasserstein distances, percent.
    """

    method: str
    psnr_head: float
    ssim_head: float
    psnr_brain: float
    ssim_brain: float
    nwd_ip: float
    nwd_tp: float


def baseline_results(source: Volume, target: Volume) -> dict[str, Volume]:
    """Do what can be done without a network, by method.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.

    Returns
    -------
    results : dict of str to Volume
        The source rescaled by the straight line that harmonization starts from, and matched to the target's histogram
        in two ways; on its own grid, in the target's unit.

    Raises
    ------
    InputError
        If no head is found, or it is constant.
    """
    return _baselines(source, target, _levels(source), _levels(target))


def compare(
    pair: TravellingPair, target: Volume, results: Mapping[str, Volume], *, target_white_matter: NDArray[np.bool_]
) -> list[Score]:
    """Score results beside the baselines, the single-curve oracle and the rescan.

    Parameters
    ----------
    pair : TravellingPair
        The source with its truth, rescan and masks.
    target : Volume
        The example all methods were given, any grid.
    results : mapping of str to Volume
        By method: the source harmonized to the target, on the source's grid, in the target's unit.
    target_white_matter : (I, J, K) array of bool
        Where the target is pure white matter.

    Returns
    -------
    scores : list of Score
        The baselines, the oracle (fitted in the head), the results in their order, the rescan.

    Raises
    ------
    InputError
        If a result is on another grid, a mask is empty, or no head is found.

    Notes
    -----
    `data_range` of PSNR and SSIM is the truth's 99th percentile in the head, for the brain too, and the same for all
    methods. The oracle alone is fitted to the truth.
    """
    of_source, of_target = _levels(pair.source), _levels(target)
    pair = in_target_units(pair, target, target_white_matter)
    curve = best_single_curve(pair.source.data, pair.truth.data, pair.head_mask)
    oracle = pair.source.with_data(curve)
    baselines = _baselines(pair.source, target, of_source, of_target)
    every = {**baselines, ORACLE: oracle, **results, RESCAN: pair.rescan}
    moved = _distances(pair.source, target, every, of_source, of_target)
    return [_score(name, result, pair, moved[name]) for name, result in every.items()]


def in_target_units(pair: TravellingPair, target: Volume, target_white_matter: NDArray[np.bool_]) -> TravellingPair:
    """Bring truth and rescan to the units of the target, both by one factor: white matter to white matter.

    Parameters
    ----------
    pair : TravellingPair
    target : Volume
        Any grid.
    target_white_matter : (I, J, K) array of bool
        Where the target is pure white matter.

    Returns
    -------
    pair : TravellingPair
        Source and masks as they were.

    Raises
    ------
    InputError
        If there is no white matter in one of them.
    """
    if not (pair.white_matter.any() and target_white_matter.any()):
        raise InputError("no voxel of pure white matter, expected some in truth and target")
    factor = target.data[target_white_matter].mean() / pair.truth.data[pair.white_matter].mean()
    truth, rescan = (volume.with_data(volume.data * factor) for volume in (pair.truth, pair.rescan))
    return pair._replace(truth=truth, rescan=rescan)


def histogram_distances(
    source: Volume, target: Volume, results: Mapping[str, Volume]
) -> dict[str, tuple[float, float]]:
    """Measure how far each result has moved the histogram of the head; no truth is needed.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.
    results : mapping of str to Volume
        By method, on the source's grid, in the target's unit.

    Returns
    -------
    distances : dict of str to (float, float)
        nWD(i, p) and nWD(t, p) in percent; i is the source rescaled to the target's unit, as the paper's scans are to
        [0, 1].

    Raises
    ------
    InputError
        If a result is on another grid, or no head is found.
    """
    return _distances(source, target, results, _levels(source), _levels(target))


class _Levels(NamedTuple):
    """What is measured on a scan once: its head, (I, J, K) bool, and its robust scale."""

    head: NDArray[np.bool_]
    scale: LinearScale


def _levels(volume: Volume) -> _Levels:
    """Find the head, and the scale that harmonization gives the scan."""
    return _Levels(head_mask(volume), prepare(volume, spacing=COARSE_MM, stride=COARSE_STRIDE).scale)


def _rescaled(volume: Volume, own: _Levels, wanted: _Levels) -> Volume:
    """Bring a scan from one unit to another by a straight line."""
    return volume.with_data(wanted.scale.invert(own.scale.apply(volume.data)))


def _baselines(source: Volume, target: Volume, of_source: _Levels, of_target: _Levels) -> dict[str, Volume]:
    """Do nothing, and match histograms."""
    masks = {"source_mask": of_source.head, "target_mask": of_target.head}
    return {
        DO_NOTHING: _rescaled(source, of_source, of_target),
        EXACT_MATCHING: match_histogram_exact(source, target, **masks),
        SIMPLEITK_MATCHING: match_histogram_simpleitk(source, target),
    }


def _distances(
    source: Volume, target: Volume, results: Mapping[str, Volume], of_source: _Levels, of_target: _Levels
) -> dict[str, tuple[float, float]]:
    """Measure nWD of every result in the heads."""
    for name, result in results.items():
        if not result.grid.is_close(source.grid):
            raise InputError(f"the result {name!r} is not on the source's grid (shapes {result.shape}, {source.shape})")
    ends = _rescaled(source, of_source, of_target).data[of_source.head], target.data[of_target.head]
    return {name: nwd(*ends, result.data[of_source.head]) for name, result in results.items()}


def _score(method: str, result: Volume, pair: TravellingPair, moved: tuple[float, float]) -> Score:
    """Compare one result with the truth in head and brain."""
    data_range = float(np.percentile(pair.truth.data[pair.head_mask], RANGE_PERCENTILE))
    (psnr_head, ssim_head), (psnr_brain, ssim_brain) = (
        [metric(result.data, pair.truth.data, data_range=data_range, mask=mask) for metric in (psnr, ssim)]
        for mask in (pair.head_mask, pair.brain_mask)
    )
    return Score(method, psnr_head, ssim_head, psnr_brain, ssim_brain, *moved)
