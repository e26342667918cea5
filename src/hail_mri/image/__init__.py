"""Volumes, grids, intensity scales, and scans in and out of files. Needs numpy and nibabel, nothing heavier."""

from hail_mri.image.grid import Grid
from hail_mri.image.nifti import NIFTI_SUFFIXES, load_volume, save_volume
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.resampling import axis_weights, resample
from hail_mri.image.scales import MinMaxScale, PercentileScale
from hail_mri.image.volume import Volume

__all__ = [
    "NIFTI_SUFFIXES",
    "Grid",
    "MinMaxScale",
    "PercentileScale",
    "Volume",
    "axis_weights",
    "load_volume",
    "orient_like",
    "resample",
    "save_volume",
    "to_canonical",
]
