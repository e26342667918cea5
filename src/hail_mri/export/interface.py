"""What has to be known to call an exported network: its inputs and outputs, and what comes before and after.

It is written once, here, and told by all that is exported: metadata, README, ONNX file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hail_mri.export.callable_networks import CallableNetwork, TissueMapNetwork, callable_network
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.weights import ModelCard, load_model, weights_path
from hail_mri.preprocess.prepare import CEILING, WHITE_MATTER


@dataclass(frozen=True)
class Interface:
    """How a network is called.

    Attributes
    ----------
    task : str
        What it does, in a sentence.
    inputs : mapping of str to str
        Name and meaning of each input, a (B, 1, I, J, K) float32 volume, in the order of the call.
    channels : tuple of str
        What each channel of the output, (B, C, I, J, K) float32, holds.
    channels_kind : str
        What the channels are together.
    adds_up : bool
        Whether the channels are shares, from 0 to 1, that add up to 1.
    before, after : tuple of str
        What has to be done, in sentences.
    """

    task: str
    inputs: Mapping[str, str]
    channels: tuple[str, ...]
    channels_kind: str
    adds_up: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class ExportedModel:
    """A model that is to be exported.

    Attributes
    ----------
    network : CallableNetwork
    card : ModelCard
    weights : bytes
        The safetensors file, as it is.
    card_text : bytes
        Its model card, as it is.
    interface : Interface
    """

    network: CallableNetwork
    card: ModelCard
    weights: bytes
    card_text: bytes
    interface: Interface

    @property
    def sha256(self) -> str:
        """Of the weights, as hexadecimal digits."""
        return hashlib.sha256(self.weights).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Return what only we tell of it, ready for JSON."""
        return {
            "model_card": asdict(self.card),
            "weights_sha256": self.sha256,
            "spacing_mm": self.card.spacing_mm,
            "edges_multiple_of": self.network.stride,
            "white_matter": WHITE_MATTER,
            "ceiling": CEILING,
            "before": list(self.interface.before),
            "after": list(self.interface.after),
        }


def read_model(model: str | Path) -> ExportedModel:
    """
    Read a model that is to be exported; errors as `load_model`.

    Parameters
    ----------
    model : str or Path
        A released model's name, a .safetensors file with its card beside it, or a training run's folder.
    """
    loaded, card = load_model(model)
    path = weights_path(model)
    network = callable_network(loaded)
    return ExportedModel(
        network, card, path.read_bytes(), path.with_suffix(".json").read_bytes(), _interface(network, card)
    )


def _interface(network: CallableNetwork, card: ModelCard) -> Interface:
    """Return how a network is called."""
    before = _before(card.spacing_mm, network.stride)
    if isinstance(network, TissueMapNetwork):
        return Interface(
            task="Tissue maps of a T1-weighted scan of a head",
            inputs={"image": "the scan, prepared"},
            channels=TISSUE_CLASSES,
            channels_kind="the share of each tissue class in a voxel",
            adds_up=True,
            before=before,
            after=_AFTER_TISSUES,
        )
    return Interface(
        task=(
            "The reconstruction of a T1-weighted scan of a head"
            if card.phase == "encoder"
            else "A T1-weighted scan of a head with the contrast of another one"
        ),
        inputs={
            "image": "the source, prepared",
            "target": "the target, prepared; of any size",
            "image_weight": "share of each voxel in which the source's style is measured",
            "target_weight": "share of each voxel in which the target's style is measured",
        },
        channels=("prediction", "reconstruction"),
        channels_kind="the prediction p and the reconstruction r",
        adds_up=False,
        before=(*before, *_BEFORE_STYLE),
        after=_AFTER_STYLE,
    )


def _before(spacing: float, stride: int) -> tuple[str, ...]:
    """Return what has to be done to a scan before any network."""
    call = f"hail_mri.preprocess.prepare.prepare(scan, spacing={spacing:g}, stride={stride})"
    return (
        f"`{call}` does all of this; its `data` is the input.",
        "Axes point to the right, to the front and up.",
        f"Voxels are cubes of {spacing:g} mm around the head; every edge is a multiple of {stride} voxels.",
        f"Intensities are linear: no signal (air) is 0, white matter is {WHITE_MATTER:g}.",
        f"Intensities above {CEILING:g} are cut off by the network itself.",
    )


_BEFORE_STYLE = (
    "`image_weight` and `target_weight` are the `weight` of what `prepare` returns: 1 in the head, or a brain mask.",
    "The style is a weighted mean and standard deviation; a weight is at least 0, and not everywhere 0.",
    "Where weights are left out (in Python alone) or all 1, the style is that of the whole volume, air included.",
    "Then the field of view is a part of the style; `hail-mri` never does that.",
)
_AFTER_TISSUES = (
    "The maps are the network's own, on the network grid; `hail-mri segment` and `hail-mri harmonize` go on with them.",
    "Where white matter turns out not to be where the scale has it, they scale the scan anew and look again.",
    "They fit the maps to the scan, with a receive bias field: `hail_mri.model.tissue_fit.fit_tissues`.",
    "They carry them to the scan's own voxels: `hail_mri.segmentation.native`.",
)
_AFTER_STYLE = (
    "p and r are on the network grid and on the [0, 1] scale; p alone is blurred, and so is r.",
    "What differs between p and r is the change of contrast; `hail_mri.harmonize.transfer` applies it to the scan.",
    "`hail-mri harmonize` does all that, and brings the result to the target's units.",
    "A volume is taken in one pass; `hail_mri.model.tiles` needs less memory for the same result.",
    "A sliding window would give each window a style of its own, and is wrong.",
)
