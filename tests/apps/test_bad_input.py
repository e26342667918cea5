"""Whatever is wrong with a request: one line on stderr that names the file, exit 2, no traceback, nothing left."""

import gzip
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps.cli import main

Maker = Callable[[Path], Path]
SHAPE = (24, 28, 20)  # of the scan
SHIFTED = np.array([[8.0, 0, 0, 0.3], [0, 8, 0, 0], [0, 0, 8, 0], [0, 0, 0, 1]])


def ramp(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def nifti(data: np.ndarray, name: str = "bad.nii.gz") -> Maker:
    def make(folder: Path) -> Path:
        nib.save(nib.Nifti1Image(data, np.eye(4)), folder / name)
        return folder / name

    return make


def raw(content: bytes, name: str = "bad.nii.gz") -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def cut_short(folder: Path) -> Path:
    path = nifti(np.random.default_rng(0).normal(100, 10, (16, 16, 16)).astype(np.float32))(folder)
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def damaged_inside(folder: Path) -> Path:
    path = nifti(np.random.default_rng(0).normal(100, 10, (16, 16, 16)).astype(np.float32))(folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    return path


def with_value(value: float) -> np.ndarray:
    data = ramp(10, 10, 10)
    data[5, 5, 5] = value
    return data


def rgb() -> np.ndarray:
    return np.zeros((10, 10, 10), dtype=np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))


def folder_named_like_a_scan(folder: Path) -> Path:
    (folder / "bad.nii").mkdir()
    return folder / "bad.nii"


def broken_link(folder: Path) -> Path:
    (folder / "bad.nii").symlink_to(folder / "nowhere.nii")
    return folder / "bad.nii"


def link_to_itself(folder: Path) -> Path:
    (folder / "bad.nii").symlink_to("bad.nii")
    return folder / "bad.nii"


def plain_named_gz(folder: Path) -> Path:
    return nifti(ramp(10, 10, 10), "plain.nii")(folder).rename(folder / "bad.nii.gz")


def gzip_named_plain(folder: Path) -> Path:
    return nifti(ramp(10, 10, 10), "zipped.nii.gz")(folder).rename(folder / "bad.nii")


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "bad.nii.gz")
    return folder / "bad.nii.gz"


def endless(folder: Path) -> Path:
    (folder / "bad.nii").symlink_to("/dev/zero")
    return folder / "bad.nii"


def beyond_float32() -> np.ndarray:
    data = ramp(10, 10, 10).astype(np.float64)
    data[5, 5, 5] = 1e300
    return data


BAD_SCANS = [
    pytest.param(raw(b"this is no image at all\n" * 40), "not a gzip file", id="not an image"),
    pytest.param(plain_named_gz, "not a gzip file but a NIfTI image", id="plain file named gz"),
    pytest.param(gzip_named_plain, "is a gzip file", id="gzip named as plain file"),
    pytest.param(pipe, "is a pipe, expected one scan", id="pipe"),
    pytest.param(endless, "is a device, expected one scan", id="device"),
    pytest.param(nifti(beyond_float32()), "up to 1e+300 in 1 of 1000 voxels", id="beyond float32"),
    pytest.param(raw(gzip.compress(b"no image, compressed" * 40)), "not a NIfTI|damaged", id="gzip of something else"),
    pytest.param(raw(b"DICM" * 200, "bad.dcm"), "not a scan by its name", id="another format"),
    pytest.param(cut_short, "damaged or cut short", id="truncated gzip"),
    pytest.param(damaged_inside, "damaged", id="flipped byte in gzip"),
    pytest.param(raw(b""), "is empty", id="empty file"),
    pytest.param(nifti(ramp(10, 10, 10, 3)), "4 dimensions", id="4-D"),
    pytest.param(nifti(ramp(10, 10)), "2 dimensions|voxels, expected at least", id="2-D"),
    pytest.param(nifti(with_value(np.nan)), "NaN or infin", id="NaN"),
    pytest.param(nifti(with_value(np.inf)), "NaN or infin", id="Inf"),
    pytest.param(
        nifti(np.full((10, 10, 10), 7.0, np.float32)), "the same intensity|a mask of everything", id="constant"
    ),
    pytest.param(nifti(np.zeros((10, 10, 10), np.float32)), "0 everywhere", id="all zero"),
    pytest.param(nifti(ramp(10, 10, 10).astype(np.complex64)), "complex", id="complex"),
    pytest.param(nifti(rgb()), "colours", id="RGB"),
    pytest.param(nifti(ramp(5, 12, 12)), "at least 8", id="5 voxels"),
    pytest.param(lambda folder: folder / "bad.nii.gz", "does not exist", id="missing"),
    pytest.param(broken_link, "does not exist", id="broken link"),
    pytest.param(link_to_itself, "cannot be read (Too many levels", id="link to itself"),
]


