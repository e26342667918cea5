"""The App on scans with masks in data sets of derivatives: real files, from masks to results."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps.bids import masks as module
from hail_mri.apps.bids.validation import errors_of, find_validator
from hail_mri.provenance.hashes import file_sha256

pytest.importorskip("bids2table")

README = "Masks of balls, which are no heads, drawn by a test to be read by the test.\n"


@pytest.fixture
def make_mask(app):
    """Return a function that writes a box into a mask of a subject, beside the raw data or elsewhere."""

    def make(subject, name="label-L_desc-T1lesion_mask", *, root=None, half=3, origin=0.0, value=1):
        root = app.root / "derivatives/lesions" if root is None else root
        path = root / f"sub-{subject}/anat/sub-{subject}_{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (root / "dataset_description.json").exists():
            described = {"Name": "Masks", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
            described |= {"GeneratedBy": [{"Name": "by hand"}]}
            (root / "dataset_description.json").write_text(json.dumps(described))
            (root / "README").write_text(README)
        scan = nib.load(app.source(subject))
        data = np.zeros(scan.shape, np.float32 if value % 1 else np.uint8)
        centre = np.array(scan.shape) // 2
        data[tuple(slice(c - half, c + half) for c in centre)] = value
        affine = scan.affine.copy()
        affine[0, 3] += origin
        nib.save(nib.Nifti1Image(data, affine), path)
        told = {"Type": "Brain" if "brain" in name else "Lesion", "SpatialReference": "orig"}
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(told | {"RawSources": []}))
        return path

    return make


def sidecar(app, subject):
    return json.loads(app.result(subject).with_name(app.result(subject).name.replace(".nii.gz", ".json")).read_text())


def test_a_lesion_mask_goes_into_result_sidecar_and_table(app, make_mask):
    mask = make_mask("01")
    uri = "bids:lesions:sub-01/anat/sub-01_label-L_desc-T1lesion_mask.nii.gz"

    assert app.run() == 0

    told = sidecar(app, "01")
    assert told["Sha256"]["LesionMask"] == file_sha256(mask)
    assert uri in told["Sources"]
    assert "bids:raw:sub-01/anat/sub-01_T1w.nii.gz" in told["Sources"]
    described = json.loads((app.output / "dataset_description.json").read_text())
    assert (app.output / described["DatasetLinks"]["lesions"]).resolve() == app.root / "derivatives/lesions"
    assert {"URL": "bids:lesions:"} in described["SourceDatasets"]
    rows = {row["subject"]: row for row in app.rows}
    assert (app.output / rows["01"]["lesion_mask"]).resolve() == mask
    assert rows["01"]["lesion_mask_sha256"] == file_sha256(mask)
    assert {rows["02"][name] for name in ("lesion_mask", "lesion_mask_sha256", "brain_mask")} == {"n/a"}
    assert "LesionMask" not in sidecar(app, "02")["Sha256"]


def test_lesions_are_left_out_unless_they_are_not_wanted(app, make_mask):
    make_mask("01")
    assert app.run("--participant-label", "01") == 0
    with_mask = nib.load(app.result("01")).get_fdata()

    assert app.run("--participant-label", "01", "--lesion-masks", "none", "--overwrite") == 0

    assert "LesionMask" not in sidecar(app, "01")["Sha256"]
    assert not np.array_equal(nib.load(app.result("01")).get_fdata(), with_mask)


def test_a_result_without_a_mask_that_is_there_now_is_not_taken_for_done(app, make_mask):
    assert app.run() == 0
    make_mask("01")

    assert app.run() == 70

    row = next(row for row in app.rows if row["subject"] == "01")
    assert "another lesion mask" in row["message"]
    assert app.run("--overwrite", "--participant-label", "01") == 0
    assert app.run() == 0
    assert set(app.status.values()) == {"done already"}


def test_a_brain_mask_is_taken_from_a_given_data_set_when_it_is_asked_for(app, make_mask, tmp_path):
    mask = make_mask("01", "space-orig_desc-brain_mask", root=tmp_path / "strip/masks", half=8)
    given = ("--participant-label", "01", "--derivatives", str(tmp_path / "strip/masks"))

    assert app.run(*given) == 0
    assert "BrainMask" not in sidecar(app, "01")["Sha256"]
    assert app.run(*given, "--brain-masks", "auto", "--overwrite") == 0

    told = sidecar(app, "01")
    assert told["Sha256"]["BrainMask"] == file_sha256(mask)
    assert "bids:masks:sub-01/anat/sub-01_space-orig_desc-brain_mask.nii.gz" in told["Sources"]
    # A run without the data set leaves the link that results have.
    assert app.run("--participant-label", "02") == 0
    assert "masks" in json.loads((app.output / "dataset_description.json").read_text())["DatasetLinks"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param("grid", "is on another grid than", id="another grid"),
        pytest.param("bytes", "sub-01_label-L_desc-T1lesion_mask.nii.gz", id="no image"),
        pytest.param("faint", "is an empty mask", id="nowhere above one half"),
        pytest.param("two", "it has 2 lesion masks, expected one", id="two masks"),
    ],
)
def test_a_mask_that_is_wrong_fails_its_scan_alone(damage, said, app, make_mask, capsys):
    mask = make_mask("01", origin=20.0 * (damage == "grid"), value=0.4 if damage == "faint" else 1)
    make_mask("02")
    if damage == "bytes":
        mask.write_bytes(b"no image")
    if damage == "two":
        make_mask("01", "label-lesion_roi")

    assert app.run() == 70

    assert [row["status"] for row in sorted(app.rows, key=lambda row: row["source"])] == ["failed", "done", "done"]
    failed = next(row for row in app.rows if row["status"] == "failed")
    assert said in failed["message"]
    assert "Traceback" not in capsys.readouterr().err
    assert not app.result("01").exists()
    assert app.run(level="group") == 70
    assert said in capsys.readouterr().err


def test_a_scan_that_was_done_and_whose_masks_are_not_clear_any_more_is_missing(app, make_mask, capsys):
    mask = make_mask("01")
    assert app.run() == 0
    second = make_mask("01", "label-lesion_roi")

    assert app.run() == 70

    assert sorted((row["subject"], row["status"]) for row in app.rows) == [
        ("01", "failed"),
        ("02", "done already"),
        ("03", "done already"),
    ]
    assert app.run(level="group") == 70
    said = capsys.readouterr()
    assert "2 of 3 scans are harmonized" in said.out
    assert "sub-01_T1w.nii.gz: it has failed: " in said.err
    assert f"{app.result('01')} is there, but this row does not tell of it" in said.err
    second.unlink()
    assert app.run() == 0
    assert [row["lesion_mask_sha256"] for row in app.rows if row["subject"] == "01"] == [file_sha256(mask)]
    assert app.run(level="group") == 0


def test_a_lesion_mask_that_is_0_everywhere_is_that_of_no_lesion(app, make_mask, capsys):
    masks = [make_mask(subject, half=0) for subject in ("01", "02")]
    make_mask("01", "desc-brain_mask")

    assert app.run("--brain-masks", "auto") == 0

    said = capsys.readouterr().err
    assert "0 of 3 scans have a lesion mask, 1 of 3 scans have a brain mask, 2 lesion masks are not taken" in said
    assert f"{masks[0]} is not taken as a lesion mask: it is 0 everywhere" in said
    assert "nor are 1 more for this reason" in said
    assert "LesionMask" not in sidecar(app, "01")["Sha256"]
    assert "BrainMask" in sidecar(app, "01")["Sha256"]
    assert {row["status"] for row in app.rows} == {"done"}
    told = {row["subject"]: "no lesion: its mask is 0 everywhere" in row["message"] for row in app.rows}
    assert told == {"01": True, "02": True, "03": False}


def test_only_masks_of_scans_that_take_part_are_read(app, make_mask, monkeypatch):
    masks = {subject: make_mask(subject) for subject in ("01", "02", "03")}
    read = []
    monkeypatch.setattr(module, "is_blank", lambda path: bool(read.append(path)))

    assert app.run("--participant-label", "01") == 0
    assert sorted(read) == [masks["01"], masks["03"]]  # its own, and that of the target
    read.clear()
    assert app.run("--participant-label", "01", "--reports-only") == 0
    assert app.run(level="group") == 70
    assert read == []


def test_the_target_has_its_masks_too(app, make_mask):
    mask = make_mask("03")

    assert app.run("--participant-label", "01") == 0

    told = sidecar(app, "01")
    assert told["Sha256"]["TargetLesionMask"] == file_sha256(mask)
    assert "bids:lesions:sub-03/anat/sub-03_label-L_desc-T1lesion_mask.nii.gz" in told["Sources"]


def test_a_target_whose_masks_are_not_clear_is_refused(app, make_mask, capsys):
    make_mask("03")
    make_mask("03", "label-lesion_roi")

    assert app.run("--participant-label", "01") == 2

    assert "has unclear masks: it has 2 lesion masks" in capsys.readouterr().err


def test_the_medoid_is_measured_with_masks_and_without_scans_that_are_not_clear(app, make_mask, capsys):
    make_mask("01")
    make_mask("02")
    make_mask("02", "label-lesion_roi")

    assert app.run("--target", "auto") == 70

    sources = [line.split("\t")[0] for line in (app.output / "target_all.tsv").read_text().splitlines()[1:]]
    assert sorted(source.split("/")[-1] for source in sources) == ["sub-01_T1w.nii.gz", "sub-03_T1w.nii.gz"]
    chosen = sources[0].split("/")[-1]
    assert ("TargetLesionMask" in sidecar(app, "03")["Sha256"]) == (chosen == "sub-01_T1w.nii.gz")
    assert "it has 2 lesion masks" in capsys.readouterr().err


def test_a_dry_run_lists_masks_and_says_which_are_not_taken(app, make_mask, capsys, tree, tmp_path):
    mask = make_mask("01")
    make_mask("02")
    make_mask("02", "label-lesion_roi")
    make_mask("03", "space-MNI152NLin2009aSym_label-L_mask")
    before = tree(tmp_path)

    assert app.run("--dry-run") == 0

    said = capsys.readouterr()
    header, *rows = (line.split("\t") for line in said.out.splitlines())
    assert header[-2:] == ["lesion_mask", "brain_mask"]
    assert [row[-2:] for row in rows] == [[str(mask), "n/a"], ["n/a", "n/a"]]
    assert f"failed: {app.source('02')}: it has 2 lesion masks" in said.err
    assert "is not taken as a lesion mask: space-MNI152NLin2009aSym" in said.err
    assert "1 of 3 scans have a lesion mask, 0 of 3 scans have a brain mask, 1 lesion masks are not taken" in said.err
    assert tree(tmp_path) == before


@pytest.mark.skipif(find_validator() is None, reason="no bids-validator is installed")
def test_data_sets_with_masks_and_results_are_valid_bids(app, make_mask):
    (app.root / "README").write_text(README)
    make_mask("01", "space-orig_label-L_desc-lesion_mask")
    make_mask("02", "space-orig_desc-brain_mask", half=8)
    results = app.root / "derivatives/out"

    assert errors_of(app.root, find_validator()) == []
    assert errors_of(app.root / "derivatives/lesions", find_validator()) == []
    assert type(app)(app.root, results).run("--brain-masks", "auto", "--target", str(app.source("03"))) == 0

    assert errors_of(results, find_validator()) == []
    assert errors_of(app.root, find_validator()) == []
    told = sidecar(type(app)(app.root, results), "02")
    assert "BrainMask" in told["Sha256"]
    assert told["SkullStripped"] is False


def test_data_sets_of_masks_are_refused_where_none_are_wanted(app, make_mask, tmp_path, capsys):
    make_mask("01", root=tmp_path / "masks")

    assert app.run("--lesion-masks", "none", "--derivatives", str(tmp_path / "masks")) == 2

    assert "--derivatives does nothing without masks" in capsys.readouterr().err


def test_a_brain_mask_that_is_not_asked_for_makes_nothing_unclear(app, make_mask):
    for name in ("desc-brain_mask", "space-orig_desc-brain_mask"):
        make_mask("01", name, half=8)
    shutil.copytree(app.root / "derivatives/lesions", app.root / "derivatives/copies")

    assert app.run("--participant-label", "01") == 0
