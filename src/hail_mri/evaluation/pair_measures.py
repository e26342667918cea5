"""Everything that is measured of one line of a table of results, number by number, each with its region and unit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hail_mri.evaluation.background_leak import background_leak
from hail_mri.evaluation.comparison import RANGE_PERCENTILE
from hail_mri.evaluation.divergence import jensen_shannon_divergence
from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.evaluation.gradients import edge_agreement, gradient_alignment, gradient_correlation
from hail_mri.evaluation.label_schemes import scheme_of
from hail_mri.evaluation.lesions import lesion_change
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.metrics import mae, psnr, ssim
from hail_mri.evaluation.monotonicity import monotonicity
from hail_mri.evaluation.overlap import dice_of_structures
from hail_mri.evaluation.pair_labels import Segmentation, labels_of_pair
from hail_mri.evaluation.pair_scans import PairScans, Scale, read_pair_scans
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.structure_nwd import nwd_of_structures
from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures
from hail_mri.evaluation.volume_difference import ravd_of_structures
from hail_mri.evaluation.wasserstein import NormalizedDistance, nwd
from hail_mri.image.mask import MASK_THRESHOLD, load_mask

IMAGE, HEAD, BRAIN, LESION = "image", "head", "brain", "lesion"
NO_TRUTH, NO_BRAIN, NO_LESION = "there is no truth", "there is no brain mask", "there is no lesion mask"
PERCENT, UNITS, SHARE = "%", "units compared", "1"
LOST, APPEARED = "lost structures", "appeared structures"


@dataclass(frozen=True)
class Measured:
    """A number of a result.

    Attributes
    ----------
    metric : str
    region : str
        Where: image, head, brain, or a structure.
    unit : str
    measurement : Measurement
        Its value, or why there is none.
    """

    metric: str
    region: str
    unit: str
    measurement: Measurement


@dataclass(frozen=True)
class MeasureSettings:
    """How results are scored.

    Attributes
    ----------
    scale : "units" or "min-max"
        Results are in the target's units, to which the source is brought by a straight line (that of its robust range);
        or every image goes to [0, 1] by its darkest and brightest voxel, as in the paper, whatever units a tool writes.
    segmentation : "atropos", "given" or "none"
        Who finds the tissues by which volumes and tissue histograms are compared: Atropos in the brain masks, the label
        maps of the table, or nobody.
    """

    scale: Scale = "units"
    segmentation: Segmentation = "atropos"


def measure_pair(
    row: PairRow, settings: MeasureSettings, *, keep: Callable[[str, FoundStructures], object] | None = None
) -> list[Measured]:
    """Score a line of a table.

    Parameters
    ----------
    row : PairRow
    settings : MeasureSettings
    keep : callable, optional
        Is given what was lost and what appeared, by metric, as maps on the source's grid: in the brain mask, if there
        is one, what the search of the brain has found, elsewhere that of the head.

    Returns
    -------
    measured : list of Measured
        The same metrics in the same order for every line; what cannot be had for this one says why.

    Raises
    ------
    MissingFileError, InputError
        If a file is not there or cannot be read, result, truth, masks and labels do not lie on the grid of their scan,
        a scan is constant, a mask empty, no head is found, or tissues are wanted and cannot be had.
    """
    row.require_files()
    scans = read_pair_scans(row, settings.scale)
    return [
        *_of_histograms(scans),
        *_of_anatomy(scans),
        *_against_truth(scans),
        *_of_structures(scans, keep),
        *_of_lesions(scans, row),
        *_of_tissues(scans, row, settings.segmentation),
    ]


def _of_histograms(scans: PairScans) -> Iterator[Measured]:
    """Measure how far the histogram has moved: equation 1 of the paper, and what is left to the target's."""
    i, t, p = scans.source.data, scans.target.data, scans.harmonized.data  # as named in equation 1
    yield from _distances(nwd(i, t, p), IMAGE)
    yield from _distances(nwd(i[scans.head], t[scans.target_head], p[scans.head]), HEAD)
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
        yield Measured(name, IMAGE, PERCENT, _or_reason(value, leak.reason))


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


