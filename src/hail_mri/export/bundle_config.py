"""The configuration with which MONAI runs a bundle: scans from files, through the network, to files."""

from __future__ import annotations

from typing import Any

from hail_mri.export.interface import ExportedModel

STEPS = "hail_mri.export.bundle_steps"


def inference_config(exported: ExportedModel) -> dict[str, Any]:
    """
    Return the content of `inference.json`.

    Parameters
    ----------
    exported : ExportedModel

    Notes
    -----
    MONAI's own engine needs pytorch-ignite; the evaluator here needs nothing that hail-mri does not.
    """
    scans = [name for name in exported.interface.inputs if not name.endswith("_weight")]
    return {
        "bundle_root": ".",
        "dataset_dir": ".",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        **{name: f"$@dataset_dir + '/{name}.nii.gz'" for name in scans},
        "network_def": {
            "_target_": "hail_mri.export.callable_networks.load_callable_network",
            "weights": "$@bundle_root + '/models/model.safetensors'",
        },
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": f"{STEPS}.PrepareScans",
            "spacing": exported.card.spacing_mm,
            "stride": exported.network.stride,
        },
        "dataset": {
            "_target_": "Dataset",
            "data": [{name: f"@{name}" for name in scans}],
            "transform": "@preprocessing",
        },
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {
            "_target_": f"{STEPS}.SavePrediction",
            "output_dir": "@output_dir",
            "channels": list(exported.interface.channels),
            "adds_up": exported.interface.adds_up,
        },
        "evaluator": {
            "_target_": f"{STEPS}.Inference",
            "dataset": "@dataset",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "inputs": list(exported.interface.inputs),
            "device": "@device",
        },
        "run": ["$@evaluator.run()"],
    }
