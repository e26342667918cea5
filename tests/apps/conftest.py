"""Small scans, a network that was never trained, and a harmonizer without one where only files matter."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from hail_mri.harmonize.check import Check
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.folder_names import STATE_DIR

ScanMaker = Callable[..., Path]


@pytest.fixture
def make_scan() -> ScanMaker:
    """Return a function that writes a scan of a ball in a bright shell, a little different for every seed.

    As large as a head; half as large, it takes the released network an eighth of the time.
    """

    def make(path: Path, *, seed: int = 0, gain: float = 1.0, spacing: float = 8.0) -> Path:
        shape = (24, 28, 20)
        axes = np.meshgrid(*(np.linspace(-1.2, 1.2, n) for n in shape), indexing="ij")
        radius = np.sqrt(sum(axis**2 for axis in axes))
        data = 600.0 * (radius < 1.0) + 300.0 * (radius < 0.8) + 200.0 * (radius < 0.5)
        data = gain * (data + np.random.default_rng(seed).uniform(0.0, 20.0, shape))
        path.parent.mkdir(parents=True, exist_ok=True)
        affine = np.diag([spacing, spacing, spacing, 1.0])
        # FreeSurfer's format knows no float64.
        image_class = nib.MGHImage if path.suffix == ".mgz" else nib.Nifti1Image
        nib.save(image_class(data.astype(np.float32), affine), path)
        return path

    return make


def brightness(scan: Volume) -> tuple[Check, ...]:
    largest = scan.data.max()
    verdict = "fail" if largest > 5000 else "check" if largest > 2000 else "ok"
    return (Check("brightness", verdict, f"{largest:.0f}", "at most 2000", "too bright"),)


def lowest_value(result: Volume) -> tuple[Check, ...]:
    is_negative = bool(result.data.min() < 0)
    return (Check("lowest value", "fail" if is_negative else "ok", f"{result.data.min():.0f}", "at least 0", "below"),)


class AddingHarmonizer:
    """Stands in for the harmonizer: adds one to every voxel, and does not like bright scans.

    Beyond 2,000 they are worth a look, beyond 5,000 they fail, and beyond 10,000 there is a bug. Results that are
    negative fail.
    """

    def __init__(self, target: object, **settings: object) -> None:
        self.target = target
        self.settings = settings
        self.target_checks = brightness(target) if isinstance(target, Volume) else ()

    def read(
        self, source: Volume, brain_mask: Volume | None = None, lesion_mask: Volume | None = None
    ) -> SimpleNamespace:
        if source.data.max() > 10_000:
            raise TypeError("a bug")
        return SimpleNamespace(volume=source, brain_mask=brain_mask, lesion_mask=lesion_mask, checks=brightness(source))

    def change(self, source: SimpleNamespace, **choices: object) -> SimpleNamespace:
        self.choices = choices
        made = source.volume.with_data(source.volume.data + 1.0)
        return SimpleNamespace(
            volume=made,
            result_checks=lowest_value(made),
            warnings=("A warning.",),
            seconds={"transfer": 0.25},
            skull_stripped=True,
            preparation={},
        )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in where the harmonizer is imported from, and a hash where that of the weights is."""
    harmonizer = SimpleNamespace(Harmonizer=AddingHarmonizer)
    weights = SimpleNamespace(weights_hash=lambda _: "0" * 64)
    monkeypatch.setitem(sys.modules, "hail_mri.harmonize.harmonizer", harmonizer)
    monkeypatch.setitem(sys.modules, "hail_mri.model.weights", weights)


def tree(folder: Path) -> list[str]:
    """Return every path below a folder, hidden ones too, but for what a batch keeps of itself."""
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(path.as_posix() for path in paths if STATE_DIR not in path.parts)


@pytest.fixture(name="tree")
def tree_fixture() -> Callable[[Path], list[str]]:
    return tree


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Path of weights at 8 mm that were never trained: they read a scan in a moment."""
    import torch

    from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
    from hail_mri.model.weights import ModelCard, save_model

    torch.manual_seed(0)
    network = TissueNetwork(TissueNetworkSettings((8, 8), (1, 1)))
    card = ModelCard("small_tissue", "tissues", network.settings, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(network, card, tmp_path_factory.mktemp("model") / "small_tissue.safetensors")


@pytest.fixture(scope="session")
def heads(tmp_path_factory, make_head) -> Path:
    """A folder with the target and heads of different intensities in `in`; nothing is to be written into it."""
    folder = tmp_path_factory.mktemp("heads")
    (folder / "in").mkdir()
    for number in range(6):
        signal = np.array((0, 900, 120, 200, 500, 700)) * (1 + number / 10)
        save_volume(make_head(signal=signal, centre=(number, 0, 0)), folder / f"in/sub-{number:02d}_T1w.nii.gz")
    save_volume(make_head(signal=(0, 300, 90, 150, 260, 330), rotation=(4, 0, 8)), folder / "target.nii.gz")
    return folder
