"""The section of the registration: the source on the grid of the reference, with the reference's edges over it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError, MissingFileError
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.reslicing import reslice
from hail_mri.report.blocks import definitions, paragraph, picture_grid
from hail_mri.report.page import Section
from hail_mri.report.planes import OUTLINE, PLANES, Image, Place, as_picture, grey, slice_at
from hail_mri.report.scan_record import ScanRecord, shown
from hail_mri.report.scan_view import ScanView

BUILT_IN = "mni152"
WHITE_PERCENTILE = 99.0  # of what is not black in the reference
EDGE_SMOOTHING = 2.5  # pixels
LARGEST_SHEAR = 1e-3  # of a rotation times its transpose
NUMBERS = {
    "RotationDegrees": "rotation, degrees",
    "Overlap": "overlap with the reference",
    "Contrast": "similarity, times that at wrong poses",
    "Detail": "similarity of fine structure, standard deviations",
    "Lead": "similarity, times that when held otherwise",
}
CAPTION = (
    "Left the reference, in the middle the source on its grid, and at the right the source with the edges of the "
    "reference in yellow: they should follow the folds and the ventricles roughly, for two people are not alike."
)


def registration_section(record: ScanRecord, source: ScanView) -> Section | None:
    """Return the section; None where nothing was registered."""
    told = record.part("Registration")
    if not told:
        return None
    blocks = [definitions({"reference": shown(told.get("Reference", "unknown")), **_numbers(told)})]
    try:
        rows = _rows(_reference(record, told), source, _matrix(told))
    except (InputError, MissingFileError) as error:
        blocks.append(paragraph(f"No picture: {error}.", "soft"))
    else:
        blocks.append(picture_grid(["reference", "source", "source, edges of the reference"], rows, CAPTION))
    return Section("registration", "Registration", blocks)


def _numbers(told: dict[str, Any]) -> dict[str, str]:
    """Return what is known of the registration, in words."""
    return {
        name: f"{told[key]:.3g}" if isinstance(told[key], float) else shown(told[key])
        for key, name in NUMBERS.items()
        if key in told
    }


def _matrix(told: dict[str, Any]) -> NDArray[np.float64]:
    """Return the transform from the reference to the scan.

    Raises
    ------
    InputError
        If the sidecar holds no rigid transform.
    """
    try:
        matrix = np.array(told.get("ReferenceToScan"), dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    is_rigid = (
        matrix.shape == (4, 4)
        and np.isfinite(matrix).all()
        and np.abs(matrix[:3, :3] @ matrix[:3, :3].T - np.eye(3)).max() < LARGEST_SHEAR
    )
    if not is_rigid:
        raise InputError("the sidecar holds no rigid transform, expected one at ReferenceToScan")
    return matrix


def _reference(record: ScanRecord, told: dict[str, Any]) -> Volume:
    """Return the scan that others were registered to; raises as `load_volume`."""
    if "Reference" in record.told:
        path = record.path("Reference")
        if path is None:
            raise MissingFileError(f"the reference {shown(record.told['Reference'])} is not there any more")
        return to_canonical(load_volume(Path(path)))
    if told.get("Reference") != BUILT_IN:
        raise MissingFileError(f"the reference {shown(told.get('Reference'))} is not known")
    # Here, because nilearn takes seconds to import.
    from nilearn.datasets import load_mni152_template

    image = load_mni152_template(resolution=1)
    return Volume(image.get_fdata(dtype=np.float32), image.affine)


def _rows(reference: Volume, source: ScanView, matrix: NDArray[np.float64]) -> list[list[Any]]:
    """Draw the reference and the source in the planes that cut the middle of the source's brain."""
    middle = np.linalg.inv(reference.affine) @ np.linalg.inv(matrix) @ source.volume.affine @ [*source.centre, 1.0]
    place = Place.of(middle[:3].tolist(), reference.spacing)
    resliced = reslice(source.volume.with_data(source.percent()), reference.grid, matrix)
    window = (0.0, float(np.percentile(reference.data[reference.data > 0], WHITE_PERCENTILE)))
    rows = []
    for plane, axis in PLANES.items():
        fixed, moved = grey(slice_at(reference.data, place, axis), window), grey(slice_at(resliced.data, place, axis))
        images = {"reference": fixed, "source": moved, "source with edges of the reference": _with_edges(moved, fixed)}
        rows.append([as_picture(image, f"{name}, {plane}") for name, image in images.items()])
    return rows


def _with_edges(image: Image, other: Image) -> Image:
    """Return a grey picture with the edges of another one in yellow."""
    from skimage.feature import canny

    coloured = np.repeat(image[..., None], 3, axis=2)
    coloured[canny(other / 255.0, sigma=EDGE_SMOOTHING)] = OUTLINE
    return coloured
