"""Peak memory of harmonizing one scan against its number of voxels: where the estimates of the batch engine come from.

    python benchmarks/memory_of_scans.py [--model compact] [--preset none] [--spacings 3 2 1.5 1 0.8]

Each scan is a simulated head, harmonized by a process of its own on one thread; the peak is what the sidecar tells. The
last lines are a straight line through the measured numbers and how far they lie above it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from hail_mri import save_volume
from hail_mri.image.volume import Volume
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, visit_site


def main() -> None:
    """Print a table and the line through it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--preset", default="none")
    parser.add_argument("--spacings", type=float, nargs="+", default=[3.0, 2.0, 1.5, 1.0, 0.8])
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        heads = {site: simulated_head(site) for site in "AB"}
        save_volume(heads["B"], folder / "target.nii.gz")
        sizes, peaks = [], []
        print("spacing_mm\tmegavoxels\tpeak_mib", flush=True)
        for spacing in choices.spacings:
            scan = repeated(heads["A"], spacing)
            peak = peak_of(scan, folder, choices.model, choices.preset)
            sizes.append(scan.data.size)
            peaks.append(peak)
            print(f"{spacing:g}\t{scan.data.size / 1e6:.2f}\t{peak:.0f}", flush=True)
    per_voxel, base = np.polyfit(sizes, peaks, 1)
    above = np.subtract(peaks, np.polyval((per_voxel, base), sizes)).max()
    print(f"base {base:.0f} MiB, {per_voxel * 2**20:.0f} bytes a voxel, at most {above:.0f} MiB above")


def simulated_head(site: str) -> Volume:
    """Return a head of 3 mm at a site."""
    subject = new_subject(mni_label_map(2.0), 1)
    return scan_visit(visit_site(subject, SITES[site], spacing=3.0, seed=1))


def repeated(scan: Volume, spacing: float) -> Volume:
    """Return a scan on smaller voxels, each the nearest of the scan's: as many as a scan of that size has."""
    factor = scan.spacing[0] / spacing
    n_voxels = [round(n * factor) for n in scan.data.shape]
    nearest = np.ix_(
        *(
            np.minimum(np.arange(n) / factor, size - 1).astype(int)
            for n, size in zip(n_voxels, scan.data.shape, strict=True)
        )
    )
    affine = scan.affine.copy()
    affine[:3, :3] /= factor
    return Volume(scan.data[nearest], affine)


def peak_of(scan: Volume, folder: Path, model: str, preset: str) -> float:
    """Return the peak memory of a process that harmonizes a scan, MiB."""
    save_volume(scan, folder / "scan.nii.gz", overwrite=True)
    arguments = ["--target", "target.nii.gz", "-o", "result.nii.gz", "--model", model, "--preset", preset]
    command = [sys.executable, "-m", "hail_mri", "harmonize", "scan.nii.gz", *arguments]
    command += ["--threads", "1", "--force", "--overwrite"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return float(json.loads((folder / "result.json").read_text(encoding="utf-8"))["PeakMemoryMiB"])


if __name__ == "__main__":
    main()
