"""A folder of scans as one finds them: the good ones are done, each of the others ends with its reason."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import broken_inputs
import hail_mri
from hail_mri.image.nifti import save_volume

LIST = Path(__file__).parents[3] / "docs/broken_inputs.md"


@dataclass
class Place:
    """A data set with a target, and where the results go."""

    root: Path
    kinds: list

    @property
    def output(self) -> Path:
        return self.root / "out"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
        command = [sys.executable, "-P", "-m", "hail_mri", "harmonize", "in", "--target", "target.nii.gz", *arguments]
        return subprocess.run(
            [*command, "-o", str(self.output)],
            cwd=self.root / "data",
            env=environment,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )

    def rows(self) -> dict[str, dict[str, str]]:
        with (self.output / "harmonized.tsv").open(encoding="utf-8", newline="") as file:
            return {Path(row["source"]).name: row for row in csv.DictReader(file, dialect="excel-tab")}


@pytest.fixture
def make_place(tmp_path) -> Callable[..., Place]:
    """Return a function that makes the data set from a head and a target."""

    def make(head, target, kinds) -> Place:
        data = tmp_path / "data"
        image = nib.Nifti1Image(head.data.astype(np.float32), head.affine)
        kinds = broken_inputs.write_data_set(data / "in", data / "elsewhere", image, kinds)
        save_volume(target, data / "target.nii.gz")
        return Place(tmp_path, kinds)

    return make


def assert_each_ends_as_expected(place: Place, done: subprocess.CompletedProcess[str], *, forced: bool) -> None:
    assert done.returncode == 70, done.stderr
    assert "Traceback" not in done.stderr
    rows = place.rows()
    wrong = [told for kind in place.kinds if (told := what_is_wrong(kind, rows, place.output, forced=forced))]
    assert not wrong, "\n".join(wrong)
    if any(kind.name == "cohort" for kind in place.kinds):
        assert rows.pop("of-a-linked-folder.nii.gz")["status"] == "done"
    assert len(rows) == sum(kind.becomes != "left out" for kind in place.kinds)


def what_is_wrong(kind, rows, output: Path, *, forced: bool) -> str:
    row = rows.get(kind.name.encode("utf-8", "backslashreplace").decode())
    if row is None or kind.becomes == "left out":
        return "" if row is None and kind.becomes == "left out" else f"{kind.name}: {row}"
    fails_checks = kind.becomes == "fails checks" and not forced
    expected = ("failed" if fails_checks else "done") if kind.becomes == "fails checks" else kind.becomes
    told = f"{kind.name}: {row['status']}, {row['message']}"
    if row["status"] != expected or kind.message not in row["message"]:
        return told
    if fails_checks and ("checks: " not in row["message"] or row["verdict"] != "fail"):
        return told
    result = output / os.fsdecode(row["output"].encode().replace(rb"\udce9", b"\xe9"))
    if row["status"] == "done" and not np.isfinite(nib.load(result).get_fdata()).all():
        return told
    return ""


def test_each_broken_or_odd_input_ends_with_its_reason_and_all_others_are_done(make_place, make_head, weights):
    place = make_place(make_head(), make_head(signal=(0, 300, 90, 150, 260, 330)), broken_inputs.KINDS)
    before = broken_inputs.snapshot(place.root)

    done = place.run("--model", str(weights), "--force", "--workers", "2")

    assert len(place.kinds) >= 60
    assert_each_ends_as_expected(place, done, forced=True)
    after = {
        name: found
        for name, found in broken_inputs.snapshot(place.root).items()
        if not Path(name).is_relative_to(place.output)
    }
    assert after == before


@pytest.mark.slow
def test_the_released_weights_refuse_what_is_no_head(make_place, mni):
    from hail_mri.simulation.scanners import SITES
    from hail_mri.simulation.subjects import new_subject
    from hail_mri.simulation.travelling import scan_visit, visit_site

    head, target = (
        scan_visit(visit_site(new_subject(mni, number), SITES[site], spacing=3.0, seed=number))
        for number, site in ((1, "B"), (2, "A"))
    )
    readable = [kind for kind in broken_inputs.KINDS if kind.becomes == "fails checks"]
    place = make_place(head, target, [*readable, *broken_inputs.KINDS[:1]])

    done = place.run("--workers", "2")

    assert_each_ends_as_expected(place, done, forced=False)


def test_the_list_of_the_documentation_is_that_of_the_data_set():
    text = LIST.read_text(encoding="utf-8")

    for kind in broken_inputs.KINDS:
        assert f"| {kind.what} |" in text
