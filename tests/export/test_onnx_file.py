"""ONNX files, run by onnxruntime, against the networks they are made of."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict

import onnx
import onnxruntime
import pytest
import torch

import hail_mri
from hail_mri.errors import InputError, MissingFileError, OutputExistsError, UnwritableError
from hail_mri.export import onnx_file
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.weights import weights_hash

CLOSE = 1e-5  # on a [0, 1] scale; measured: 2e-7


@pytest.fixture(scope="session")
def said():
    """Return what is said on the way, as text."""
    return io.StringIO()


@pytest.fixture(scope="session")
def tissue_onnx(tissue_model, tmp_path_factory, said):
    with redirect_stdout(said), redirect_stderr(said):
        return onnx_file.write_onnx(tissue_model.path, tmp_path_factory.mktemp("onnx") / "tissues.onnx")


@pytest.fixture(scope="session")
def style_onnx(style_model, tmp_path_factory):
    return onnx_file.write_onnx(style_model.path, tmp_path_factory.mktemp("onnx") / "style.onnx")


@pytest.fixture(params=["tissue", "style"])
def pair(request):
    """A model and its ONNX file."""
    return request.getfixturevalue(f"{request.param}_model"), request.getfixturevalue(f"{request.param}_onnx")


@pytest.fixture
def quick_export(monkeypatch):
    """Put an empty network in the place of what takes seconds, where only files matter."""
    graph = onnx.helper.make_graph([], "empty", [], [])
    monkeypatch.setattr(onnx_file, "onnx_model", lambda _: onnx.helper.make_model(graph))


def run(path, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (pred,) = session.run(["pred"], {name: volume.numpy() for name, volume in inputs.items()})
    return torch.from_numpy(pred)


@pytest.mark.parametrize(
    ("strides", "n_items"),
    [
        pytest.param((2, 3, 4), 2, id="as traced"),
        pytest.param((1, 2, 1), 1, id="one item, smaller"),
        pytest.param((7, 4, 5), 3, id="three items, larger"),
    ],
)
@torch.inference_mode()
def test_volumes_of_any_size_give_what_the_network_gives(pair, strides, n_items):
    model, path = pair
    inputs = model.inputs(strides=strides, n_items=n_items, seed=1)
    expected = model.network(**inputs)
    found = run(path, inputs)
    torch.testing.assert_close(found, expected, rtol=0, atol=CLOSE * max(1.0, float(expected.abs().max())))


@torch.inference_mode()
def test_weights_decide_where_the_style_is_measured(style_model, style_onnx):
    inputs = style_model.inputs()
    whole = inputs | {name: torch.ones_like(inputs[name]) for name in ("image_weight", "target_weight")}
    expected = style_model.network(inputs["image"], inputs["target"])
    torch.testing.assert_close(run(style_onnx, whole), expected, rtol=0, atol=CLOSE * float(expected.abs().max()))
    assert (run(style_onnx, inputs) - expected).abs().max() > 1e-3


def test_edges_that_cannot_be_halved_are_refused_by_onnxruntime(pair):
    model, path = pair
    inputs = {name: torch.zeros(1, 1, 7, 8, 8) for name in model.inputs()}
    with pytest.raises(Exception, match="ONNXRuntimeError"):
        run(path, inputs)


def test_axes_are_named_by_what_edges_are_multiples_of(pair):
    model, path = pair
    shape = onnx.load(path).graph.input[0].type.tensor_type.shape
    stride = model.network.stride
    assert [axis.dim_param for axis in shape.dim] == ["batch", "", f"{stride}*i", f"{stride}*j", f"{stride}*k"]


def test_the_file_holds_the_model_card_and_how_it_is_called(pair):
    model, path = pair
    told = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(told["model_card"]) == json.loads(json.dumps(asdict(model.card)))
    assert told["weights_sha256"] == weights_hash(model.path)
    assert told["hail_mri_version"] == hail_mri.__version__
    assert f"stride={model.network.stride})" in told["before"]
    assert {f"input_{name}" for name in model.inputs()} <= set(told)
    channels = json.loads(told["output_channels"])
    assert channels == (list(TISSUE_CLASSES) if model.card.phase == "tissues" else ["prediction", "reconstruction"])


def test_the_operators_are_those_of_the_opset_that_is_promised(pair):
    (opset,) = onnx.load(pair[1]).opset_import
    assert (opset.domain, opset.version) == ("", onnx_file.OPSET)


def test_the_file_does_not_tell_on_which_machine_it_was_made(pair):
    content = pair[1].read_bytes()
    assert b".py" not in content
    assert b"File " not in content


def test_torch_tells_nothing_about_its_insides(tissue_onnx, said):
    assert tissue_onnx.is_file()
    assert said.getvalue() == ""


@pytest.mark.usefixtures("quick_export")
class TestFiles:
    def test_an_existing_file_is_only_replaced_if_asked(self, tissue_model, tmp_path):
        path = tmp_path / "model.onnx"
        path.write_text("precious")
        with pytest.raises(OutputExistsError, match=r"model\.onnx exists"):
            onnx_file.write_onnx(tissue_model.path, path)
        assert path.read_text() == "precious"
        onnx_file.write_onnx(tissue_model.path, path, overwrite=True)
        assert onnx.load(path).graph.name == "empty"

    @pytest.mark.parametrize("name", ["model", "model.pt", "model.onnx.gz"])
    def test_another_name_than_that_of_an_onnx_file_is_refused(self, tissue_model, tmp_path, name):
        with pytest.raises(InputError, match=r"ends in \.onnx"):
            onnx_file.write_onnx(tissue_model.path, tmp_path / name)

    def test_a_place_below_a_file_is_refused(self, tissue_model, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(UnwritableError, match="is not a folder"):
            onnx_file.write_onnx(tissue_model.path, tmp_path / "file/model.onnx")

    def test_a_model_that_is_not_there_leaves_nothing(self, tmp_path):
        with pytest.raises(MissingFileError):
            onnx_file.write_onnx("gone", tmp_path / "new/model.onnx")
        assert not list(tmp_path.iterdir())

    def test_weights_that_do_not_fit_into_one_file_are_refused(self, tissue_model, tmp_path, monkeypatch):
        monkeypatch.setattr(onnx_file, "LARGEST", 100)
        with pytest.raises(InputError, match="2 GiB"):
            onnx_file.write_onnx(tissue_model.path, tmp_path / "model.onnx")
