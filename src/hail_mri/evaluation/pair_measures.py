"""Everything that is measured of one line of a table of results, number by number, each with its region and unit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

import numpy as np

from hail_mri.evaluation.background_leak import background_leak
from hail_mri.evaluation.comparison import RANGE_PERCENTILE
from hail_mri.evaluation.divergence import jensen_shannon_divergence
from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.evaluation.gradients import edge_agreement, gradient_alignment, gradient_correlation
from hail_mri.evaluation.lesions import lesion_change, lesion_changes, share_of_lesions
from hail_mri.evaluation.measured import PERCENT, SHARE, UNITS, Measured, measured_distances, value_or_reason
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.metrics import mae, psnr, ssim
from hail_mri.evaluation.monotonicity import monotonicity
from hail_mri.evaluation.pair_labels import labels_of_pair
from hail_mri.evaluation.pair_scans import PairScans, Scale, read_pair_scans
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.segmentation_engines import Segmentation
from hail_mri.evaluation.structure_measures import BRAIN, HEAD, NO_BRAIN, measure_structures
from hail_mri.evaluation.tissue_measures import measure_tissues
from hail_mri.evaluation.tissue_profile import TissueProfile, tissue_profiles
from hail_mri.evaluation.units_in_doubt import units_in_doubt
from hail_mri.evaluation.wasserstein import nwd
from hail_mri.image.mask import MASK_THRESHOLD, check_mask
from hail_mri.image.nifti import read_volume

IMAGE, LESION = "image", "lesion"
NO_TRUTH, NO_LESION = "there is no truth", "there is no lesion mask"
EMPTY_LESION = "the lesion mask is empty"  # a patient without lesions: all else is scored


@dataclass(frozen=True)
class MeasureSettings:
    """How results are scored.

    Attributes
    ----------
    scale : "units" or "min-max"
        Results are in the target's units, to which the source is brought by a straight line (that of its robust range);
        or every image goes to [0, 1] by its darkest and brightest voxel, as in the paper, whatever units a tool writes.
    segmentation : "atropos", "synthseg", "freesurfer", "given" or "none"
        Who finds the tissues by which volumes and tissue histograms are compared: Atropos in the brain masks, SynthSeg,
        FreeSurfer before (label maps of the table, on its grid), whoever made the label maps of the table, or nobody.
    """

    scale: Scale = "units"
    segmentation: Segmentation = "atropos"


@dataclass(frozen=True)
class PairMeasures:
    """What was measured of a line.

    Attributes
    ----------
    numbers : tuple of Measured
        The same metrics in the same order for every line; what cannot be had for this one says why.
    profiles : tuple of TissueProfile
        Of the head and, unless nobody segments, of the tissues, in each scan.
    segmentation : str
        Who found the tissues, and on which grid; empty where nobody segments.
    structures : mapping of str to FoundStructures
        What was lost and what appeared, by metric, as maps on the source's grid.
    warnings : tuple of str
        What speaks against the units of result and truth.
    """

    numbers: tuple[Measured, ...]
    profiles: tuple[TissueProfile, ...]
    segmentation: str = ""
    structures: Mapping[str, FoundStructures] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def measure_pair(row: PairRow, settings: MeasureSettings, labels_dir: Path | None = None) -> PairMeasures:
    """Score a line of a table.

    Parameters
    ----------
    row : PairRow
    settings : MeasureSettings
    labels_dir : Path, optional
        Where label maps are kept, so that a scan of several lines is segmented once.

    Returns
    -------
    PairMeasures

    Raises
    ------
    MissingFileError, InputError
        If a file is not there or cannot be read, result, truth, masks and labels do not lie on the grid of their scan,
        a scan is constant, a mask empty, no head is found, or tissues are wanted and cannot be had.
    """
    row.require_files()
    scans = read_pair_scans(row, settings.scale)
    labels = None if settings.segmentation == "none" else labels_of_pair(row, settings.segmentation, labels_dir)
    of_structures, maps = measure_structures(scans)
    numbers = (
        *_of_histograms(scans),
        *_of_anatomy(scans),
        *_against_truth(scans),
        *of_structures,
        *_of_lesions(scans, row),
        *(() if labels is None else measure_tissues(scans, labels)),
    )
    told = "" if labels is None else f"{settings.segmentation}, {labels.made_on}"
    profiles = tuple(tissue_profiles(scans, labels))
    warnings = tuple(units_in_doubt(scans, profiles)) if settings.scale == "units" else ()
    return PairMeasures(numbers, profiles, told, maps, warnings)


def _of_histograms(scans: PairScans) -> Iterator[Measured]:
    """Measure how far the histogram has moved: equation 1 of the paper, and what is left to the target's."""
    i, t, p = scans.source.data, scans.target.data, scans.harmonized.data  # as named in equation 1
    yield from measured_distances(nwd(i, t, p), IMAGE)
    yield from measured_distances(nwd(i[scans.head], t[scans.target_head], p[scans.head]), HEAD)
    divergence = jensen_shannon_divergence(t[scans.target_head], p[scans.head])
    yield Measured("Jensen-Shannon(t,p)", HEAD, "bit", Measurement(divergence))


