"""Masks for `preprocessing_speed.py`: brains of the reference and of the source, and the head of the source."""

import sys
from pathlib import Path

import numpy as np

from hail_mri.image.nifti import load_volume, save_bytes
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.preprocess.masks import head_mask
from hail_mri.segmentation.segment import segment


def main(reference_path: str, source_path: str, *mask_paths: str) -> None:
    """Write the masks."""
    for scan_path, mask_path in zip((reference_path, source_path), mask_paths, strict=True):
        scan = load_volume(scan_path)
        save_bytes(segment(scan).brain_mask.data.astype(np.uint8), scan, mask_path)
    canonical = to_canonical(scan)
    head = orient_like(canonical.with_data(head_mask(canonical)), scan.grid)
    save_bytes(head.data.astype(np.uint8), scan, Path(mask_paths[-1]).with_name("source_head.nii.gz"))


if __name__ == "__main__":
    main(*sys.argv[1:])
