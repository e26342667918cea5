"""Bundles, checked and run by MONAI itself."""

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai import bundle as monai_bundle

from hail_mri.errors import InputError, MissingFileError, OutputExistsError, UnwritableError
from hail_mri.export.monai_bundle import write_bundle
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.model.weights import weights_hash
from hail_mri.preprocess.prepare import prepare

SCHEMA_PATH = Path(__file__).with_name("bundle_schema.json")  # not MONAI's own: it says what it is
FILES = [
    "configs/inference.json",
    "configs/metadata.json",
    "docs/README.md",
    "docs/license.txt",
    "models/model.json",
    "models/model.safetensors",
]


@pytest.fixture
def bundle_dir(model, tmp_path):
    return write_bundle(model.path, tmp_path / "bundle")


@pytest.fixture
def scan(make_head):
    return make_head(shape=(30, 34, 36), spacing=6.0)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def configs(folder):
    return {"meta_file": str(folder / "configs/metadata.json"), "config_file": str(folder / "configs/inference.json")}


def metadata(folder):
    return json.loads((folder / "configs/metadata.json").read_text(encoding="utf-8"))


def snippet(folder, number):
    text = (folder / "docs/README.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[number]


def test_a_bundle_has_the_files_that_monai_expects_and_no_pickle(bundle_dir):
    assert files(bundle_dir) == FILES


def test_weights_and_model_card_are_the_same_bytes(model, bundle_dir):
    copy_path = bundle_dir / "models/model.safetensors"
    assert weights_hash(copy_path) == weights_hash(model.path)
    assert copy_path.with_suffix(".json").read_bytes() == model.path.with_suffix(".json").read_bytes()


def test_monai_verifies_the_metadata(bundle_dir):
    monai_bundle.verify_metadata(configs(bundle_dir)["meta_file"], filepath=str(SCHEMA_PATH))


@pytest.mark.parametrize("key", json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))["required"])
def test_metadata_without_a_key_that_is_needed_would_be_noticed(tissue_model, tmp_path, key):
    folder = write_bundle(tissue_model.path, tmp_path / "bundle")
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps({name: value for name, value in metadata(folder).items() if name != key}))
    with pytest.raises(ValueError, match=key):
        monai_bundle.verify_metadata(str(path), filepath=str(SCHEMA_PATH))


def test_monai_verifies_input_and_output_of_the_network(model, bundle_dir):
    target = {name: volume for name, volume in model.inputs(strides=(1, 1, 1)).items() if name == "target"}
    monai_bundle.verify_net_in_out(
        "network_def",
        **configs(bundle_dir),
        device="cpu",
        n=2,
        extra_forward_args=target,
        bundle_root=str(bundle_dir),
    )


def test_an_output_that_the_metadata_do_not_tell_of_would_be_noticed(tissue_model, tmp_path):
    folder = write_bundle(tissue_model.path, tmp_path / "bundle")
    wrong = {"_meta_#network_data_format#outputs#pred#num_channels": 3, "bundle_root": str(folder)}
    with pytest.raises(ValueError, match="output channel number"):
        monai_bundle.verify_net_in_out("network_def", **configs(folder), device="cpu", n=2, **wrong)


@torch.inference_mode()
def test_the_network_of_the_configuration_is_the_network(model, bundle_dir):
    parser = monai_bundle.ConfigParser()
    parser.read_config(configs(bundle_dir)["config_file"])
    parser["bundle_root"] = str(bundle_dir)
    parser["device"] = "cpu"
    inputs = model.inputs()
    assert torch.equal(parser.get_parsed_content("network")(**inputs), model.network(**inputs))


def test_the_configuration_has_all_that_monai_asks_of_one_for_inference(bundle_dir):
    workflow = monai_bundle.ConfigWorkflow(
        workflow_type="infer",
        logging_file=False,
        **configs(bundle_dir),
        bundle_root=str(bundle_dir),
    )
    workflow.initialize()
    assert workflow.check_properties() == []


@torch.inference_mode()
def test_a_scan_goes_through_a_bundle_of_a_tissue_network(tissue_model, scan, tmp_path):
    folder = write_bundle(tissue_model.path, tmp_path / "bundle")
    save_volume(scan, tmp_path / "sub-01_T1w.nii.gz")
    paths = {"image": str(tmp_path / "sub-01_T1w.nii.gz"), "output_dir": str(tmp_path / "maps")}
    monai_bundle.run(**configs(folder), bundle_root=str(folder), device="cpu", **paths)

    prepared = prepare(scan, spacing=tissue_model.card.spacing_mm, stride=tissue_model.network.stride)
    expected = tissue_model.network(torch.from_numpy(prepared.data)[None, None])[0].numpy()
    maps = nib.load(tmp_path / "maps/sub-01_T1w_probseg.nii.gz")
    np.testing.assert_allclose(np.moveaxis(maps.get_fdata(), -1, 0), expected, atol=0.5 / 255 + 1e-5)
    np.testing.assert_allclose(maps.affine, prepared.grid.affine, atol=1e-4)


