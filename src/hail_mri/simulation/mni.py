"""The embedded head: the MNI152 brain that the nilearn wheel carries, in a head built around it.

Grey and white matter are the template's; fluid is what remains inside the skull. Deep grey matter, cerebellum and brain
stem are told from the rest by where they are in MNI space. Skull, scalp, face and neck are geometry (`head_shell`): no
real person's, but enough to simulate without any data of one's own.

References
----------
Fonov et al., NeuroImage 54:313 (2011): the MNI152 template (symmetric, 2009a) and its tissue maps.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.simulation.head_shell import COARSE_MM, Ellipsoids, Lattice, inside_any, surround
from hail_mri.simulation.label_maps import LabelMap, centred_label_map
from hail_mri.simulation.tissues import INDEX_OF

SPACINGS_MM = (1.0, 2.0)
TEMPLATE_ORIGIN = (-98.0, -134.0, -72.0)
# First and last voxel centre, mm: the template ends in the brain stem, and before the nose.
LOWEST, HIGHEST = (-98.0, -134.0, -158.0), (98.0, 122.0, 112.0)

# (|x|, y, z) and radii, mm in MNI space: where a tissue is found, not its outline, which the template's maps give.
STRIATUM: Ellipsoids = (((26, 3, 1), (8, 18, 12)), ((13, 14, 8), (8, 13, 13)), ((17, -8, 20), (6, 15, 8)))
HIPPOCAMPUS: Ellipsoids = (((27, -20, -17), (10, 20, 9)), ((22, -5, -19), (10, 9, 10)))
THALAMUS: Ellipsoids = (((11, -18, 8), (10, 14, 9)),)
PALLIDUM: Ellipsoids = (((19, -5, -1), (4.5, 8, 6)),)
BRAIN_STEM: Ellipsoids = (((0, -27, -12), (17, 14, 11)), ((0, -26, -32), (18, 14, 18)), ((0, -42, -62), (12, 13, 26)))
CEREBELLUM_FRONT_Y = -36.0


def mni_label_map(spacing: float = 1.0) -> LabelMap:
    """Build a whole head around the MNI152 brain.

    Parameters
    ----------
    spacing : float
        1 or 2 mm.

    Raises
    ------
    InputError
        If the spacing is neither.

    Examples
    --------
    >>> head = mni_label_map(spacing=2.0)
    >>> head.name, head.spacing
    ('mni152', 2.0)
    """
    if spacing not in SPACINGS_MM:
        raise InputError(f"the MNI head comes at 1 or 2 mm, not {spacing:g} mm", hint="scan it on any grid you like")
    lattice, coarse = Lattice(LOWEST, HIGHEST, spacing), Lattice(LOWEST, HIGHEST, COARSE_MM)
    grey, white = _template_map("gm"), _template_map("wm")
    every, every_coarse = (slice(None, None, round(step)) for step in (spacing, COARSE_MM))
    is_brain = (grey + white)[every_coarse, every_coarse, every_coarse] > 0.2
    tissue = surround(is_brain, coarse, lattice)
    _paint_brain(tissue, grey[every, every, every], white[every, every, every], lattice)
    return centred_label_map(tissue, spacing, "mni152")


def _template_map(name: str) -> NDArray[np.float32]:
    """Read one of the template's maps from the wheel, "gm" or "wm", in the box of the whole head at 1 mm."""
    # Here, because nilearn takes seconds to import.
    from nilearn import datasets

    template = getattr(datasets, f"load_mni152_{name}_template")(resolution=1).get_fdata(dtype=np.float32)
    starts = [round(at - low) for at, low in zip(TEMPLATE_ORIGIN, LOWEST, strict=True)]
    shape = Lattice(LOWEST, HIGHEST, 1.0).shape
    sizes = [min(n, whole - start) for n, whole, start in zip(template.shape, shape, starts, strict=True)]
    volume = np.zeros(shape, np.float32)
    where = tuple(slice(start, start + n) for start, n in zip(starts, sizes, strict=True))
    volume[where] = template[: sizes[0], : sizes[1], : sizes[2]]
    return volume


def _paint_brain(
    tissue: NDArray[np.uint8], grey: NDArray[np.float32], white: NDArray[np.float32], lattice: Lattice
) -> None:
    """Replace fluid by brain, in place: the likelier of grey matter, white matter and the rest; then the regions."""
    in_skull = tissue == INDEX_OF["csf"]
    fluid = 1 - grey - white
    is_grey = in_skull & (grey >= white) & (grey > fluid)
    is_white = in_skull & (white > grey) & (white > fluid)
    x, y, z = lattice.axes
    # The tentorium is a tent: highest in the middle, sloping to the sides and to the back.
    is_below_tent = z < -4 - 0.012 * np.minimum(np.abs(x), 50) ** 2 - 0.35 * np.maximum(-55 - y, 0)
    is_cerebellar = is_below_tent & (y < CEREBELLUM_FRONT_Y)
    for region, here in (
        ("cortex", is_grey),
        ("white_matter", is_white),
        ("striatum", is_grey & inside_any(STRIATUM, lattice)),
        ("hippocampus", is_grey & inside_any(HIPPOCAMPUS, lattice)),
        ("thalamus", (is_grey | is_white) & inside_any(THALAMUS, lattice)),
        ("pallidum", (is_grey | is_white) & inside_any(PALLIDUM, lattice)),
        ("cerebellar_cortex", is_grey & is_cerebellar),
        ("cerebellar_white_matter", is_white & is_cerebellar),
        ("brain_stem", (is_grey | is_white) & inside_any(BRAIN_STEM, lattice)),
    ):
        tissue[here] = INDEX_OF[region]
