"""Checks of a result against its source: whether anything but the contrast was changed.

Whatever made the result, it has to be on the source's grid, as sharp, with the source's edges and no others, with
tissues in their order, and with its lesions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hail_mri.harmonize.check import Check
from hail_mri.harmonize.harmonized import Source
from hail_mri.harmonize.lesion_contract import lesion_checks, lesion_parts
from hail_mri.harmonize.limits import LIMITS_BY_NAME
from hail_mri.harmonize.result_measures import edge_alignment, kept_contrast, piled_share, unexplained_change
from hail_mri.harmonize.result_sample import TISSUES, at_native_voxels, brain_of, sample_result, solid_brain_of
from hail_mri.harmonize.settings import OutputMode
from hail_mri.harmonize.style_model import Style
from hail_mri.image.header import geometry_difference
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.image.orientation import to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_style import TissueStyle

GEOMETRY, NO_SIGNAL = "geometry", "values below no signal"
ROUNDING = 1e-3  # on the [0, 1] scale; a value may be so far below no signal
# A prediction itself is blurred, and who asks for it knows.
BLURRED = ("edges as in the source", "unexplained change", "unexplained change at its worst place")


@dataclass(frozen=True)
class Wanted:
    """What a result is meant to be.

    Attributes
    ----------
    style : TissueStyle or FeatureStyle
        Of the target.
    scale : LinearScale
        Of the result: its units to [0, 1].
    output_mode : "transfer" or "network"
    """

    style: Style
    scale: LinearScale
    output_mode: OutputMode = "transfer"


def check_result(source: Source, result: Volume, wanted: Wanted) -> tuple[Check, ...]:
    """Check a result.

    Parameters
    ----------
    source : Source
        As it was read; its lesion mask, if it has one, says where a lesion is to be kept.
    result : Volume
        In the axes of the source.
    wanted : Wanted

    Returns
    -------
    checks : tuple of Check
        Of the geometry alone if that is not the source's.
    """
    moved = geometry_difference(result, source.volume)
    geometry = Check(
        GEOMETRY,
        "fail" if moved else "ok",
        moved or "shape, affine and header as read",
        "that of the source",
        "a result has to lie where the source lies",
    )
    if moved:
        return (geometry,)
    made = to_canonical(result).data
    numbers = _of_voxels(source, made, wanted)
    checks = [LIMITS_BY_NAME[name].check(number) for name, number in numbers.items()]
    if source.lesion_mask is not None:
        checks += _of_lesions(source, made, to_canonical(source.lesion_mask))
    if wanted.output_mode == "network":
        checks = [_at_most_a_look(check) if check.name in BLURRED else check for check in checks]
    return (geometry, *checks)


def _at_most_a_look(check: Check) -> Check:
    """Return a check that does not fail."""
    return replace(check, verdict="check") if check.verdict == "fail" else check


def _of_voxels(source: Source, result: NDArray[np.float32], wanted: Wanted) -> dict[str, float]:
    """Return what the voxels tell, in canonical axes."""
    raw = source.preparation.raw
    sample = sample_result(source, result, wanted.scale)
    everywhere, worst = unexplained_change(sample, raw.spacing)
    numbers: dict[str, float | None] = {
        NO_SIGNAL: _share_below_no_signal(source, result, wanted.scale),
        "voxels with one value": piled_share(sample),
        "edges as in the source": edge_alignment(raw.data, result, sample, raw.spacing),
        "unexplained change": everywhere,
        "unexplained change at its worst place": worst,
        "contrast of tissues": kept_contrast(sample, _tissue_means(wanted.style)),
    }
    return {name: number for name, number in numbers.items() if number is not None}


def _tissue_means(style: Style) -> dict[str, float]:
    """Return the mean of each tissue in a style; none if it is one of features."""
    return {name: style.means[k] for name, k in TISSUES.items()} if isinstance(style, TissueStyle) else {}


def _share_below_no_signal(source: Source, result: NDArray[np.float32], scale: LinearScale) -> float:
    """Return the share of voxels that are below the zero point, and are not in the source."""
    native, raw = source.preparation.native(source.reading.prepared), source.preparation.raw.data
    may_be_negative = scale.low < 0 or raw.min() < 0
    low = scale.low - ROUNDING * (scale.high - scale.low)
    below = result < (low if may_be_negative else max(low, 0.0))
    if not below.any():
        return 0.0
    own, made = native.scale.apply(raw[below]), scale.apply(result[below])
    lower = (made < np.minimum(own, 0) - ROUNDING) & ~native.erased[below]
    if not may_be_negative:
        lower |= result[below] < 0
    return int(np.count_nonzero(lower)) / result.size


def _of_lesions(source: Source, result: NDArray[np.float32], lesion_mask: Volume) -> list[Check]:
    """Return what became of the lesions, in canonical axes."""
    lesion = np.asarray(lesion_mask.data > MASK_THRESHOLD)
    raw, brain, solid = source.preparation.raw, brain_of(source), solid_brain_of(source)
    if brain is None or solid is None:
        return lesion_checks(lesion_parts(raw.data, result, lesion, [np.ones_like(lesion)], raw.spacing), raw.affine)
    # Beside a ventricle a dark lesion stands out from the brain without fluid alone.
    surrounds = [at_native_voxels(source, mask, np.s_[:, :, :]) for mask in (brain, solid)]
    in_brain = LIMITS_BY_NAME["lesion in the brain"].check(float(surrounds[0][lesion].mean()))
    return [in_brain, *lesion_checks(lesion_parts(raw.data, result, lesion, surrounds, raw.spacing), raw.affine)]