@torch.inference_mode()
def test_two_scans_go_through_a_bundle_of_the_papers_network_as_its_readme_says(
    style_model, scan, tmp_path, monkeypatch
):
    folder = write_bundle(style_model.path, tmp_path / "bundle")
    target = scan.with_data(np.sqrt(np.maximum(scan.data, 0)))
    for name, volume in (("image", scan), ("target", target)):
        save_volume(volume, folder / f"{name}.nii.gz")
    monkeypatch.chdir(folder)
    exec(snippet(folder, 0), {})

    prepared = [prepare(v, spacing=style_model.card.spacing_mm, stride=2) for v in (scan, target)]
    tensors = [torch.from_numpy(p.data)[None, None] for p in prepared]
    weights = [torch.from_numpy(p.weight)[None, None] for p in prepared]
    expected = style_model.network(*tensors, *weights)[0].numpy()
    for name, channel in zip(("prediction", "reconstruction"), expected, strict=True):
        found = load_volume(folder / f"eval/image_{name}.nii.gz")
        np.testing.assert_allclose(found.data, channel, rtol=1e-4, atol=1e-4 * np.abs(channel).max())
    with pytest.raises(RuntimeError) as again:
        exec(snippet(folder, 0), {})
    assert isinstance(again.value.__cause__, OutputExistsError)  # MONAI puts its own error around ours


@pytest.mark.parametrize("number", [1, 2], ids=["call", "check"])
def test_what_the_readme_says_to_do_works(model, bundle_dir, monkeypatch, number):
    monkeypatch.chdir(bundle_dir)
    (bundle_dir / "schema.json").write_bytes(SCHEMA_PATH.read_bytes())  # what would be fetched
    exec(snippet(bundle_dir, number), model.inputs())


def test_the_readme_says_what_the_model_card_warns_of(bundle_dir):
    text = (bundle_dir / "docs/README.md").read_text(encoding="utf-8")
    assert "**Random weights.**" in text
    assert "not a medical device" in text


class TestFolders:
    def test_an_empty_folder_is_filled(self, tissue_model, tmp_path):
        assert files(write_bundle(tissue_model.path, tmp_path)) == FILES

    def test_a_bundle_is_only_replaced_if_asked(self, tissue_model, style_model, tmp_path):
        folder = write_bundle(tissue_model.path, tmp_path / "bundle")
        with pytest.raises(OutputExistsError, match="is not empty"):
            write_bundle(style_model.path, folder)
        assert metadata(folder)["name"] == "small tissues"
        write_bundle(style_model.path, folder, overwrite=True)
        assert metadata(folder)["name"] == "small style"
        assert [path.name for path in tmp_path.iterdir()] == ["bundle"]

    def test_a_bundle_can_be_made_anew_from_its_own_weights(self, tissue_model, tmp_path):
        folder = write_bundle(tissue_model.path, tmp_path / "bundle")
        write_bundle(folder / "models/model.safetensors", folder, overwrite=True)
        assert files(folder) == FILES

    @pytest.mark.parametrize("content", ["[]", "{", '{"required_packages_version": {}}'])
    def test_a_folder_that_is_no_bundle_of_ours_is_never_replaced(self, tissue_model, tmp_path, content):
        (tmp_path / "configs").mkdir()
        (tmp_path / "configs/metadata.json").write_text(content)
        (tmp_path / "precious").touch()
        with pytest.raises(OutputExistsError, match="is no bundle of hail-mri"):
            write_bundle(tissue_model.path, tmp_path, overwrite=True)
        assert (tmp_path / "precious").is_file()

    def test_a_place_that_is_a_file_is_refused(self, tissue_model, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(UnwritableError, match="is not a folder"):
            write_bundle(tissue_model.path, tmp_path / "file")

    def test_a_model_that_is_not_there_leaves_nothing(self, tmp_path):
        with pytest.raises(MissingFileError):
            write_bundle("gone", tmp_path / "new/bundle")
        assert not list(tmp_path.iterdir())

    def test_damaged_weights_leave_nothing(self, tissue_model, tmp_path):
        (tmp_path / "damaged.safetensors").write_bytes(tissue_model.path.read_bytes()[:50])
        (tmp_path / "damaged.json").write_bytes(tissue_model.path.with_suffix(".json").read_bytes())
        with pytest.raises(InputError, match="holds no safetensors weights"):
            write_bundle(tmp_path / "damaged.safetensors", tmp_path / "bundle")
        assert not (tmp_path / "bundle").exists()
