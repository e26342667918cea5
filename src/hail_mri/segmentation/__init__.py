"""Segmentation: the tissue map of a scan, carried to its own voxels."""
