import hashlib
import json
from pathlib import Path

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.sidecar import InputFile, Provenance, describe, file_sha256, sidecar_path, write_json


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


@pytest.mark.parametrize(
    ("result", "sidecar"),
    [
        ("a.nii.gz", "a.json"),
        ("a.nii", "a.json"),
        ("out/sub-01.v2_T1w.nii.gz", "out/sub-01.v2_T1w.json"),
        ("A.NII.GZ", "A.json"),
    ],
)
def test_the_sidecar_has_the_name_of_the_result(result, sidecar):
    assert sidecar_path(Path(result)) == Path(sidecar)


@pytest.mark.parametrize("name", ["a.mgz", "a.json", "a", ".nii.gz", "nii"])
def test_other_names_are_no_names_of_results(name):
    with pytest.raises(InputError, match=r"expected one that ends in \.nii or \.nii\.gz"):
        sidecar_path(Path(name))


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    content = bytes(range(256)) * 20_000
    (tmp_path / "a").write_bytes(content)

    assert file_sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_an_input_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="missing does not exist"):
        InputFile.read(tmp_path / "missing")
    with pytest.raises(InputError, match="is a folder"):
        InputFile.read(tmp_path)


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


def test_what_is_written_is_read_back(tmp_path):
    content = {"Warnings": ["größer als 1 µm"], "Seconds": {"read": 0.5}}

    write_json(content, tmp_path / "a.json")

    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == content
