import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from hail_mri.errors import InputError, OutputExistsError, UnwritableError
from hail_mri.harmonize import result
from hail_mri.harmonize.result import Provenance, describe, require_free, save_result
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance import atomic_write
from hail_mri.provenance.hashes import InputFile
from hail_mri.provenance.sidecar import sidecar_path

VOLUME = Volume(np.arange(8**3, dtype=np.float32).reshape(8, 8, 8), np.eye(4))


@pytest.fixture
def provenance(tmp_path) -> Provenance:
    path = tmp_path / "source.nii"
    path.write_bytes(b"source")
    file = InputFile.read(path)
    return Provenance(source=file, target=file, settings=HarmonizeSettings(), weights_sha256="", seconds={})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_result_and_sidecar_are_written_and_nothing_else(tmp_path, provenance, name):
    save_result(VOLUME, tmp_path / "out/sub" / name, provenance)

    assert names(tmp_path / "out/sub") == sorted(["a.json", name])
    np.testing.assert_array_equal(load_volume(tmp_path / "out/sub" / name).data, VOLUME.data)


def test_the_hash_in_the_sidecar_is_that_of_the_result(tmp_path, provenance):
    save_result(VOLUME, tmp_path / "a.nii.gz", provenance)

    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["Sha256"]["Result"] == hashlib.sha256((tmp_path / "a.nii.gz").read_bytes()).hexdigest()
    assert told["Seconds"]["write"] >= 0


def test_the_same_volume_gives_the_same_bytes(tmp_path, provenance):
    save_result(VOLUME, tmp_path / "a.nii.gz", provenance)
    save_result(VOLUME, tmp_path / "b.nii.gz", provenance)

    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("room", "step"),
    [(result, "save_volume"), (result, "describe"), (result, "write_json"), (atomic_write, "_rename_all")],
)
@pytest.mark.parametrize(
    ("failure", "seen"),
    [
        pytest.param(OSError(28, "No space left on device"), UnwritableError, id="disk full"),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, id="interrupted"),
        pytest.param(ZeroDivisionError(), ZeroDivisionError, id="bug"),
    ],
)
def test_a_failure_at_any_step_leaves_nothing_behind(tmp_path, provenance, monkeypatch, room, step, failure, seen):
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(room, step, fail)

    with pytest.raises(seen):
        save_result(VOLUME, tmp_path / "out/sub/a.nii.gz", provenance)

    assert names(tmp_path) == ["source.nii"]


def test_a_result_that_cannot_have_its_name_leaves_the_older_pair_as_it_was(tmp_path, provenance, monkeypatch):
    (tmp_path / "a.nii.gz").write_bytes(b"older result")
    (tmp_path / "a.json").write_bytes(b"older sidecar")
    replace = Path.replace

    def replace_sidecars_only(path: Path, target: Path) -> Path:
        if target.name == "a.nii.gz":
            raise PermissionError(1, "Operation not permitted")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_sidecars_only)
    with pytest.raises(UnwritableError, match="not permitted"):
        save_result(VOLUME, tmp_path / "a.nii.gz", provenance, overwrite=True)

    assert names(tmp_path) == ["a.json", "a.nii.gz", "source.nii"]
    assert (tmp_path / "a.nii.gz").read_bytes() == b"older result"
    assert (tmp_path / "a.json").read_bytes() == b"older sidecar"


@pytest.mark.parametrize("existing", ["a.nii.gz", "a.json"])
def test_neither_file_is_replaced_unless_asked(tmp_path, provenance, existing):
    (tmp_path / existing).write_bytes(b"older")

    with pytest.raises(OutputExistsError, match=existing):
        save_result(VOLUME, tmp_path / "a.nii.gz", provenance)
    assert (tmp_path / existing).read_bytes() == b"older"

    save_result(VOLUME, tmp_path / "a.nii.gz", provenance, overwrite=True)
    assert (tmp_path / existing).read_bytes() != b"older"


def test_places_where_nothing_can_be_written_are_refused_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.nii").mkdir()

    with pytest.raises(UnwritableError, match="file is not a folder"):
        require_free(tmp_path / "file/sub/a.nii", overwrite=True)
    with pytest.raises(InputError, match=r"folder\.nii is a folder"):
        require_free(tmp_path / "folder.nii", overwrite=True)


