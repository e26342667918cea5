"""The paper's model, ready to harmonize: the style is that of a network's features."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.harmonize.style_model import Reading, Style
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.tiles import EncodedVolume, decode, encode
from hail_mri.preprocess.prepare import CEILING, Prepared


@dataclass(frozen=True, kw_only=True)
class FeatureReading(Reading[FeatureStyle]):
    """What the paper's network sees in a scan.

    Attributes
    ----------
    encoded : EncodedVolume
    """

    encoded: EncodedVolume


class FeatureModel:
    """A network of the paper's kind.

    Parameters
    ----------
    network : FeatureStyleNetwork
    spacing : float
        Of the network grid, mm.
    device : torch.device
    """

    def __init__(self, network: FeatureStyleNetwork, spacing: float, device: torch.device) -> None:
        self.network, self.spacing, self.device = network.to(device), spacing, device
        self.stride = network.settings.stride

    def read(self, prepared: Prepared) -> FeatureReading:
        """Encode a prepared scan, and measure its style."""
        volume, weight = (torch.as_tensor(a)[None, None].to(self.device) for a in (prepared.data, prepared.measured))
        encoded = encode(self.network, volume.clamp(max=CEILING), weight)
        return FeatureReading(prepared, FeatureStyle.from_statistics(encoded.statistics), encoded=encoded)

    def predict(self, reading: FeatureReading, style: FeatureStyle) -> tuple[Tensor, Tensor]:
        """Return p and r, (i, j, k) each, on the CPU."""
        styles = (wanted.statistics(self.device) for wanted in (style, reading.style))
        p, r = (decode(self.network, reading.encoded, wanted)[0, 0].cpu() for wanted in styles)
        return p, r

    def fits(self, style: Style) -> bool:
        """Return whether a style is one of features, and has as many numbers as this model's."""
        if not isinstance(style, FeatureStyle):
            return False
        return tuple(map(len, style.means)) == tuple(map(len, style.stds)) == self.network.settings.channels
