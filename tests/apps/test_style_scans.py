import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps.cli import main
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.style_card import StyleCard
from hail_mri.image.nifti import load_volume, read_volume


@pytest.fixture
def mask(tmp_path, make_scan):
    """Return the path of a mask of half of what `make_scan` makes."""
    scan = nib.load(make_scan(tmp_path / "any.nii.gz", spacing=4.0))
    inside = np.zeros(scan.shape, np.uint8)
    inside[4:20, 4:24, 4:12] = 1
    nib.save(nib.Nifti1Image(inside, scan.affine), tmp_path / "mask.nii.gz")
    return tmp_path / "mask.nii.gz"


def test_a_card_made_in_a_brain_mask_is_the_style_of_a_target_with_this_mask(tmp_path, make_scan, mask):
    scan, card = make_scan(tmp_path / "a.nii.gz", spacing=4.0), tmp_path / "card.json"

    assert main(["style", str(scan), "--brain-mask", str(mask), "-o", str(card), "--force", "--threads", "1"]) == 0

    assert StyleCard.load(card) == Harmonizer(load_volume(scan), target_mask=read_volume(mask)).style


@pytest.mark.usefixtures("mask")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["a.nii.gz", "b.nii.gz", "--brain-mask", "mask.nii.gz"], "1 brain masks for 2 scans", id="few"),
        pytest.param(["a.nii.gz"] + 2 * ["--brain-mask", "mask.nii.gz"], "2 brain masks for 1 scans", id="many"),
        pytest.param(["a.nii.gz", "--brain-mask", "gone.nii"], "gone.nii does not exist", id="no such mask"),
        pytest.param(["a.nii.gz", "b.nii.gz", "a.nii.gz"], "a.nii.gz is given twice, expected", id="twice"),
        pytest.param(["a.nii.gz", "copy.nii.gz"], "is given twice (the other time as a.nii.gz)", id="a copy"),
        pytest.param(["a.nii.gz", "sub/../a.nii.gz"], "is given twice (the other time as a.nii.gz)", id="another path"),
        pytest.param(["a.nii.gz", "--threads", "0"], "threads is 0", id="no threads"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(arguments, said, tmp_path, make_scan, monkeypatch, capsys):
    for seed, name in enumerate(("a.nii.gz", "b.nii.gz")):
        make_scan(tmp_path / name, seed=seed)
    (tmp_path / "copy.nii.gz").write_bytes((tmp_path / "a.nii.gz").read_bytes())
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)

    assert main(["style", *arguments, "-o", "new/card.json"]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert not (tmp_path / "new").exists()


def test_a_card_never_replaces_a_mask(tmp_path, make_scan, mask, capsys):
    scan = make_scan(tmp_path / "a.nii.gz")

    assert main(["style", str(scan), "--brain-mask", str(mask), "-o", str(mask), "--overwrite"]) == 2
    assert "is an input" in capsys.readouterr().err


def test_a_card_never_replaces_the_sidecar_of_a_scan(tmp_path, make_scan, capsys):
    scan = make_scan(tmp_path / "a.nii.gz")
    (tmp_path / "a.json").write_text('{"RepetitionTime": 2.3}')

    assert main(["style", str(scan), "-o", str(tmp_path / "a.json"), "--overwrite"]) == 2
    assert "is an input" in capsys.readouterr().err
    assert (tmp_path / "a.json").read_text() == '{"RepetitionTime": 2.3}'
