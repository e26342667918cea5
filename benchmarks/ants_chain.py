"""The plain chain of ANTs: N4 with its defaults in a mask, then rigid registration at full resolution.

    python benchmarks/ants_chain.py SCAN REFERENCE MASK FOLDER

Run by `preprocessing_speed.py` with an interpreter that has antspyx, which wants older versions of numpy and SciPy than
this project; it imports nothing of ours. Writes the bias field, the transform (ITK) and its seconds.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import ants


def main(scan_path: str, reference_path: str, mask_path: str, folder: str) -> None:
    """Run the chain on a scan and its head mask."""
    scan, reference, mask = (ants.image_read(path) for path in (scan_path, reference_path, mask_path))
    place, seconds = Path(folder), {}
    start = time.perf_counter()
    field = ants.n4_bias_field_correction(scan, mask=mask, return_bias_field=True)
    seconds["bias field"] = time.perf_counter() - start
    corrected = scan / field
    start = time.perf_counter()
    found = ants.registration(reference, corrected, "Rigid", random_seed=1)
    seconds["registration"] = time.perf_counter() - start
    ants.image_write(field, str(place / "bias_field.nii.gz"))
    shutil.copy(found["fwdtransforms"][0], place / "rigid.mat")
    (place / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
