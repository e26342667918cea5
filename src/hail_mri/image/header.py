"""The geometry a NIfTI header holds: two affines with a code each, and what a file without either means.

qform
    Rotation, offset and voxel sizes; its code says to which space it leads (1 scanner, 2 aligned, 4 MNI ...).
sform
    A free affine with a code of its own. Where both are given the sform counts, as in nibabel.
code 0
    The form is not there. With both at 0 only voxel sizes are known; nibabel, and so we, put the origin at the centre
    of the volume and let x run to the left.
"""

from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume

# Code of both forms for a volume that did not come from a NIfTI file: scanner space.
SCANNER_CODE = 1
# Places closer than this are the same: headers hold float32 numbers.
TOLERANCE_MM = 1e-3
# All that tells where voxels are.
GEOMETRY_FIELDS = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z", "pixdim", "xyzt_units"),
)


def nifti_header(image: Any) -> nib.Nifti1Header:
    """Take the NIfTI header of an image that nibabel read, or make one where it has another kind.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        NIfTI-1, NIfTI-2 or FreeSurfer's MGH.

    Returns
    -------
    nibabel.Nifti1Header
        A copy; made from the affine, both codes 1, where the file is no NIfTI.
    """
    if isinstance(image.header, nib.Nifti1Header):
        return image.header.copy()
    return _new_header(image.shape[:3], image.affine)


def geometry_warnings(header: nib.Nifti1Header) -> tuple[str, ...]:
    """Say what the user should know about the geometry in a header.

    Parameters
    ----------
    header : nibabel.Nifti1Header
        The header as read, of a 3-D image.

    Returns
    -------
    tuple of str
        One sentence for each oddity; empty for a usual header.
    """
    found = []
    has_sform, has_qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not has_sform and not has_qform:
        found.append(
            "The header does not say how the head lies (qform and sform codes are 0): "
            "its own voxel sizes and origin are used, left and right are not known."
        )
    if has_sform and has_qform and not _qform_agrees(header):
        found.append("The header's qform and sform differ by more than a voxel: the sform is used.")
    unit = header.get_xyzt_units()[0]
    if unit not in ("mm", "unknown"):
        found.append(f"The header gives its unit of length as {unit}: the numbers are taken as millimetres.")
    return tuple(found)


def header_for(volume: Volume) -> nib.Nifti1Header:
    """Make the header a volume is saved with: its own, as float32, geometry brought up to date.

    Parameters
    ----------
    volume : Volume
        When it still is where its header says, all geometry fields are kept bit for bit. When it was turned or
        resampled, both forms go along, each with its code.

    Returns
    -------
    nibabel.Nifti1Header
        A new one; the volume's is not changed.
    """
    if volume.header is None:
        return _new_header(volume.shape, volume.affine)
    header = volume.header.copy()
    if not _is_where_the_header_says(volume):
        _move_forms(header, volume)
    if header.get_data_shape() != volume.shape:  # an axis of length 1 was dropped; setting resets unused voxel sizes
        header.set_data_shape(volume.shape)
    header.set_data_dtype(np.float32)
    header.set_slope_inter(1.0, 0.0)
    # The display range was made for the intensities of the source.
    header["cal_min"] = header["cal_max"] = 0
    return header


def geometry_difference(volume: Volume, wanted: Volume) -> str:
    """Say in what the geometry of a volume, as it would be saved, differs from that of another.

    Parameters
    ----------
    volume, wanted : Volume

    Returns
    -------
    str
        Shape, affine and every field of the header that tells where voxels are, compared bit for bit; empty where all
        are the same.
    """
    if volume.shape != wanted.shape:
        return f"the shape is {volume.shape}, not {wanted.shape}"
    if not np.array_equal(volume.affine, wanted.affine):
        farthest = np.linalg.norm(volume.grid.corners() - wanted.grid.corners(), axis=1).max()
        return f"voxels are up to {farthest:.3g} mm away"
    header, expected = header_for(volume), header_for(wanted)
    changed = [name for name in GEOMETRY_FIELDS if header[name].tobytes() != expected[name].tobytes()]
    return f"{', '.join(changed)} of the header changed" if changed else ""


def _new_header(shape: tuple[int, ...], affine: NDArray[np.float64]) -> nib.Nifti1Header:
    """Make a float32 header with both forms at the affine, in mm."""
    header = nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.float32)
    header.set_qform(affine, SCANNER_CODE)  # drops shears, which a qform cannot hold
    header.set_sform(affine, SCANNER_CODE)
    header.set_xyzt_units("mm", "sec")
    header.set_slope_inter(1.0, 0.0)
    return header


def _is_where_the_header_says(volume: Volume) -> bool:
    """Tell whether shape and affine still are those of the header."""
    assert volume.header is not None
    if tuple(volume.header.get_data_shape()[:3]) != volume.shape:
        return False
    return Grid(volume.shape, volume.header.get_best_affine()).is_close(volume.grid, tolerance_mm=TOLERANCE_MM)


def _move_forms(header: nib.Nifti1Header, volume: Volume) -> None:
    """Move both forms along with the volume, in place; codes stay, except that a volume without any gets an sform."""
    step = np.linalg.inv(header.get_best_affine()) @ volume.affine  # voxels of the volume -> voxels of the file
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    sform = volume.affine
    qform = _qform(header) @ step if qform_code > 0 and sform_code > 0 else volume.affine
    header.set_data_shape(volume.shape)
    # Voxel sizes are set with the qform, also when its code is 0.
    header.set_qform(qform, qform_code)
    header.set_sform(sform, sform_code if sform_code > 0 or qform_code > 0 else SCANNER_CODE)


def _qform_agrees(header: nib.Nifti1Header) -> bool:
    """Tell whether the qform puts every voxel where the sform does, to a voxel."""
    shape = tuple(header.get_data_shape()[:3])
    sform = Grid(shape, header.get_sform())
    return sform.is_close(Grid(shape, _qform(header)), tolerance_mm=float(sform.spacing.max()))


def _qform(header: nib.Nifti1Header) -> NDArray[np.float64]:
    """Affine of the qform; that of the sform where the numbers of the qform are no rotation, and so say nothing."""
    try:
        qform: NDArray[np.float64] = header.get_qform()
    except ValueError:
        return header.get_sform()
    return qform