def _of_structures(scans: PairScans, keep: Callable[[str, FoundStructures], object] | None) -> Iterator[Measured]:
    """Search the head for what was lost and what appeared, and then the brain, whose curves the scalp does not draw."""
    source, result, spacing = scans.source.data, scans.harmonized.data, scans.source.spacing
    for metric, search in ((LOST, lost_structures), (APPEARED, appeared_structures)):
        found = search(source, result, mask=scans.head, spacing=spacing)
        yield from _numbers_of_search(metric, HEAD, found)
        of_brain = None
        if scans.brain is not None:
            of_brain = search(source, result, mask=scans.brain, spacing=spacing)
            found = FoundStructures(np.where(scans.brain, of_brain.contrast, found.contrast), found.spacing)
        yield from _numbers_of_search(metric, BRAIN, of_brain)
        if keep is not None:
            keep(metric, found)


def _numbers_of_search(metric: str, region: str, found: FoundStructures | None) -> Iterator[Measured]:
    """Return volume, number and largest of what was found; why there are none, where there is no brain mask."""
    numbers = ("", "ml", "volume_ml"), (", number", SHARE, "n_structures"), (", largest", "ml", "largest_ml")
    for part, unit, name in numbers:
        value = None if found is None else float(getattr(found, name))
        yield Measured(f"{metric}{part}", region, unit, _or_reason(value, NO_BRAIN if found is None else ""))


def _of_lesions(scans: PairScans, row: PairRow) -> Iterator[Measured]:
    """Measure what became of the lesions that are outlined."""
    if "lesion_mask" not in row.files or scans.brain is None:
        missing = Measurement.undefined(NO_BRAIN if "lesion_mask" in row.files else NO_LESION)
        found = [missing] * 6
    else:
        path = row.files["lesion_mask"]
        lesion = load_mask(path, scans.source, row.files["source"]).data > MASK_THRESHOLD
        source, result = scans.source.data, scans.harmonized.data
        change = lesion_change(source, result, lesion=lesion, brain=scans.brain, spacing=scans.source.spacing)
        found = [change.contrast_before, change.contrast_after, change.sharpness]
        found += [change.volume, change.overlap, change.shift]
    names = (
        ("contrast-to-noise before", SHARE),
        ("contrast-to-noise after", SHARE),
        ("edge sharpness", PERCENT),
        ("volume found", PERCENT),
        ("Dice", SHARE),
        ("shift", "mm"),
    )
    for (metric, unit), measurement in zip(names, found, strict=True):
        yield Measured(metric, LESION, unit, measurement)


def _of_tissues(scans: PairScans, row: PairRow, segmentation: Segmentation) -> Iterator[Measured]:
    """Measure tissue by tissue: equation 1, equation 2 and Dice."""
    if segmentation == "none":
        return
    labels = labels_of_pair(
        row,
        segmentation,
        scans.source,
        scans.target,
        scans.harmonized,
        brain=scans.brain,
        target_brain=scans.target_brain,
    )
    structures = scheme_of(labels.source)
    distances = nwd_of_structures(
        scans.source.data,
        scans.target.data,
        scans.harmonized.data,
        source_labels=labels.source,
        target_labels=labels.target,
        structures=structures,
    )
    volumes = ravd_of_structures(labels.source, labels.harmonized, structures)
    overlaps = dice_of_structures(labels.source, labels.harmonized, structures)
    for name in structures:
        yield from _distances(distances[name], name)
        yield Measured("rAVD", name, PERCENT, volumes[name])
        yield Measured("Dice", name, SHARE, overlaps[name])


def _distances(found: NormalizedDistance, region: str) -> Iterator[Measured]:
    """Return the paper's two distances."""
    for metric, value in (("nWD(i,p)", found.ip), ("nWD(t,p)", found.tp)):
        yield Measured(metric, region, PERCENT, _or_reason(value, found.reason))


def _or_reason(value: float | None, reason: str) -> Measurement:
    """Return a value, or why there is none."""
    return Measurement.undefined(reason) if value is None else Measurement(value)
