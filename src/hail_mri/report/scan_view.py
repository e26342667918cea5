"""A scan as a report looks at it: upright, with its tissues, on a scale that is the same for any scanner.

Terms
-----
percent of white matter
    The scale of all pictures and histograms of a report: 0 is the intensity of no signal, 100 the median of white
    matter. Sites differ in their units; on this scale what is left is contrast.
tissues
    Those that the released tissue model finds in the scan (`hail_mri.segmentation`). The same model has usually made
    the result: what is shown by tissue explains a result, and does not prove it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.errors import HailError
from hail_mri.image.mask import MASK_THRESHOLD, check_mask
from hail_mri.image.orientation import to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_classes import BRAIN, CSF, DEEP_TISSUES, GREY_MATTER, WHITE_MATTER
from hail_mri.preprocess.prepare import WHITE_MATTER as WHITE_MATTER_SCALED
from hail_mri.preprocess.prepare import prepare

COARSE = 4.0  # mm, of the grid on which head and no signal are looked for
FEWEST = 100  # voxels of a tissue that is shown
TISSUES = {
    "white matter": (WHITE_MATTER,),
    "grey matter": (GREY_MATTER,),
    "deep grey matter and brain stem": DEEP_TISSUES,
    "fluid": (CSF,),
}
WHOLE = {"brain": "all of the brain", "head": "all of the head"}


@dataclass(frozen=True)
class ScanView:
    """A scan with what is known of it.

    Attributes
    ----------
    volume : Volume
        Canonical axes.
    scale : LinearScale
        No signal becomes 0, the median of white matter 1.
    labels : (I, J, K) array of uint8 or None
        Tissue classes; None where none were found.
    region : (I, J, K) array of bool
        The brain, or the head where the brain is not known.
    region_name : "brain" or "head"
    told : str
        Where tissues and region come from, a sentence.
    """

    volume: Volume
    scale: LinearScale
    labels: NDArray[np.uint8] | None
    region: NDArray[np.bool_]
    region_name: str
    told: str

    @property
    def centre(self) -> tuple[float, ...]:
        """The region's centre of mass, (i, j, k)."""
        return tuple(float(c) for c in ndimage.center_of_mass(self.region))

    def percent(self) -> NDArray[np.float32]:
        """Return the scan in percent of white matter, (I, J, K)."""
        return (100 * self.scale.apply(self.volume.data)).astype(np.float32)

    def tissues(self) -> dict[str, NDArray[np.bool_]]:
        """Return where each tissue is, by name; the whole region first."""
        found = {WHOLE[self.region_name]: self.region}
        if self.labels is not None:
            found |= {name: np.isin(self.labels, classes) for name, classes in TISSUES.items()}
        return {name: mask for name, mask in found.items() if np.count_nonzero(mask) >= FEWEST}

    def without(self, lesion: NDArray[np.bool_]) -> "ScanView":
        """Return the view without a lesion: it is no tissue that is to be compared.

        Parameters
        ----------
        lesion : (I, J, K) array of bool
            Canonical axes.
        """
        labels = None if self.labels is None else np.where(lesion, 0, self.labels).astype(np.uint8)
        return replace(self, labels=labels, region=self.region & ~lesion)

    def with_result(self, result: Volume, scale: LinearScale) -> "ScanView":
        """Return a view of a result of this scan: the same voxels, of the same tissues.

        Parameters
        ----------
        result : Volume
            On the scan's own grid.
        scale : LinearScale
            Of its units.
        """
        return replace(self, volume=to_canonical(result), scale=scale)


def view_scan(scan: Volume, *, brain_mask: Volume | None = None) -> ScanView:
    """
    Look at a scan.

    Parameters
    ----------
    scan : Volume
    brain_mask : Volume, optional
        On its grid; believed to the voxel.

    Raises
    ------
    InputError
        If no head is found in the scan, or the mask is not one of it.
    """
    if brain_mask is not None:
        check_mask(brain_mask, scan)
    prepared = prepare(scan, spacing=COARSE, stride=1)
    canonical, low = prepared.canonical, float(prepared.scale.low)
    labels, brain, told = _tissues(scan, brain_mask)
    white = labels == WHITE_MATTER if labels is not None else np.zeros(canonical.shape, bool)
    level = low + WHITE_MATTER_SCALED * (float(prepared.scale.high) - low)
    if np.count_nonzero(white) >= FEWEST:
        level = max(float(np.median(canonical.data[white])), np.nextafter(np.float32(low), np.float32(np.inf)))
    region = prepared.head if brain is None else brain
    return ScanView(canonical, LinearScale(low, level), labels, region, "head" if brain is None else "brain", told)


def _tissues(scan: Volume, brain_mask: Volume | None) -> tuple[NDArray[np.uint8] | None, NDArray[np.bool_] | None, str]:
    """Return labels and brain in canonical axes, and where they come from."""
    from hail_mri.harmonize.settings import HarmonizeSettings
    from hail_mri.segmentation.segment import segment

    model = HarmonizeSettings.model
    inside = "" if brain_mask is None else " inside the brain mask that was given"
    try:
        found = segment(scan, brain_region=brain_mask, model=model)
    except HailError as error:
        brain = None if brain_mask is None else to_canonical(brain_mask).data > MASK_THRESHOLD
        rest = "only the head as a whole is shown" if brain is None else "only the brain mask that was given is used"
        return None, brain, f"No tissues were found ({error}); {rest}."
    labels = to_canonical(found.labels).data.astype(np.uint8)
    brain = to_canonical(found.brain_mask).data > MASK_THRESHOLD
    told = f"Tissues are those that the released model {model} finds{inside}"
    # Vessels and nerves between the folds are in the brain mask, but in none of the tissues.
    return np.where(np.isin(labels, BRAIN) & brain, labels, 0).astype(np.uint8), brain, f"{told}."