@pytest.fixture
def place(tmp_path, make_scan) -> Path:
    """Return a folder with a good scan, a good target, and nothing else."""
    make_scan(tmp_path / "scan.nii.gz", seed=1)
    make_scan(tmp_path / "target.nii.gz", seed=2)
    return tmp_path


@pytest.fixture
def refused(place, capsys, tree) -> Callable[..., str]:
    """Return a function that runs `hail-mri harmonize` on something wrong and returns the one line it says."""

    def run(
        *, source: Path | None = None, look: list[str] | None = None, output: Path, extra: tuple[str, ...] = ()
    ) -> str:
        before = tree(place)
        source = source or place / "scan.nii.gz"
        look = look or ["--target", str(place / "target.nii.gz")]

        status = main(["harmonize", str(source), *look, "-o", str(output), *extra])

        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        assert status == 2
        assert printed.out == ""
        assert len(lines) == 1, lines
        assert lines[0].startswith("hail-mri: error: ")
        assert tree(place) == before
        return lines[0]

    return run


def assert_says(line: str, message: str, path: Path) -> None:
    assert any(part in line for part in message.split("|")), line
    assert str(path) in line


@pytest.mark.parametrize(("make", "message"), BAD_SCANS)
def test_a_bad_source_is_refused(make, message, place, refused):
    source = make(place)

    assert_says(refused(source=source, output=place / "new/out.nii.gz"), message, source)


@pytest.mark.parametrize(
    ("make", "message"), [*BAD_SCANS, pytest.param(folder_named_like_a_scan, "is a folder", id="folder")]
)
def test_a_bad_target_is_refused(make, message, place, refused):
    target = make(place)

    line = refused(look=["--target", str(target)], output=place / "new/out.nii.gz")

    assert_says(line, message, target)


@pytest.mark.parametrize(("make", "message"), BAD_SCANS)
def test_a_bad_brain_mask_is_refused(make, message, place, refused):
    mask = make(place)

    line = refused(output=place / "new/out.nii.gz", extra=("--brain-mask", str(mask)))

    assert_says(line, message, mask)


@pytest.mark.parametrize(
    ("shape", "affine", "message"),
    [
        pytest.param((10, 10, 10), np.diag([8.0, 8, 8, 1]), "its shape is 10 x 10 x 10, not 24 x 28 x 20", id="shape"),
        pytest.param(SHAPE, np.diag([8.0, 8, 7, 1]), "its spacing is 8 x 8 x 7 mm, not 8 x 8 x 8 mm", id="spacing"),
        pytest.param(SHAPE, np.diag([-8.0, 8, 8, 1]), "its axes are L, A, S, not R, A, S", id="flipped"),
        pytest.param(SHAPE, SHIFTED, "its origin is 0.3 mm away", id="moved"),
    ],
)
def test_a_brain_mask_on_another_grid_is_refused(shape, affine, message, place, refused):
    mask = place / "mask.nii"
    nib.save(nib.Nifti1Image((ramp(*shape) > 500).astype(np.float32), affine), mask)

    line = refused(output=place / "out.nii.gz", extra=("--brain-mask", str(mask)))

    assert f"{mask} is on another grid than {place / 'scan.nii.gz'}: {message}." in line


MASKS = pytest.mark.parametrize(
    ("option", "of"), [("--brain-mask", "brain"), ("--lesion-mask", "lesion"), ("--target-lesion-mask", "lesion")]
)


@MASKS
def test_an_empty_mask_is_refused(option, of, place, refused):
    mask = place / "mask.nii"
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.float32), np.diag([8.0, 8, 8, 1])), mask)

    line = refused(output=place / "out.nii.gz", extra=(option, str(mask)))
    assert f"{mask} is an empty mask" in line
    assert f"Give a mask of the {of}" in line


@MASKS
def test_a_mask_on_another_grid_is_refused_whatever_it_is_of(option, of, place, refused):
    mask = place / f"{of}.nii"
    nib.save(nib.Nifti1Image((ramp(10, 10, 10) > 500).astype(np.float32), np.diag([8.0, 8, 8, 1])), mask)

    line = refused(output=place / "out.nii.gz", extra=(option, str(mask)))
    assert f"{mask} is on another grid than" in line


