"""Scans in and out of files: NIfTI and FreeSurfer's MGH in, float32 NIfTI out."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.checks import (
    check_affine,
    check_contrast,
    check_finite,
    check_is_grey,
    check_range,
    checked_shape,
    is_finite,
)
from hail_mri.image.compression import check_compression, compressed, decompressed
from hail_mri.image.header import geometry_warnings, header_for, nifti_header
from hail_mri.image.volume import Volume
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_file_free, require_folder
from hail_mri.provenance.regular_file import size_of_file
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

READABLE_SUFFIXES = (*NIFTI_SUFFIXES, ".mgz", ".mgh")
# Everything nibabel and the decompressor raise on a file that is not what its name says, or ends too early.
READ_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    OverflowError,
    MemoryError,
    zlib.error,
    nib.spatialimages.HeaderDataError,
)
FloatT = TypeVar("FloatT", np.float32, np.float64)
NOT_AN_IMAGE = (nib.filebasedimages.ImageFileError, gzip.BadGzipFile)


def load_volume(path: str | Path) -> Volume:
    """Read a scan from a file.

    Parameters
    ----------
    path : str or pathlib.Path
        A .nii, .nii.gz, .mgz or .mgh file with one 3-D image. A fourth axis of length 1 is dropped, with a warning.

    Returns
    -------
    Volume
        Intensities in the file's units (slope and intercept applied), in the file's own orientation. Where both header
        codes are 0 the header's voxel sizes and origin are used, as nibabel does, with a warning.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When it is a folder or a pipe, empty, damaged, no image, compressed unlike its name, not 3-D, complex or in
        colour; has fewer than 8 voxels along an axis, a singular affine, or NaN, infinity or numbers that float32
        cannot hold; or is constant.

    See Also
    --------
    save_volume
    """
    volume = read_volume(Path(path))
    check_contrast(volume.data, Path(path))
    return volume


def read_volume(path: Path) -> Volume:
    """Read whatever is one 3-D image of real numbers, also one that is the same everywhere; else as `load_volume`."""
    _check_is_scan_file(path)
    image = _read_header(path)
    shape = checked_shape(image, path)
    check_is_grey(image, path)
    check_affine(image, shape, path)
    data = _read_data(image, path, np.float32)
    if not is_finite(data):
        check_range(_read_data(image, path, np.float64), path)
    check_finite(data, path)
    warnings = []
    if len(image.shape) > 3:
        warnings.append(
            f"The file has the shape {' x '.join(map(str, image.shape))}: the axes of length 1 at the end were dropped."
        )
    header = nifti_header(image)
    return Volume(data.reshape(shape, order="F"), image.affine, header, (*warnings, *geometry_warnings(header)))


def header_shape(path: Path) -> tuple[int, ...]:
    """Return the shape that the header of a scan tells; no voxels are read, and errors are as of `load_volume`."""
    _check_is_scan_file(path)
    return tuple(int(n) for n in _read_header(path).shape)


def save_volume(volume: Volume, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a scan to a NIfTI file, whole or not at all.

    Parameters
    ----------
    volume : Volume
        What to write: as float32, slope 1, with the geometry, codes and units of its header where it has one.
    path : str or pathlib.Path
        Ends in .nii or .nii.gz; its folder exists.
    overwrite : bool
        Replace the file if there is one.

    Raises
    ------
    InputError
        When the name does not end in .nii or .nii.gz, or is that of a folder.
    OutputExistsError
        When there is such a file, unless `overwrite`.
    UnwritableError
        When the folder does not exist or cannot be written to, or the disk is full.

    Notes
    -----
    The file is written under a temporary name in the same folder, flushed to the disk and renamed. On failure an older
    file stays as it was and nothing new is left. The same volume gives the same bytes: no time or name goes into it.
    """
    header = header_for(volume)
    # No affine: nibabel would write it over the forms of the header.
    _write_image(_image_class(header)(volume.data, None, header), Path(path), overwrite=overwrite)


