"""Simulate the two scans of `speed.py`: whole heads around the MNI152 brain, 256 x 256 x 256 voxels of 1 mm.

    python benchmarks/whole_heads.py SOURCE TARGET

One subject from site A, another from site B, stored as 16-bit integers, as scanners do.
"""

import sys

import nibabel as nib
import numpy as np
import torch

from hail_mri.simulation.acquisition import random_receive_field, scan
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.phantoms import centred_affine, place, random_transform
from hail_mri.simulation.scanners import site_by_name
from hail_mri.simulation.subjects import new_subject

SHAPE = (256, 256, 256)
SPACING = 1.0  # mm


def main() -> None:
    """Write both scans."""
    label_map, affine = mni_label_map(), centred_affine(SHAPE, SPACING)
    for seed, path, site in zip((1, 2), sys.argv[1:], "AB", strict=True):
        generator = torch.Generator().manual_seed(seed)
        head = place(new_subject(label_map, seed), SHAPE, affine, transform=random_transform(generator))
        data = scan(head, site_by_name(site), receive_field=random_receive_field(generator), noise=generator)
        nib.nifti1.Nifti1Image(np.rint(data.numpy()).astype(np.int16), affine).to_filename(path)


if __name__ == "__main__":
    main()