def test_a_folder_without_scans_as_source_is_refused(place, refused):
    (place / "empty").mkdir()

    assert "has no scans" in refused(source=place / "empty", output=place / "out")


def test_a_batch_with_a_target_that_is_missing_is_refused_before_the_first_scan(place, refused):
    line = refused(source=place, look=["--target", str(place / "gone.nii")], output=place / "out")

    assert "gone.nii does not exist" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_target_is_refused(place, refused):
    (place / "target.nii.gz").chmod(0)

    assert "target.nii.gz" in refused(output=place / "out.nii.gz")


@pytest.mark.parametrize("existing", ["out.nii.gz", "out.json"])
def test_an_output_that_exists_is_left_as_it_is(existing, place, refused):
    (place / existing).write_bytes(b"precious")

    assert existing in refused(output=place / "out.nii.gz")
    assert (place / existing).read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        pytest.param("scan.nii.gz/out.nii.gz", "is not a folder", id="folder is a file"),
        pytest.param("scan.nii.gz/deep/er/out.nii.gz", "is not a folder", id="folder above is a file"),
        pytest.param("folder", "is a folder", id="output is a folder"),
        pytest.param("out.mgz", "expected one that ends in .nii or .nii.gz", id="output of another format"),
        pytest.param("out", "expected one that ends in .nii or .nii.gz", id="output without suffix"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_refused(output, message, place, refused):
    (place / "folder").mkdir()

    line = refused(output=place / output)

    assert message in line
    assert str(place / output) in line


@pytest.mark.parametrize("name", ["scan.nii.gz", "target.nii.gz"])
def test_a_result_never_replaces_what_it_is_made_of(name, place, refused):
    assert "is an input" in refused(output=place / name, extra=("--overwrite",))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"a": 1}', id="another JSON"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_a_file_that_is_no_style_card_is_refused(content, place, refused):
    pytest.importorskip("hail_mri.harmonize.style_card")
    card = raw(content, "site.style.json")(place)

    assert str(card) in refused(look=["--style", str(card)], output=place / "out.nii.gz")


def test_a_pipe_is_no_style_card_and_no_table_and_nobody_waits_for_it(place, refused):
    for name in ("card.json", "scans.tsv"):
        os.mkfifo(place / name)

    assert "card.json is a pipe" in refused(look=["--style", str(place / "card.json")], output=place / "out.nii.gz")
    assert "scans.tsv is a pipe" in refused(source=place / "scans.tsv", output=place / "out")


def test_a_style_card_that_is_missing_is_refused(place, refused):
    pytest.importorskip("hail_mri.harmonize.style_card")

    line = refused(look=["--style", str(place / "gone.json")], output=place / "out.nii.gz")

    assert "gone.json does not exist" in line


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["weights.pt", "weights.pkl", "weights.safetensors"])
def test_a_pickle_is_not_loaded_as_weights_whatever_its_name(name, place, refused):
    pytest.importorskip("hail_mri.harmonize.harmonizer")
    weights = raw(pickle.dumps(Bomb(place / "exploded")), name)(place)

    line = refused(output=place / "out.nii.gz", extra=("--model", str(weights)))

    # Without a model card beside it, it is the card that is missed.
    assert str(weights.with_suffix("")) in line
    assert not (place / "exploded").exists()


def test_a_pickle_with_a_model_card_is_not_loaded_either(place, refused):
    pytest.importorskip("hail_mri.harmonize.harmonizer")
    from hail_mri.model.weights import released_models, weights_path

    weights = raw(pickle.dumps(Bomb(place / "exploded")), "weights.safetensors")(place)
    card = weights_path(released_models()[0]).with_suffix(".json").read_bytes()
    weights.with_suffix(".json").write_bytes(card)

    line = refused(output=place / "out.nii.gz", extra=("--model", str(weights)))

    assert str(weights) in line
    assert not (place / "exploded").exists()


@pytest.mark.parametrize("model", ["nothing-of-this-name", "no/such/weights.safetensors", ""])
def test_an_unknown_model_is_refused(model, place, refused):
    pytest.importorskip("hail_mri.harmonize.harmonizer")

    line = refused(output=place / "out.nii.gz", extra=("--model", model))

    assert model in line


def test_a_gpu_that_is_not_there_is_refused(place, refused):
    pytest.importorskip("hail_mri.harmonize.harmonizer")
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")

    assert "cuda" in refused(output=place / "out.nii.gz", extra=("--device", "cuda")).lower()
