"""The losses of StarGAN v2 and of Liu et al., as functions of tensors.

Distances are means over pixels or numbers of a code, and over the batch: the papers write the L1 norm.

References
----------
Choi et al., StarGAN v2, CVPR 2020 (arXiv 1912.01865), section 2.2, eq. 1 to 4, and appendix. Goodfellow et al., NIPS
2014: the generator's loss that does not saturate. Mescheder et al., ICML 2018: R1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """
    Return -log D(real) - log(1 - D(generated)), batch mean (eq. 1).

    Parameters
    ----------
    real, generated : (B, 1) Tensor
        Logits of the discriminator D.

    Examples
    --------
    >>> discriminator_loss(torch.zeros(1, 1), torch.zeros(1, 1)) == 2 * torch.log(torch.tensor(2.0))
    tensor(True)
    """
    return F.softplus(-real).mean() + F.softplus(generated).mean()


def generator_loss(generated: Tensor) -> Tensor:
    """
    Return -log D(generated), batch mean: large where the discriminator is sure, so that its slope does not vanish.

    Parameters
    ----------
    generated : (B, 1) Tensor
        Logits of the discriminator D.
    """
    return F.softplus(-generated).mean()


def r1_penalty(logits: Tensor, real: Tensor) -> Tensor:
    """
    Return half of the squared norm of the gradient of the logits with respect to real images, batch mean.

    Parameters
    ----------
    logits : (B, 1) Tensor
        Of the discriminator, each of its own image alone.
    real : (B, 1, I, J) Tensor
        That they were computed from, requiring a gradient.

    Returns
    -------
    penalty : () Tensor
        With a gradient of its own.
    """
    (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return 0.5 * slope.square().flatten(1).sum(dim=1).mean()


def style_reconstruction_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """
    Return how far the style that is found in a generated image is from the one it was given (eq. 2).

    Parameters
    ----------
    found, wanted : (B, n_style) Tensor
    """
    return F.l1_loss(found, wanted)


def style_diversity(images: Tensor, others: Tensor) -> Tensor:
    """
    Return how far the same images in two styles are apart, which is to be large (eq. 3).

    Parameters
    ----------
    images, others : (B, 1, I, J) Tensor
    """
    return F.l1_loss(images, others)


def cycle_loss(returned: Tensor, images: Tensor) -> Tensor:
    """
    Return how far images that were given another style and then their own are from what they were (eq. 4).

    Parameters
    ----------
    returned, images : (B, 1, I, J) Tensor
    """
    return F.l1_loss(returned, images)


def decayed(weight: float, progress: float) -> float:
    """
    Return a weight that goes down to 0 in a straight line.

    Parameters
    ----------
    weight : float
        At the beginning.
    progress : float
        Of the run, 0 to 1.

    Examples
    --------
    >>> decayed(2.0, 0.25), decayed(2.0, 1.0)
    (1.5, 0.0)
    """
    return weight * (1 - progress)
