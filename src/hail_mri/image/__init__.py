"""Volumes, grids, intensity scales, and scans in and out of files. Needs numpy and nibabel, nothing heavier."""