def _of_anatomy(scans: PairScans) -> Iterator[Measured]:
    """Measure whether the result shows what the source shows."""
    source, result, spacing = scans.source.data, scans.harmonized.data, scans.source.spacing
    for name, metric in (
        ("gradient alignment", gradient_alignment),
        ("gradient correlation", gradient_correlation),
        ("edge agreement", edge_agreement),
    ):
        yield Measured(name, HEAD, SHARE, metric(source, result, mask=scans.head, spacing=spacing))
    yield Measured("monotonicity", HEAD, SHARE, monotonicity(source, result, mask=scans.head))
    leak = background_leak(source, result, scans.head)
    for name, value in (("background leak", leak.share), ("background excess", leak.excess)):
        yield Measured(name, IMAGE, PERCENT, value_or_reason(value, leak.reason))


def _against_truth(scans: PairScans) -> Iterator[Measured]:
    """Measure how far the result is from the truth; everything counts by the truth's range in the head."""
    for region, mask in ((HEAD, scans.head), (BRAIN, scans.brain)):
        missing = NO_TRUTH if scans.truth is None else NO_BRAIN if mask is None else ""
        if scans.truth is None or mask is None:
            found = [Measurement.undefined(missing)] * 3
        else:
            result, truth = scans.harmonized.data, scans.truth.data
            data_range = float(np.percentile(truth[scans.head], RANGE_PERCENTILE))
            found = [
                Measurement(psnr(result, truth, data_range=data_range, mask=mask)),
                Measurement(ssim(result, truth, data_range=data_range, mask=mask)),
                Measurement(mae(result, truth, mask=mask)),
            ]
        for (metric, unit), measurement in zip((("PSNR", "dB"), ("SSIM", SHARE), ("MAE", UNITS)), found, strict=True):
            yield Measured(metric, region, unit, measurement)


def _of_lesions(scans: PairScans, row: PairRow) -> Iterator[Measured]:
    """Measure what became of the lesions that are outlined."""
    found = _lesion_numbers(scans, row)
    names = (
        ("contrast-to-noise before", SHARE),
        ("contrast-to-noise after", SHARE),
        ("lesions reversed", SHARE),
        ("lesions not shown", SHARE),
        ("edge sharpness", PERCENT),
        ("volume found", PERCENT),
        ("Dice", SHARE),
        ("shift", "mm"),
    )
    for n, (metric, unit) in enumerate(names):
        measurement = Measurement.undefined(found) if isinstance(found, str) else found[n]
        yield Measured(metric, LESION, unit, measurement)


def _lesion_numbers(scans: PairScans, row: PairRow) -> list[Measurement] | str:
    """Return what was measured of lesions, or why nothing was."""
    path = row.files.get("lesion_mask")
    if path is None:
        return NO_LESION
    mask = read_volume(path)
    if mask.data.max() <= MASK_THRESHOLD:
        return EMPTY_LESION
    check_mask(
        mask, scans.source, mask_name=f"the lesion_mask {path}", scan_name=str(row.files["source"]), of="lesions"
    )
    if scans.brain is None:
        return NO_BRAIN
    lesions, spacing = mask.data > MASK_THRESHOLD, scans.source.spacing
    source, result = scans.source.data, scans.harmonized.data
    change = lesion_change(source, result, lesion=lesions, brain=scans.brain, spacing=spacing)
    parts = list(lesion_changes(source, result, lesions=lesions, brain=scans.brain, spacing=spacing))
    shares = [share_of_lesions(parts, happened) for happened in (attrgetter("is_reversed"), attrgetter("is_erased"))]
    contrasts = [change.contrast_before, change.contrast_after]
    return [*contrasts, *shares, change.sharpness, change.volume, change.overlap, change.shift]