def test_a_name_without_a_folder_is_written_where_one_is(tmp_path, provenance, monkeypatch):
    monkeypatch.chdir(tmp_path)

    save_result(VOLUME, Path("a.nii"), provenance)

    assert names(tmp_path) == ["a.json", "a.nii", "source.nii"]


def test_a_name_that_just_fits_is_written(tmp_path, provenance):
    name = "x" * 248 + ".nii.gz"

    save_result(VOLUME, tmp_path / name, provenance)

    assert name in names(tmp_path)


@pytest.mark.parametrize("output", ["file/a.nii", "file/sub/deep/a.nii"])
def test_the_output_that_was_asked_for_is_named_and_what_is_in_its_way(tmp_path, output):
    (tmp_path / "file").touch()

    with pytest.raises(UnwritableError) as raised:
        require_free(tmp_path / output, overwrite=True)

    assert str(raised.value) == f"{tmp_path / output} cannot be written: {tmp_path / 'file'} is not a folder"


def provenance_in(folder: Path, **changes) -> Provenance:
    source, target = folder / "in/sub-01_T1w.nii.gz", folder / "target.nii.gz"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(b"source")
    target.write_bytes(b"target")
    told = {
        "source": InputFile.read(source),
        "target": InputFile.read(target),
        "settings": HarmonizeSettings(strength=0.5),
        "weights_sha256": "ab" * 32,
        "seconds": {"read": 0.12345, "network": 2.0},
        "warnings": ("Both codes are 0.",),
    }
    return Provenance(**(told | changes))


def test_the_sidecar_tells_inputs_settings_hashes_and_times(tmp_path):
    told = describe(provenance_in(tmp_path), tmp_path / "out/x.nii.gz", result_sha256="cd" * 32)

    assert told["Sources"] == ["../in/sub-01_T1w.nii.gz", "../target.nii.gz"]
    assert told["SpatialReference"] == "orig"
    assert told["Settings"]["strength"] == 0.5
    assert told["Sha256"] == {
        "Source": hashlib.sha256(b"source").hexdigest(),
        "Target": hashlib.sha256(b"target").hexdigest(),
        "Weights": "ab" * 32,
        "Result": "cd" * 32,
    }
    assert told["Seconds"] == {"read": 0.123, "network": 2.0}
    assert told["PeakMemoryMiB"] > 1
    assert {"hail-mri", "python", "torch", "monai", "nibabel", "numpy"} <= set(told["Versions"])
    assert told["Warnings"] == ["Both codes are 0."]


def test_a_brain_mask_is_one_of_the_sources(tmp_path):
    (tmp_path / "mask.nii").write_bytes(b"mask")
    provenance = provenance_in(tmp_path, brain_mask=InputFile.read(tmp_path / "mask.nii"))

    told = describe(provenance, tmp_path / "x.nii.gz", result_sha256="")

    assert told["BrainMask"] == "mask.nii"
    assert told["Sources"][-1] == "mask.nii"


@pytest.mark.parametrize(
    ("beside_source", "told_key"),
    [
        pytest.param('{"SkullStripped": true}', {"SkullStripped": True}, id="known"),
        pytest.param('{"EchoTime": 0.003}', {}, id="not told"),
        pytest.param('{"SkullStripped": "yes"}', {}, id="no truth value"),
        pytest.param("[1]", {}, id="no object"),
        pytest.param("{", {}, id="no JSON"),
        pytest.param(None, {}, id="no sidecar"),
    ],
)
def test_skull_stripped_is_told_if_the_source_tells(tmp_path, beside_source, told_key):
    provenance = provenance_in(tmp_path)
    if beside_source is not None:
        sidecar_path(provenance.source.path).write_text(beside_source)

    told = describe(provenance, tmp_path / "x.nii.gz", result_sha256="")

    assert {key: value for key, value in told.items() if key == "SkullStripped"} == told_key


@pytest.mark.parametrize(("beside_source", "told"), [(None, True), ('{"SkullStripped": false}', False)])
def test_what_the_tissue_map_says_is_told_unless_the_source_tells(tmp_path, beside_source, told):
    provenance = provenance_in(tmp_path, skull_stripped=True)
    if beside_source is not None:
        sidecar_path(provenance.source.path).write_text(beside_source)

    assert describe(provenance, tmp_path / "x.nii.gz", result_sha256="")["SkullStripped"] is told
