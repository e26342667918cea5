"""One scan, several methods: how close each comes to the truth, and how far it moves the histogram.

Everything is compared in the target's scanner units. Methods return these.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.do_nothing import rescale, robust_scale
from hail_mri.baselines.histogram import match_histogram_exact, match_histogram_simpleitk
from hail_mri.baselines.min_max import match_min_max
from hail_mri.baselines.nyul import match_nyul_landmarks
from hail_mri.baselines.white_stripe import match_white_stripe
from hail_mri.baselines.z_score import match_z_score
from hail_mri.errors import InputError
from hail_mri.evaluation.metrics import psnr, ssim
from hail_mri.evaluation.oracle import best_single_curve
from hail_mri.evaluation.score import Score
from hail_mri.evaluation.scored_pair import ScoredPair, check_on_source_grid
from hail_mri.evaluation.wasserstein import nwd
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask

DO_NOTHING = "do nothing (rescaled)"
EXACT_MATCHING = "histogram matching, exact"
SIMPLEITK_MATCHING = "histogram matching, SimpleITK"
MIN_MAX, Z_SCORE, WHITE_STRIPE, NYUL = "min-max", "z-score", "WhiteStripe", "Nyul-Udupa"
ORACLE = "best single curve (oracle)"
RESCAN = "rescan (floor)"

# All that can be done without a network, from source and target; in the order of tables.
BASELINES: Mapping[str, Callable[[Volume, Volume], Volume]] = {
    DO_NOTHING: rescale,
    EXACT_MATCHING: match_histogram_exact,
    SIMPLEITK_MATCHING: match_histogram_simpleitk,
    MIN_MAX: match_min_max,
    Z_SCORE: match_z_score,
    WHITE_STRIPE: match_white_stripe,
    NYUL: match_nyul_landmarks,
}

RANGE_PERCENTILE = 99.0  # of the truth in the head: it counts as everything; fat and vessels may go beyond


def baseline_results(pair: ScoredPair) -> dict[str, Volume]:
    """Do what can be done without a network, by method.

    Parameters
    ----------
    pair : ScoredPair
        The truth is not looked at.

    Returns
    -------
    results : dict of str to Volume
        What each of `BASELINES` makes of the source; on its own grid, in the target's unit. Those that look at heads
        are given those of the pair, if it has both.

    Raises
    ------
    InputError
        If no head is found.
    """
    return _baselines(pair, _measure(pair))


def score_results(pair: ScoredPair, results: Mapping[str, Volume]) -> list[Score]:
    """Score results by what is known of the pair, in their order.

    Parameters
    ----------
    pair : ScoredPair
    results : mapping of str to Volume
        By method: the source harmonized to the target, on the source's grid, in the target's unit.

    Returns
    -------
    scores : list of Score
        Without a truth there is no PSNR and no SSIM, without a brain mask none of the brain. nWD is of the heads, and
        is missing only where source and target have one histogram: then there was nothing to move.

    Raises
    ------
    InputError
        If a result is on another grid, no head is found, or the truth is dark where the head is.

    Notes
    -----
    `data_range` of PSNR and SSIM is the truth's 99th percentile in the head, for the brain too, and the same for all
    methods. The head is that of `head_mask` in the pair; without one, the one that `head_mask` finds in the source.

    nWD compares the head of the source with that of the target, so both must be outlined in one way: they are those of
    the pair if it has both, and otherwise both found. Its source is rescaled to the target's unit, as the paper's scans
    are to [0, 1].
    """
    return _scores(pair, results, _measure(pair))


def compare(pair: ScoredPair, results: Mapping[str, Volume]) -> list[Score]:
    """Score results beside the baselines and, where there is a truth, the single-curve oracle and the rescan.

    Parameters
    ----------
    pair : ScoredPair
    results : mapping of str to Volume
        As for `score_results`.

    Returns
    -------
    scores : list of Score
        The baselines, the oracle (fitted in the head), the results in their order, the rescan.

    Raises
    ------
    InputError
        As `score_results`, and if a result has the name of one of the others.

    Notes
    -----
    The oracle alone is fitted to the truth.
    """
    taken = {*BASELINES, ORACLE, RESCAN}.intersection(results)
    if taken:
        raise InputError(f"a result is named {min(taken)!r}, as one of ours", hint="give it another name")
    measured = _measure(pair)
    beside, floor = _baselines(pair, measured), {}
    if pair.truth is not None:
        curve = best_single_curve(pair.source.data, pair.truth.data, _head(pair, measured))
        beside[ORACLE] = pair.source.with_data(curve)
    if pair.rescan is not None:
        floor[RESCAN] = pair.rescan
    return _scores(pair, {**beside, **results, **floor}, measured)


class _Measured(NamedTuple):
    """What is measured on both scans once: their heads, bool on their grids, and their robust scales."""

    source_head: NDArray[np.bool_]
    target_head: NDArray[np.bool_]
    source_scale: LinearScale
    target_scale: LinearScale


def _measure(pair: ScoredPair) -> _Measured:
    """Take both heads as they are given, or find both; and find the scales that harmonization gives the scans."""
    scales = (robust_scale(scan) for scan in (pair.source, pair.target))
    if pair.head_mask is not None and pair.target_head_mask is not None:
        return _Measured(pair.head_mask, pair.target_head_mask, *scales)
    return _Measured(head_mask(pair.source), head_mask(pair.target), *scales)


def _head(pair: ScoredPair, measured: _Measured) -> NDArray[np.bool_]:
    """Return where results are compared with the truth."""
    return measured.source_head if pair.head_mask is None else pair.head_mask


def _rescaled(source: Volume, measured: _Measured) -> Volume:
    """Bring the source to the target's unit by a straight line."""
    return source.with_data(measured.target_scale.invert(measured.source_scale.apply(source.data)))


