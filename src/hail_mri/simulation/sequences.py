"""Signal equations of the T1-weighted pulse sequences, as pure tensor functions of tissue parameters.

All times are in ms, angles in degrees, signals relative to the proton density of water at full transverse
magnetization. `b1` is the transmit field relative to nominal (1 everywhere on a perfect scanner); it multiplies
every flip angle.

References
----------
Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004): spin echo and spoiled gradient echo.
Deichmann et al., NeuroImage 12:112 (2000): the magnetization of an MPRAGE as a Look-Locker train in its steady state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SpinEcho:
    """Conventional spin echo: one 90 degree excitation, one refocusing pulse."""

    tr: float
    te: float
    flip_angle: float = 90.0

    def signal(
        self,
        pd: Tensor,
        t1: Tensor,
        t2: Tensor,
        t2_star: Tensor,  # noqa: ARG002 (one signature for all sequences)
        b1: Tensor | float = 1.0,
    ) -> Tensor:
        """
        Return S = PD (1 - exp(-TR/T1)) exp(-TE/T2), times what a wrong transmit field loses.

        Parameters
        ----------
        pd, t1, t2, t2_star : (...) Tensor
        b1 : (...) Tensor or float
        """
        excited = torch.sin(torch.as_tensor(b1 * math.radians(self.flip_angle)))
        refocused = torch.sin(torch.as_tensor(b1 * math.pi / 2)) ** 2
        return pd * (1 - torch.exp(-self.tr / t1)) * torch.exp(-self.te / t2) * excited * refocused


@dataclass(frozen=True)
class SpoiledGradientEcho:
    """Spoiled gradient echo (SPGR, FLASH, T1-FFE) in its steady state."""

    tr: float
    te: float
    flip_angle: float

    def signal(
        self,
        pd: Tensor,
        t1: Tensor,
        t2: Tensor,  # noqa: ARG002 (one signature for all sequences)
        t2_star: Tensor,
        b1: Tensor | float = 1.0,
    ) -> Tensor:
        """
        Return S = PD sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE/T2*), E1 = exp(-TR/T1) (Ernst's equation).

        Parameters
        ----------
        pd, t1, t2, t2_star : (...) Tensor
        b1 : (...) Tensor or float
        """
        angle = torch.as_tensor(b1 * math.radians(self.flip_angle))
        e1 = torch.exp(-self.tr / t1)
        return pd * torch.sin(angle) * (1 - e1) / (1 - torch.cos(angle) * e1) * torch.exp(-self.te / t2_star)


@dataclass(frozen=True)
class Mprage:
    """Magnetization-prepared rapid gradient echo: inversion, a train of small flip angles, recovery.

    `tr` runs from inversion to inversion, `ti` from the inversion to the middle of the train (the centre of k-space).
    """

    tr: float
    te: float
    ti: float
    flip_angle: float
    echo_spacing: float = 7.0
    n_echoes: int = 176
    inversion_efficiency: float = 0.96

    def signal(
        self,
        pd: Tensor,
        t1: Tensor,
        t2: Tensor,  # noqa: ARG002 (one signature for all sequences)
        t2_star: Tensor,
        b1: Tensor | float = 1.0,
    ) -> Tensor:
        """
        Return the magnitude at the centre of the train in the steady state of the whole cycle.

        During the train the magnetization goes towards M* with the factor rho = cos(a) exp(-ES/T1) a pulse; before
        and after it recovers towards PD. The cycle closes: what is there before an inversion is there before the next.

        Parameters
        ----------
        pd, t1, t2, t2_star : (...) Tensor
        b1 : (...) Tensor or float
        """
        angle = torch.as_tensor(b1 * math.radians(self.flip_angle))
        n_before_centre = self.n_echoes // 2
        wait_before = self.ti - n_before_centre * self.echo_spacing
        wait_after = self.tr - wait_before - self.n_echoes * self.echo_spacing
        e1 = torch.exp(-self.echo_spacing / t1)
        rho = torch.cos(angle) * e1
        driven = (1 - e1) / (1 - rho)  # M* / PD
        e_before, e_after = torch.exp(-wait_before / t1), torch.exp(-wait_after / t1)
        # Per unit PD: m = magnetization just before an inversion, start = at the first pulse of the train.
        after_train = driven * (1 - rho**self.n_echoes) + rho**self.n_echoes * (1 - e_before)
        cycle = self.inversion_efficiency * e_after * rho**self.n_echoes * e_before
        m = (1 - e_after + e_after * after_train) / (1 + cycle)
        start = 1 - e_before - self.inversion_efficiency * e_before * m
        at_centre = driven * (1 - rho**n_before_centre) + rho**n_before_centre * start
        return pd * torch.sin(angle) * at_centre.abs() * torch.exp(-self.te / t2_star)


Sequence = SpinEcho | SpoiledGradientEcho | Mprage
