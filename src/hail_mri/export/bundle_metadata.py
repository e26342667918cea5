"""What a bundle tells of itself: metadata for programs, a README and a licence for people."""

from __future__ import annotations

import importlib.metadata
import math
from typing import Any

from hail_mri import __version__
from hail_mri.export.interface import ExportedModel
from hail_mri.preprocess.prepare import CEILING
from hail_mri.provenance.environment import DISTRIBUTION

# Where MONAI keeps what metadata have to look like; `verify_metadata` fetches it.
SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
PAPER = (
    "Parida A, Jiang Z, Anwar SM, Foreman N, Stence N, Fisher MJ, Packer RJ, Avery RA, Linguraru MG. Harmonization "
    "Across Imaging Locations (HAIL): One-Shot Learning for Brain MRI. arXiv:2308.11047, 2023."
)
AUTHORS = "The hail-mri developers (network and software); the weights are those of whoever trained them"

README = """# {name}

{task}. Exported from `{name}` of {date} by hail-mri {version}.

**{limits}**{caution}

This is a MONAI bundle. It needs `hail-mri` {version} beside MONAI: the network and the preparation of scans are parts
of it. The weights are `models/model.safetensors` with the model card `models/model.json`; there is no `model.pt`,
because a pickle can run code when it is read. SHA-256 of the weights: `{sha256}`.

## Run

In the folder of this bundle, with scans of your own:

```python
import monai.bundle

monai.bundle.run(config_file="configs/inference.json", meta_file="configs/metadata.json", {arguments})
```

The result, on the network grid, is written to `eval/`. Or call the network:

```python
from hail_mri.export.callable_networks import load_callable_network

network = load_callable_network("models/model.safetensors")
pred = network({call})
```

## Inputs and output

Inputs are float32, (B, 1, I, J, K):

{inputs}

The output `pred`, (B, {n_channels}, I, J, K), float32, holds {channels_kind}: {channels}.

## Before

{before}

## After

{after}

## Check

```python
import monai.bundle
import torch

monai.bundle.verify_net_in_out(
    "network_def", "configs/metadata.json", "configs/inference.json", device="cpu", n=2{extra}
)
monai.bundle.verify_metadata("configs/metadata.json", filepath="schema.json")  # fetches the schema
```
"""


def bundle_metadata(exported: ExportedModel) -> dict[str, Any]:
    """
    Return the content of `metadata.json`; what only we tell is under `hail_mri`.

    Parameters
    ----------
    exported : ExportedModel
    """
    card, interface = exported.card, exported.interface
    # A number that is none is not JSON.
    metrics = {"validation_loss": card.validation_loss} if math.isfinite(card.validation_loss) else {}
    channels = dict(enumerate(interface.channels))
    return {
        "schema": SCHEMA,
        "version": __version__,
        "changelog": {__version__: f"exported from {card.name} of {card.date}"},
        "monai_version": _version("monai"),
        "pytorch_version": _version("torch"),
        "numpy_version": _version("numpy"),
        "required_packages_version": {name: _version(name) for name in (DISTRIBUTION, "safetensors", "nibabel")},
        "name": card.name,
        "task": interface.task,
        "description": " ".join((f"{interface.task}.", *interface.before, *interface.after)),
        "authors": AUTHORS,
        "copyright": f"Licence of the weights: {card.licence}",
        "data_source": ", ".join(card.training_data) or "not told",
        "data_type": "nibabel",
        "image_classes": "; ".join(f"{name}: {meaning}" for name, meaning in interface.inputs.items()),
        "pred_classes": ", ".join(f"{index} {name}" for index, name in channels.items()),
        "eval_metrics": metrics,
        "intended_use": " ".join(filter(None, (card.limits, card.caution))),
        "references": [PAPER],
        "network_data_format": {
            "inputs": {name: _input(name, exported) for name in interface.inputs},
            "outputs": {"pred": _output(exported)},
        },
        "hail_mri": exported.describe(),
    }


def readme(exported: ExportedModel) -> str:
    """Return what people read first."""
    card, interface, stride = exported.card, exported.interface, exported.network.stride
    inputs = list(interface.inputs)
    scans = [name for name in inputs if not name.endswith("_weight")]
    extra = ", ".join(f'"{name}": torch.rand(1, 1, {stride}, {stride}, {stride})' for name in scans[1:])
    return README.format(
        name=card.name,
        task=interface.task,
        date=card.date,
        version=__version__,
        limits=card.limits,
        caution=f"\n\n**{card.caution}**" if card.caution else "",
        sha256=exported.sha256,
        arguments=", ".join(f'{name}="{name}.nii.gz"' for name in scans),
        call=", ".join(inputs),
        inputs=_bullets(f"`{name}`: {meaning}." for name, meaning in interface.inputs.items()),
        n_channels=len(interface.channels),
        channels_kind=interface.channels_kind,
        channels=", ".join(interface.channels),
        before=_bullets(interface.before),
        after=_bullets(interface.after),
        extra=f", extra_forward_args={{{extra}}}" if extra else "",
    )


def licence_text(exported: ExportedModel) -> str:
    """Return under what licence a bundle is."""
    return (
        f"The weights and their model card are under the licence {exported.card.licence}, as the card says.\n"
        f"The rest of this bundle, and {DISTRIBUTION}, which made it, are under the Apache License, Version 2.0:\n"
        "https://www.apache.org/licenses/LICENSE-2.0\n"
    )


def _input(name: str, exported: ExportedModel) -> dict[str, Any]:
    """Return the tensor format of an input."""
    is_weight = name.endswith("_weight")
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "n/a" if is_weight else "MR",
        "num_channels": 1,
        "spatial_shape": _spatial_shape(exported),
        "dtype": "float32",
        "value_range": [0, 1] if is_weight else [0, CEILING],
        "is_patch_data": False,
        "channel_def": {"0": exported.interface.inputs[name]},
    }


def _output(exported: ExportedModel) -> dict[str, Any]:
    """Return the tensor format of the output."""
    interface = exported.interface
    return {
        "type": "image",
        "format": "labels" if interface.adds_up else "magnitude",
        "modality": "n/a" if interface.adds_up else "MR",
        "num_channels": len(interface.channels),
        "spatial_shape": _spatial_shape(exported),
        "dtype": "float32",
        "value_range": [0, 1] if interface.adds_up else [],
        "is_patch_data": False,
        "channel_def": {str(index): name for index, name in enumerate(interface.channels)},
    }


def _spatial_shape(exported: ExportedModel) -> list[str]:
    """Return the edges: multiples of the stride. MONAI knows but one factor, `n`; ours may differ from axis to axis."""
    return [f"{exported.network.stride} * n"] * 3


def _version(distribution: str) -> str:
    """Return a version without what tells of the build: `2.13.0`, not `2.13.0+cpu`."""
    return importlib.metadata.version(distribution).partition("+")[0] if distribution != DISTRIBUTION else __version__


def _bullets(sentences: Any) -> str:
    """Return a list in Markdown."""
    return "\n".join(f"- {sentence}" for sentence in sentences)
