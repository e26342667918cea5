"""A network as an ONNX file: one file with its weights, the model card in its metadata.

Batch and edges of the volumes are free; edges are multiples of the network's stride, which the names of the axes tell
(`16*i`).
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxscript import opset18
from torch import Tensor

from hail_mri import __version__
from hail_mri.errors import InputError
from hail_mri.export.callable_networks import CallableNetwork
from hail_mri.export.interface import ExportedModel, read_model
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_file_free

SUFFIX = ".onnx"
OPSET = 18  # of the operators; 17 brought layer normalization, 18 what torch's exporter writes
LARGEST = 2**31 - 2**20  # bytes of weights; a protocol buffer holds 2 GiB
N_EXAMPLES = 2  # in a batch; torch takes an edge of 1 for one that is always 1
EXAMPLE_EDGES = (2, 3, 4)  # of the volume that is traced, in strides


def write_onnx(model: str | Path, path: str | Path, *, overwrite: bool = False) -> Path:
    """
    Write a model as an ONNX file.

    Parameters
    ----------
    model : str or Path
        A released model's name, a .safetensors file with its card beside it, or a training run's folder.
    path : str or Path
        Ends in .onnx.
    overwrite : bool
        Replace the file if there is one.

    Returns
    -------
    path : Path

    Raises
    ------
    InputError
        If the name does not end in .onnx, the model cannot be read, or it is too large for one file.
    MissingFileError
        If there is no such model.
    OutputExistsError
        If the file exists and `overwrite` is False.
    UnwritableError
        If it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise InputError(f"{path} is no name for an ONNX file, expected one that ends in {SUFFIX}", "choose another")
    require_file_free(path, overwrite=overwrite)
    exported = read_model(model)
    if len(exported.weights) > LARGEST:
        raise InputError(f"{model} has more weights than an ONNX file holds, 2 GiB", "export a MONAI bundle")
    content = onnx_model(exported).SerializeToString(deterministic=True)
    write_together([path], lambda hidden: hidden[path].write_bytes(content))
    return path


def onnx_model(exported: ExportedModel) -> onnx.ModelProto:
    """Return a network as ONNX, checked."""
    network, names = exported.network, list(exported.interface.inputs)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            tuple(_examples(network, names)),
            dynamo=True,
            opset_version=OPSET,
            input_names=names,
            output_names=["pred"],
            dynamic_shapes=_free_edges(network.stride, names),
            custom_translation_table={torch.ops.aten._upsample_nearest_exact3d.vec: _doubled},
            external_data=False,
            verbose=False,
        )
    if program is None:  # only where torch writes the file itself
        raise RuntimeError("torch gave no ONNX program")
    model = program.model_proto
    _forget_where_it_was_made(model)
    model.doc_string = exported.interface.task
    told = {name: _as_text(value) for name, value in exported.describe().items()}
    inputs = {f"input_{name}": meaning for name, meaning in exported.interface.inputs.items()}
    channels = json.dumps(exported.interface.channels)
    onnx.helper.set_model_props(model, {"hail_mri_version": __version__, **told, **inputs, "output_channels": channels})
    onnx.checker.check_model(model, full_check=True)
    return model


def _examples(network: CallableNetwork, names: Sequence[str]) -> Iterator[Tensor]:
    """Yield an input of each name, to trace the network with; a target is of another size than the source."""
    for name in names:
        edges = EXAMPLE_EDGES if name.startswith("image") else EXAMPLE_EDGES[::-1]
        yield torch.ones(N_EXAMPLES, 1, *(edge * network.stride for edge in edges))


def _free_edges(stride: int, names: Sequence[str]) -> dict[str, dict[int, Any]]:
    """Return which axes of each input are free; an image and its weight share theirs."""
    batch = torch.export.Dim("batch")

    def axes(prefix: str) -> dict[int, Any]:
        edges = (stride * torch.export.Dim(prefix + axis) for axis in "ijk")
        return {0: batch, **dict(enumerate(edges, start=2))}

    source, target = axes(""), axes("target_")
    return {name: source if name.startswith("image") else target for name in names}


def _doubled(volume: Any, output_size: Any, scale_factors: Any) -> Any:  # noqa: ARG001  torch names the arguments
    """Double the edges of a volume, each voxel eight times: one operator, where torch writes out slower gathers."""
    scales: Any = opset18.Constant(value_floats=[1.0, 1.0, 2.0, 2.0, 2.0])
    # At halves of voxels there are no ties: any way to round is that of torch.
    return opset18.Resize(volume, None, scales, mode="nearest", coordinate_transformation_mode="half_pixel")


def _forget_where_it_was_made(model: onnx.ModelProto) -> None:
    """Remove what tells of the machine: torch keeps lines of code and their paths with each node."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def _as_text(value: Any) -> str:
    """Return a value as ONNX's metadata hold it."""
    if isinstance(value, list):
        return "\n".join(value)
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from telling about its own insides while it exports."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
