"""Studies to report on: entries made of numbers, and a folder of small results made of a simulated head."""

import csv
import json

import numpy as np
import pytest

from hail_mri.harmonize.check import Check
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume
from hail_mri.report.study.features import feature_names
from hail_mri.report.study.measures import ScanMeasures
from hail_mri.report.study.scans import StudyScan
from hail_mri.report.study.survey import StudyEntry
from hail_mri.report.study.thumbnails import jpeg


def numbers(white, grey, fluid, rng):
    """Return features of one state of a scan, with noise of 1 %."""
    shares = {"white_matter": white, "grey_matter": grey * white, "csf": fluid * white}
    found = {}
    for name in feature_names():
        tissue = next((t for t in shares if name.removeprefix("deep_").startswith(t)), "grey_matter")
        percentile = int(name.rsplit("_p", 1)[1]) if "_p" in name[-4:] else 50
        if "contrast" in name:
            found[name] = 200 * (1 - grey) / (1 + grey) * (1 + rng.normal(0, 0.01))
            continue
        found[name] = shares[tissue] * (1 + (percentile - 50) / 500) * (1 + rng.normal(0, 0.01))
    return found


@pytest.fixture(scope="session")
def make_entries():
    """Return a function that makes entries of sites that differ before, and do not after."""

    def make(n_sites=3, n_scans=6, *, picture_size=None):
        rng, entries = np.random.default_rng(0), []
        image = None if picture_size is None else rng.uniform(0, 100, (64, 64))
        shown = None if image is None else jpeg(image, (1.0, 1.0), None, size=picture_size)
        for site in range(n_sites):
            for number in range(n_scans):
                scan = StudyScan(
                    line=len(entries) + 2,
                    name=f"sub-{site}{number:03}_T1w.nii.gz",
                    source=None,
                    result=None,
                    subject=f"{site}{number:03}",
                    site=f"site {chr(ord('A') + site)}",
                    target="../target.nii.gz",
                    status="done",
                    verdict="ok",
                    seconds=f"{20 + rng.uniform():.2f}",
                )
                before = numbers(100.0 * (site + 1), 0.6 + 0.08 * site, 0.3 + 0.05 * site, rng)
                measures = ScanMeasures(before, numbers(70.0, 0.65, 0.33, rng), (0, 1, 0, 1, 0))
                entries.append(StudyEntry(scan, measures, shown, shown))
        return entries

    return make


def write_table(folder, rows):
    """Write a table of results from rows with any columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with (folder / "harmonized.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, dialect="excel-tab", restval="n/a", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_sidecar(path, *checks):
    """Write a sidecar with the checks of a source."""
    told = {"Checks": {"Source": [vars(check) for check in checks], "Target": []}, "Target": "../target.nii.gz"}
    told |= {"Versions": {"hail-mri": "0.1.0"}, "Settings": {"model": "compact"}, "Sha256": {"Weights": "ab" * 32}}
    path.write_text(json.dumps(told))


@pytest.fixture(name="write_sidecar")
def write_sidecar_fixture():
    return write_sidecar


@pytest.fixture(scope="session")
def study_dir(tmp_path_factory, simulated_slab):
    """Return the folder of a study of two small scans, one that failed, and one that is lost; sources lie beside it."""
    root = tmp_path_factory.mktemp("study")
    out = root / "out"
    (out / "A").mkdir(parents=True)
    rows = []
    for number, gamma in enumerate((1.0, 1.2)):
        name = f"sub-{number}_T1w.nii.gz"
        source = simulated_slab.with_data(simulated_slab.data * (1 + number))
        bright = float(source.data.max())
        save_volume(source, root / name)
        save_volume(source.with_data(bright * np.maximum(source.data / bright, 0) ** gamma), out / "A" / name)
        verdict = "check" if number else "ok"
        write_sidecar(out / "A" / f"sub-{number}_T1w.json", Check("brightness", verdict, "3", "at most 2", "dim it"))
        rows.append({"source": f"../{name}", "output": f"A/{name}", "site": "A", "status": "done", "seconds": "1.5"})
    rows.append({"source": "../sub-2_T1w.nii.gz", "output": "A/sub-2.nii.gz", "site": "A", "status": "failed"})
    rows[-1]["message"] = "it is damaged or cut short"
    rows.append({"source": f"../{name}", "output": "A/lost.nii.gz", "site": "A", "status": "done"})
    write_table(out, rows)
    return out


@pytest.fixture
def small_volume():
    """Return a volume of which every voxel tells where it is, 2 by 3 by 4 mm."""
    return Volume(np.arange(6 * 8 * 4, dtype=np.float32).reshape(6, 8, 4), np.diag([2.0, 3.0, 4.0, 1.0]))
