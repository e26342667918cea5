"""What is installed: versions, the weights that come with the package, and the devices it can use."""

from typing import Any

from hail_mri.provenance.environment import versions


def collect_info() -> dict[str, Any]:
    """Return versions, released weights with their SHA-256, and devices, ready for JSON."""
    from hail_mri.model.weights import released_models, weights_hash

    weights = {name: weights_hash(name) for name in released_models()}
    return {"versions": versions(), "weights": weights, "devices": devices()}


def devices() -> list[str]:
    """Return what can be given to `--device`, with what it is on this machine."""
    import torch

    cpu = f"cpu ({torch.get_num_threads()} threads)"
    return [cpu] + ([f"cuda ({torch.cuda.get_device_name()})"] if torch.cuda.is_available() else [])


def format_info(info: dict[str, Any]) -> str:
    """Return the same as text, one fact on a line."""
    lines = [f"{name} {version}" for name, version in info["versions"].items()]
    lines += [f"weights {name} sha256:{sha256}" for name, sha256 in info["weights"].items()]
    lines += [f"device {device}" for device in info["devices"]]
    return "\n".join(lines)
