"""How far transform and bias field of `hail-mri preprocess` and of ANTs agree; see `preprocessing_speed.py`.

python benchmarks/preprocessing_agreement.py FOLDER SCAN BRAIN_MASK
"""

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from hail_mri.evaluation.score_table import format_table
from hail_mri.image.nifti import load_volume
from hail_mri.preprocess.rigid import largest_displacement, matrix_of, read_transform, rotation_angle


def main(folder: str, scan_path: str, mask_path: str) -> None:
    """Print what differs."""
    place, brain = Path(folder), load_volume(mask_path).data > 0
    ours = read_transform(next((place / "prepared").glob("*_xfm.txt")))
    theirs = matrix_of(sitk.ReadTransform(str(place / "rigid.mat")))
    grid = load_volume(scan_path).grid
    centre = (np.linalg.inv(theirs) @ [*(grid.affine @ [*np.argwhere(brain).mean(axis=0), 1])[:3], 1])[:3]
    own = load_volume(next((place / "prepared").glob("*_desc-bias_field.nii.gz"))).data[brain]
    other = load_volume(place / "bias_field.nii.gz").data[brain]
    lines = [
        ("displacement at the brain's centre, mm", f"{np.linalg.norm((ours - theirs) @ [*centre, 1]):.2f}"),
        ("largest displacement of the head, mm", f"{largest_displacement(ours, theirs, centre):.2f}"),
        ("rotation, degrees", f"{rotation_angle(ours @ np.linalg.inv(theirs)):.2f}"),
        ("correlation of log fields in the brain", f"{np.corrcoef(np.log(own), np.log(other))[0, 1]:.4f}"),
    ]
    print(f"\n{format_table(('ours against ANTs', ''), lines)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