def _baselines(pair: ScoredPair, measured: _Measured) -> dict[str, Volume]:
    """Run all baselines; scales and heads that are known already are not found again."""
    source, target = pair.source, pair.target
    here, there = measured.source_head, measured.target_head
    known = {
        DO_NOTHING: _rescaled(source, measured),
        EXACT_MATCHING: match_histogram_exact(source, target, source_mask=here, target_mask=there),
        Z_SCORE: match_z_score(source, target, source_mask=here, target_mask=there),
        NYUL: match_nyul_landmarks(source, target, source_mask=here, target_mask=there),
    }
    return {name: known[name] if name in known else run(source, target) for name, run in BASELINES.items()}


def _scores(pair: ScoredPair, results: Mapping[str, Volume], measured: _Measured) -> list[Score]:
    """Check all results, then score one after the other."""
    for name, result in results.items():
        check_on_source_grid(result, pair.source, f"the result of {name!r}")
    ends = _rescaled(pair.source, measured).data[measured.source_head], pair.target.data[measured.target_head]
    head, scores = _head(pair, measured), []
    for name, result in results.items():
        psnr_head, ssim_head = _against_truth(result, pair.truth, head, head)
        psnr_brain, ssim_brain = _against_truth(result, pair.truth, head, pair.brain_mask)
        moved = nwd(*ends, result.data[measured.source_head])
        scores.append(Score(name, psnr_head, ssim_head, psnr_brain, ssim_brain, moved.ip, moved.tp))
    return scores


def _against_truth(
    result: Volume, truth: Volume | None, head: NDArray[np.bool_], mask: NDArray[np.bool_] | None
) -> tuple[float, float] | tuple[None, None]:
    """Return PSNR and SSIM in a mask, or nothing where truth or mask is not known."""
    if truth is None or mask is None:
        return None, None
    data_range = float(np.percentile(truth.data[head], RANGE_PERCENTILE))
    if data_range <= 0:
        raise InputError(
            f"the truth is dark in the head: its {RANGE_PERCENTILE:g}th percentile is {data_range:g}, expected above 0",
            hint="check that truth and head mask belong together",
        )
    values = [metric(result.data, truth.data, data_range=data_range, mask=mask) for metric in (psnr, ssim)]
    return values[0], values[1]
