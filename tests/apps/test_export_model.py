import json
import sys

import onnx
import pytest

from hail_mri.apps.cli import main
from hail_mri.export import monai_bundle, onnx_file
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.model.weights import ModelCard, save_model


@pytest.fixture
def model_path(tmp_path):
    network = TissueNetwork(TissueNetworkSettings((4, 4), (1, 1)))
    card = ModelCard("mine", "tissues", network.settings, 4.0, ("a",), ("b",), "2026-11-26", 1, 0.5, caution="Beware.")
    return save_model(network, card, tmp_path / "run/tissues.safetensors")


@pytest.fixture
def quick_export(monkeypatch):
    """Put an empty network in the place of what takes seconds."""
    graph = onnx.helper.make_graph([], "empty", [], [])
    monkeypatch.setattr(onnx_file, "onnx_model", lambda _: onnx.helper.make_model(graph))


def stderr_lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_a_model_is_exported_as_a_bundle_and_its_caution_is_said(model_path, tmp_path, capsys):
    assert main(["export", str(model_path), "-o", str(tmp_path / "out"), "--format", "bundle"]) == 0

    metadata = json.loads((tmp_path / "out/configs/metadata.json").read_text(encoding="utf-8"))
    assert metadata["name"] == "mine"
    assert stderr_lines(capsys) == ["hail-mri: warning: Beware."]


def test_a_run_folder_is_exported(model_path, tmp_path):
    assert main(["export", str(model_path.parent), "-o", str(tmp_path / "out"), "--format", "bundle"]) == 0
    assert (tmp_path / "out/models/model.safetensors").read_bytes() == model_path.read_bytes()


def test_a_released_model_is_exported_by_its_name(tmp_path, capsys):
    assert main(["export", "compact", "-o", str(tmp_path / "out"), "--format", "bundle"]) == 0
    assert stderr_lines(capsys) == []


@pytest.mark.usefixtures("quick_export")
def test_a_model_is_exported_as_an_onnx_file(model_path, tmp_path, tree):
    assert main(["export", str(model_path), "-o", str(tmp_path / "out/mine.onnx"), "--format", "onnx"]) == 0
    assert tree(tmp_path / "out") == ["mine.onnx"]


@pytest.mark.usefixtures("quick_export")
@pytest.mark.parametrize(("file_format", "name"), [("bundle", "out"), ("onnx", "out.onnx")])
def test_overwriting_needs_to_be_asked_for(model_path, tmp_path, file_format, name, capsys):
    arguments = ["export", str(model_path), "-o", str(tmp_path / name), "--format", file_format]

    assert main(arguments) == 0
    capsys.readouterr()
    assert main(arguments) == 2
    assert "--overwrite" in stderr_lines(capsys)[0]
    assert main([*arguments, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["gone", "-o", "out", "--format", "bundle"], "no model 'gone'", id="unknown model"),
        pytest.param(["compact", "-o", "out"], "--format", id="no format"),
        pytest.param(["compact", "-o", "out", "--format", "pickle"], "'bundle', 'onnx'", id="unknown format"),
        pytest.param(["compact", "--format", "bundle"], "--output", id="no output"),
        pytest.param(["compact", "-o", "file", "--format", "bundle"], "is not a folder", id="file in the way"),
        pytest.param(["compact", "-o", "file/x", "--format", "bundle"], "is not a folder", id="place below a file"),
        pytest.param(["compact", "-o", "out", "--format", "onnx"], "ends in .onnx", id="name of no ONNX file"),
    ],
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("precious")

    assert main(["export", *arguments]) == 2

    (line,) = stderr_lines(capsys)
    assert said in line
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "precious")]


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_onnx_it_is_said_what_to_install(package, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "hail_mri.export.onnx_file", raising=False)

    assert main(["export", "compact", "-o", str(tmp_path / "out.onnx"), "--format", "onnx"]) == 2

    (line,) = stderr_lines(capsys)
    assert "Pip install 'hail-mri[export]'" in line


def test_a_disk_that_is_full_leaves_nothing(model_path, tmp_path, monkeypatch, capsys):
    def fail(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(monai_bundle, "readme", fail)

    assert main(["export", str(model_path), "-o", str(tmp_path / "new/out"), "--format", "bundle"]) == 2
    assert "No space left on device" in stderr_lines(capsys)[0]
    assert not (tmp_path / "new").exists()
