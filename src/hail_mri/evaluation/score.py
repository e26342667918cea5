"""The scores of one method on one pair."""

import math
from dataclasses import dataclass

from hail_mri.errors import InputError


@dataclass(frozen=True)
class Score:
    """Hold one line of a comparison; what could not be measured is None.

    Attributes
    ----------
    method : str
    psnr_head, psnr_brain : float or None
        dB, against the truth; infinite for the truth itself.
    ssim_head, ssim_brain : float or None
        At most 1, against the truth.
    nwd_ip, nwd_tp : float or None
        The paper's normalized Wasserstein distances, percent.

    Raises
    ------
    InputError
        When a score is NaN.
    """

    method: str
    psnr_head: float | None
    ssim_head: float | None
    psnr_brain: float | None
    ssim_brain: float | None
    nwd_ip: float | None
    nwd_tp: float | None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and math.isnan(value):
                raise InputError(f"{name} of {self.method!r} is NaN, expected a number, or None where there is none")
