"""Normalized Wasserstein distances tissue by tissue, where the anatomy of two people cannot disturb them.

Over a whole image, how much fluid or fat a person has moves the histogram as a scanner does. In one tissue it does not:
histograms are of shares, so the volume of the tissue drops out, and what is left is the look of the site.
"""

from numpy.typing import ArrayLike

from hail_mri.errors import InputError
from hail_mri.evaluation.paired_arrays import on_one_grid
from hail_mri.evaluation.structures import Structures, label_map, structure_masks
from hail_mri.evaluation.wasserstein import NormalizedDistance, nwd


def nwd_of_structures(
    source: ArrayLike,
    target: ArrayLike,
    harmonized: ArrayLike,
    *,
    source_labels: ArrayLike,
    target_labels: ArrayLike,
    structures: Structures,
) -> dict[str, NormalizedDistance]:
    """Compute equation 1 in each tissue.

    Parameters
    ----------
    source, harmonized, source_labels : (...) array-like
        On the source's grid: intensities, and the source's label map, which is used for both.
    target, target_labels : (...) array-like
        On the target's grid. All intensities are in one unit.
    structures : mapping of str to collection of int
        Labels by name, the same for both label maps: such as grey matter, white matter and fluid.

    Returns
    -------
    dict of str to NormalizedDistance
        In percent, by name, in the order given. Undefined as for `nwd`, and where a structure has no voxel in source or
        target.

    Raises
    ------
    InputError
        If label maps are on another grid than their scans, or as `nwd`, `label_map` and `structure_masks`.

    Notes
    -----
    The voxels at the border of a tissue hold other tissues, too, and the more so the larger the voxels are; erode the
    labels first where the spacings of source and target differ much.

    Examples
    --------
    >>> labels = [1, 1, 2, 2, 2]
    >>> nwd_of_structures(
    ...     [1.0, 1.0, 5.0, 5.0, 5.0],
    ...     [2.0, 9.0, 9.0, 9.0, 9.0],  # less of the dark tissue
    ...     [2.0, 2.0, 8.0, 8.0, 8.0],
    ...     source_labels=labels,
    ...     target_labels=[1, 2, 2, 2, 2],
    ...     structures={"dark": (1,), "bright": (2,)},
    ... )
    {'dark': NormalizedDistance(ip=100.0, tp=0.0, reason=''), 'bright': NormalizedDistance(ip=75.0, tp=25.0, reason='')}
    """
    i, p = on_one_grid(source, harmonized)  # as named in equation 1
    t = on_one_grid(target, target)[0]
    labels, labels_of_target = label_map(source_labels, "source's label map"), label_map(target_labels, "target's")
    for scan, its_labels, name in ((i, labels, "source"), (t, labels_of_target, "target")):
        if scan.shape != its_labels.shape:
            raise InputError(
                f"the label map of the {name} has the shape {its_labels.shape}, the scan has {scan.shape}",
                hint="give it on the scan's own grid",
            )
    results = {}
    both = zip(structure_masks(labels, structures), structure_masks(labels_of_target, structures), strict=True)
    for (name, here), (_, there) in both:
        missing = [scan for scan, mask in (("source", here), ("target", there)) if not mask.any()]
        results[name] = (
            NormalizedDistance(None, None, f"there is no {name} in the {' and the '.join(missing)}")
            if missing
            else nwd(i[here], t[there], p[here])
        )
    return results
