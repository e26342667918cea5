"""Results of SimpleITK and TorchIO, made from files without a line of ours, are scored through a table alone."""

import csv
import subprocess
import sys

import pandas as pd
import pytest

from hail_mri.apps.cli import main
from hail_mri.image.nifti import save_volume
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.travelling import rescan_at

SIMPLEITK = """
import sys, SimpleITK as sitk
source, target, output = sys.argv[1:]
matching = sitk.HistogramMatchingImageFilter()
matching.SetNumberOfHistogramLevels(1024)
matching.SetNumberOfMatchPoints(7)
matching.ThresholdAtMeanIntensityOn()
scans = [sitk.ReadImage(path, sitk.sitkFloat32) for path in (source, target)]
sitk.WriteImage(matching.Execute(*scans), output)
assert not any(name.startswith("hail_mri") for name in sys.modules)
"""
# Standard landmarks in 0 to 100, as the tool has them: a unit of its own.
TORCHIO = """
import sys, torchio as tio
source, target, output = sys.argv[1:]
landmarks = tio.HistogramStandardization.train([target], progress=False)
result = tio.HistogramStandardization({"scan": landmarks})(tio.Subject(scan=tio.ScalarImage(source)))
result.scan.save(output)
assert not any(name.startswith("hail_mri") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def peers(visit, slab, simulated_slab, tmp_path_factory):
    """Folder with a scan, a target, and what two tools made of the scan; and the table that names them."""
    pytest.importorskip("torchio")
    folder = tmp_path_factory.mktemp("peers")
    save_volume(simulated_slab, folder / "source.nii.gz")
    at_c = simulated_slab.with_data(rescan_at(visit, SITES["C"]).data[slab])
    save_volume(at_c, folder / "target.nii.gz")
    rows = []
    for name, script in (("SimpleITK", SIMPLEITK), ("TorchIO", TORCHIO)):
        files = [str(folder / f"{end}.nii.gz") for end in ("source", "target", name)]
        subprocess.run([sys.executable, "-I", "-c", script, *files], check=True, capture_output=True)
        cells = {"source": "source.nii.gz", "target": "target.nii.gz", "harmonized": f"{name}.nii.gz"}
        names = {"method": name, "subject": "01", "site": "B", "target_site": "C"}
        rows.append(cells | {"truth": "target.nii.gz"} | names)
    with (folder / "pairs.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    return folder


def evaluate(peers, output):
    """Run the command; in [0, 1], because TorchIO writes 0 to 100."""
    arguments = ["evaluate", str(peers / "pairs.tsv"), "-o", str(output), "--segmentation", "none"]
    assert main([*arguments, "--scale", "min-max"]) == 0
    return output


@pytest.fixture(scope="module")
def evaluated(peers):
    return evaluate(peers, peers / "scores")


def test_the_command_scores_what_peers_made_from_files(evaluated, tree):
    scores = pd.read_csv(evaluated / "scores.tsv", sep="\t", na_values="n/a", keep_default_na=False)
    found = scores[(scores.metric == "nWD(t,p)") & (scores.region == "head")].set_index("method").value
    assert set(found.index) == {"SimpleITK", "TorchIO"}
    assert (found < 60).all()  # both match histograms
    assert (scores[scores.metric == "edge agreement"].value > 0.7).all()  # by curves of intensity, which move no edge
    assert "one subject only" in (evaluated / "groups.tsv").read_text()
    files = set(tree(evaluated))
    assert {"scores.tsv", "groups.tsv", "lines.tsv", "tissues.tsv", "summary.md"} < files
    assert {"figures/histograms_1_B-to-C.png", "figures/slices_1_01-B-to-C.png"} < files
    assert "figures/boxes_PSNR-brain-dB.png" not in files  # there is no brain mask


def test_the_same_evaluation_gives_the_same_figures_and_tables(peers, evaluated, tmp_path):
    again = evaluate(peers, tmp_path)
    names = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert len(names) > 15
    for name in names:
        if name.name != "lines.tsv":  # tells how long it took
            assert (again / name).read_bytes() == (evaluated / name).read_bytes(), name
