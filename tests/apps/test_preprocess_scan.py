"""hail-mri preprocess, and harmonize with presets, from file to file."""

import json
import signal

import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps.cli import main
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.preprocess.rigid import read_transform, write_transform

GRID = ["--spacing", "2", "--size", "128"]
FILES = [
    "sub-01_desc-bias_field.nii.gz",
    "sub-01_desc-brain_mask.nii.gz",
    "sub-01_desc-prepared_T1w.json",
    "sub-01_desc-prepared_T1w.nii.gz",
    "sub-01_from-reference_to-scan_mode-points_xfm.txt",
]


@pytest.fixture(scope="module", autouse=True)
def quicker(tmp_path_factory):
    """Let N4 work on a coarser grid, where it takes a second, and keep estimates from test to test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIL_MRI_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("hail_mri.preprocess.bias_field.SPACING", 12.0)
        yield


@pytest.fixture(scope="module")
def scans(visit, simulated_scan, tmp_path_factory):
    """Return a folder with a scan, and with the same subject at another site."""
    from hail_mri.simulation.scanners import SITES
    from hail_mri.simulation.travelling import rescan_at

    folder = tmp_path_factory.mktemp("scans")
    save_volume(simulated_scan, folder / "sub-01_T1w.nii.gz")
    save_volume(rescan_at(visit, SITES["A"]), folder / "other.nii.gz")
    return folder


@pytest.fixture(scope="module")
def prepared(scans, tmp_path_factory):
    """Return the folder that the command leaves behind, with the MNI152 brain as reference."""
    folder = tmp_path_factory.mktemp("out") / "prepared"
    status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), "-o", str(folder), "--save-brain-mask", *GRID])
    assert status == 0
    return folder


@pytest.fixture
def sidecar(prepared):
    return json.loads((prepared / FILES[2]).read_text(encoding="utf-8"))


def test_a_prepared_scan_is_five_files(prepared, tree):
    assert tree(prepared) == FILES


def test_the_prepared_scan_lies_on_the_grid_that_was_asked_for_and_between_0_and_1(prepared):
    image = nib.load(prepared / FILES[3])
    assert image.shape == (128, 128, 128)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    np.testing.assert_allclose(image.header.get_zooms(), 2)
    data = image.get_fdata()
    assert (data.min(), data.max()) == (0, 1)


def test_the_brain_mask_lies_on_the_prepared_grid(prepared):
    image = nib.load(prepared / FILES[1])
    assert image.shape == (128, 128, 128)
    assert 900 < image.get_fdata().sum() * 8e-3 < 2500  # ml


def test_the_bias_field_lies_on_the_scans_own_grid(prepared, scans):
    field, scan = load_volume(prepared / FILES[0]), load_volume(scans / "sub-01_T1w.nii.gz")
    assert field.grid.is_close(scan.grid)
    assert field.data.min() > 0


def test_the_sidecar_tells_all_that_is_needed_to_go_back(prepared, sidecar):
    np.testing.assert_allclose(
        read_transform(prepared / FILES[4]), sidecar["Registration"]["ReferenceToScan"], atol=1e-6
    )
    assert sidecar["Registration"]["Verdict"] in ("ok", "check")
    assert sidecar["Scale"]["One"] > sidecar["Scale"]["Zero"]
    assert sidecar["Settings"] == {"bias_correction": True, "scaling": "white matter"}
    assert sidecar["SpatialReference"] == "mni152"
    assert sidecar["SkullStripped"] is False
    assert {check["name"] for check in sidecar["Checks"]["Source"]} >= {
        "registration",
        "brain where the reference's is",
    }


def test_a_scan_can_be_the_reference(scans, tmp_path):
    reference = ["--reference", str(scans / "other.nii.gz")]
    status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), *reference, "-o", str(tmp_path / "out"), *GRID])
    told = json.loads((tmp_path / "out" / FILES[2]).read_text(encoding="utf-8"))
    assert status == 0
    assert told["Reference"].endswith("other.nii.gz")
    assert len(told["Sha256"]["Reference"]) == 64
    assert told["Registration"]["RotationDegrees"] < 1  # they lie in the same place
    assert told["Checks"]["Reference"]


def test_harmonizing_with_n4_and_a_reference_keeps_the_scans_grid_and_tells_of_both(scans, tmp_path, capsys):
    source, target = scans / "sub-01_T1w.nii.gz", scans / "other.nii.gz"
    request = [str(source), "--target", str(target), "--preset", "robust", "--reference", "mni152", "--force"]
    status = main(["harmonize", *request, "-o", str(tmp_path / "x.nii.gz")])
    told = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert status == 0, capsys.readouterr().err
    assert load_volume(tmp_path / "x.nii.gz").grid.is_close(load_volume(source).grid)
    assert told["BiasField"]["Method"] == "N4"
    assert told["Registration"]["Reference"] == "mni152"
    assert "registration" in {check["name"] for check in told["Checks"]["Source"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(["--reference", "gone.nii.gz"], "gone.nii.gz does not exist", id="no such reference"),
        pytest.param(["--reference-mask", "m.nii.gz"], "which has its own", id="mask of what is built in"),
        pytest.param(["--spacing", "0.01"], "spacing is 0.01", id="voxels too small"),
        pytest.param(["--size", "0"], "0 voxels along an edge", id="no voxels"),
        pytest.param(["--brain-mask", "gone.nii.gz"], "gone.nii.gz does not exist", id="no such mask"),
    ],
)
def test_requests_that_cannot_be_leave_nothing_behind(scans, tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), "-o", "out", *options])
    assert status == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_two_scans_of_one_name_are_not_prepared_into_one_folder(scans, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    twin = tmp_path / "b" / "sub-01_T1w.nii.gz"
    twin.write_bytes((scans / "sub-01_T1w.nii.gz").read_bytes())
    status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), str(twin), "-o", str(tmp_path / "out")])
    assert status == 2
    assert "would both become" in capsys.readouterr().err


def test_one_mask_is_not_that_of_two_scans(scans, tmp_path, capsys):
    both = [str(scans / "sub-01_T1w.nii.gz"), str(scans / "other.nii.gz")]
    status = main(["preprocess", *both, "--brain-mask", "m.nii.gz", "-o", str(tmp_path / "out")])
    assert status == 2
    assert "expected one scan with it" in capsys.readouterr().err


def test_what_is_there_is_not_replaced_unless_asked(prepared, scans, capsys):
    before = (prepared / FILES[3]).read_bytes()
    status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), "-o", str(prepared), *GRID])
    assert status == 2
    assert "exists" in capsys.readouterr().err
    assert (prepared / FILES[3]).read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(scans, tmp_path, capsys):
    """The limit on the size of a file stands for the disk: the kernel refuses the write halfway."""
    resource = pytest.importorskip("resource")
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), "-o", str(tmp_path / "out"), *GRID])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert status == 2
    assert "could not be written" in capsys.readouterr().err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_interruption_while_files_are_written_leaves_nothing_behind(scans, tmp_path, monkeypatch):
    written = []

    def write_and_be_interrupted(*arguments):
        write_transform(*arguments)
        written.extend(path for path in tmp_path.rglob("*") if path.is_file())
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("hail_mri.preprocess.files.write_transform", write_and_be_interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
    try:
        status = main(["preprocess", str(scans / "sub-01_T1w.nii.gz"), "-o", str(tmp_path / "out"), *GRID])
    finally:
        signal.signal(signal.SIGINT, before)
    assert status == 130
    assert len(written) == 2  # the scan and its transform, under hidden names
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_reference_without_a_preset_is_refused(scans, tmp_path, capsys):
    request = [str(scans / "sub-01_T1w.nii.gz"), "--target", str(scans / "other.nii.gz"), "--reference", "mni152"]
    status = main(["harmonize", *request, "-o", str(tmp_path / "x.nii.gz"), "--force"])
    assert status == 2
    assert "moves no scan" in capsys.readouterr().err
