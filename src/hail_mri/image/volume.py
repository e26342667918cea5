"""The volume: intensities on a grid, with the header of the file they came from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import nibabel as nib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid


@dataclass(frozen=True, eq=False)
class Volume:
    """Hold one 3-D scan: its intensities, where they are, and the header they came with.

    Parameters
    ----------
    data : (I, J, K) array-like
        Intensities in whatever units the scan has, all finite. Kept as a read-only float32 view; float32 arrays are
        not copied, so hand them over and do not write to them afterwards. Any memory layout (files give Fortran order).
    affine : (4, 4) array-like of float
        Voxel indices to millimetres, RAS+.
    header : nibabel.Nifti1Header, optional
        Header of the file the scan came from, kept for `save_volume`. Its geometry may be out of date after a
        reorientation: `affine` is what counts.
    warnings : sequence of str
        What the user should know about the file, one sentence each.

    Raises
    ------
    InputError
        When the data are not three-dimensional or not finite, or the affine is not valid.

    Examples
    --------
    >>> volume = Volume(np.zeros((8, 9, 10)), np.diag([2.0, 2.0, 3.0, 1.0]))
    >>> volume.shape, volume.spacing.tolist(), volume.data.dtype.name
    ((8, 9, 10), [2.0, 2.0, 3.0], 'float32')
    """

    data: NDArray[np.float32]
    affine: NDArray[np.float64]
    header: nib.Nifti1Header | None = None
    warnings: Sequence[str] = ()
    grid: Grid = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):  # said below
            data = np.asarray(self.data, dtype=np.float32).view()
        if data.ndim != 3:
            raise InputError(f"a volume has three dimensions, not {data.ndim} (shape {data.shape})")
        grid = Grid(data.shape, self.affine)
        # NaN and infinity survive min and max: two passes, no temporary array.
        if not (np.isfinite(data.min()) and np.isfinite(data.max())):
            raise InputError("the volume has values that are not finite in float32 (NaN, infinity, or too large)")
        data.flags.writeable = False
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "affine", grid.affine)
        object.__setattr__(self, "header", None if self.header is None else self.header.copy())
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "grid", grid)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along each axis."""
        return self.grid.shape

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance between voxel centres along each axis: (3,) float64, in mm."""
        return self.grid.spacing

    def with_data(self, data: ArrayLike) -> "Volume":
        """Put other intensities on the same grid, with the same header and warnings.

        Parameters
        ----------
        data : (I, J, K) array-like
            The new intensities.

        Raises
        ------
        InputError
            When the shape differs from that of the volume.
        """
        intensities = np.asarray(data, dtype=np.float32)
        if intensities.shape != self.shape:
            raise InputError(f"the new data have the shape {intensities.shape}, the volume has {self.shape}")
        return Volume(intensities, self.affine, self.header, self.warnings)