def save_bytes(data: NDArray[np.uint8], like: Volume, path: str | Path, *, slope: float = 1.0) -> None:
    """Write labels, a mask, or several maps of a scan as whole numbers of one byte.

    Parameters
    ----------
    data : (I, J, K) or (n, I, J, K) ndarray of uint8
        n maps become the fourth axis of the file.
    like : Volume
        The scan they belong to; its geometry and codes are kept.
    path : str or pathlib.Path
        Ends in .nii or .nii.gz; its folder exists. A file that is there is replaced.
    slope : float
        What a reader multiplies the numbers by, as the header says.

    Raises
    ------
    InputError, UnwritableError
        As `save_volume`.
    """
    header = header_for(like)
    header.set_data_dtype(np.uint8)
    voxels = data if data.ndim == 3 else np.moveaxis(data, 0, -1)
    header.set_data_shape(voxels.shape)
    image = _image_class(header)(voxels, None, header)
    image.header.set_slope_inter(slope, 0.0)  # the numbers are written as they are
    _write_image(image, Path(path), overwrite=True)


def _image_class(header: nib.Nifti1Header) -> type[nib.Nifti1Image]:
    """Return the kind of image that a header belongs to."""
    return nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image


def _write_image(image: nib.Nifti1Image, path: Path, *, overwrite: bool) -> None:
    """Write an image, if that may be done."""
    _check_can_be_written(path, overwrite=overwrite)

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[path].open("xb") as file, compressed(file, path) as stream:
            image.to_file_map({"image": nib.FileHolder(fileobj=stream)})

    write_together([path], write)


def _check_is_scan_file(path: Path) -> None:
    """Refuse what is not there, a folder, a pipe, another kind of file and an empty one."""
    size = size_of_file(path, expected="one scan")
    expected = ", ".join(READABLE_SUFFIXES)
    if not path.name.lower().endswith(READABLE_SUFFIXES):
        raise InputError(f"{path} is not a scan by its name, expected {expected}", hint="convert it, say with dcm2niix")
    if size == 0:
        raise InputError(f"{path} is empty (0 bytes), expected a scan", hint="copy or download it again")
    try:
        check_compression(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_header(path: Path) -> Any:
    """Let nibabel find out what the file is; reads no voxels."""
    try:
        with _without_notes():
            return nib.load(path, mmap=False)
    except NOT_AN_IMAGE as error:
        raise InputError(f"{path} is not a NIfTI or MGH image", hint="check that it opens in a viewer") from error
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


def _read_data(image: Any, path: Path, dtype: type[FloatT]) -> NDArray[FloatT]:
    """Read the voxels as numbers of a type, to the end of the file, where a gzip file has its checksum."""
    try:
        with _without_notes(), decompressed(path) as stream, np.errstate(over="ignore"):
            data: NDArray[FloatT] = np.asarray(type(image).from_stream(stream).dataobj, dtype=dtype)
            stream.read(1)
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error
    return data


@contextmanager
def _without_notes() -> Iterator[None]:
    """Keep nibabel's notes on damaged headers off stderr: they name no file, and what matters has an error of ours."""
    logger = nib.imageglobals.logger
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def _unreadable(path: Path, error: Exception) -> InputError:
    """Put what went wrong on reading in the user's words."""
    if isinstance(error, PermissionError):
        return InputError(f"{path} may not be read", hint="check the permissions of the file")
    if isinstance(error, MemoryError):
        return InputError(f"{path} says it holds more voxels than fit in memory", hint="its header may be damaged")
    return InputError(f"{path} is damaged or cut short ({_reason(error)})", hint="copy or download it again")


def _reason(error: Exception) -> str:
    """One line about what a library or the system found, without the path."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _check_can_be_written(path: Path, *, overwrite: bool) -> None:
    """Refuse names, places and overwriting before any work is done."""
    if not path.name.lower().endswith(NIFTI_SUFFIXES):
        raise InputError(f"{path} must end in {' or '.join(NIFTI_SUFFIXES)}")
    require_folder(path.parent)
    require_file_free(path, overwrite=overwrite)
