"""The paragraph on harmonization for a paper's methods section, with the settings that were used and what to cite."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hail_mri.report.scan_record import ScanRecord, shown

MODELS = {
    "compact": "which finds the tissues of both scans and exchanges their mean intensities",
    "hail-small": "an encoder and a decoder with adaptive instance normalization between them [{adain}]",
    "hail-small-real": "an encoder and a decoder with adaptive instance normalization between them [{adain}]",
    "hail-small-without-consistency": (
        "an encoder and a decoder with adaptive instance normalization between them [{adain}], trained without the "
        "consistency loss"
    ),
}
SOFTWARE = "The hail-mri developers. hail-mri: one-shot harmonization of brain MRI across imaging sites, version {}."
REFERENCES = {
    "paper": "Parida A, Jiang Z, Anwar SM, Foreman N, Stence N, Fisher MJ, Packer RJ, Avery RA, Linguraru MG. "
    "Harmonization Across Imaging Locations (HAIL): One-Shot Learning for Brain MRI. arXiv:2308.11047, 2023.",
    "adain": "Huang X, Belongie S. Arbitrary style transfer in real-time with adaptive instance normalization. "
    "ICCV 2017, 1510-1519. doi:10.1109/ICCV.2017.167.",
    "n4": "Tustison NJ, Avants BB, Cook PA, Zheng Y, Egan A, Yushkevich PA, Gee JC. N4ITK: improved N3 bias "
    "correction. IEEE Trans Med Imaging 2010; 29:1310-1320. doi:10.1109/TMI.2010.2046908.",
    "mni": "Fonov V, Evans AC, Botteron K, Almli CR, McKinstry RC, Collins DL. Unbiased average age-appropriate "
    "atlases for pediatric studies. NeuroImage 2011; 54:313-327. doi:10.1016/j.neuroimage.2010.07.033.",
}


@dataclass
class _Citations:
    """The references that were cited so far, in their order."""

    texts: list[str]

    def number(self, text: str) -> int:
        """Return the number of a reference, a new one if it was not cited yet."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def methods_paragraphs(record: ScanRecord, *, is_style_card: bool) -> Sequence[str]:
    """
    Return the methods paragraph, and below it a line for each reference.

    Parameters
    ----------
    record : ScanRecord
        Tells version, model and settings.
    is_style_card : bool
        Whether the target was a style card, and not a scan.
    """
    cited = _Citations([])
    sentences = [*_what(record, cited, is_style_card=is_style_card), *_preparation(record, cited), *_transfer(record)]
    references = [f"[{k}] {text}" for k, text in enumerate(cited.texts, start=1)]
    return [" ".join(sentences), *references]


def _what(record: ScanRecord, cited: _Citations, *, is_style_card: bool) -> list[str]:
    """Say what was harmonized to what, by which model."""
    software, paper = cited.number(SOFTWARE.format(record.version)), cited.number(REFERENCES["paper"])
    model = shown(record.settings.get("model", "unknown"))
    kind = MODELS.get(model, "")
    if "{adain}" in kind:
        kind = kind.format(adain=cited.number(REFERENCES["adain"]))
    weights = shown(record.part("Sha256").get("Weights", "unknown"))
    target = "a style card of the target site" if is_style_card else "one example scan of the target site"
    what = (
        f"T1-weighted scans were harmonized with hail-mri {record.version} [{software}], an independent implementation "
        f"of one-shot harmonization as proposed by Parida et al. [{paper}]."
    )
    named = f"the model {model}, {kind}" if kind else f"the model {model}"
    return [
        what,
        f"The look of the target site was taken from {target}, by {named} (SHA-256 of its weights: {weights}).",
    ]


def _preparation(record: ScanRecord, cited: _Citations) -> list[str]:
    """Say what was done to scans first."""
    sentences = []
    if record.part("BiasField"):
        kept = record.settings.get("keep_bias", True)
        then = "put back into the result" if kept else "left out of the result"
        number = cited.number(REFERENCES["n4"])
        sentences.append(f"Bias fields were estimated with N4 [{number}], corrected first, and {then}.")
    registration = record.part("Registration")
    if registration:
        reference = _reference(registration.get("Reference"), cited)
        sentences.append(
            f"Scans were registered rigidly to {reference} by mutual information; the change of contrast that was "
            "found there was carried back to the scan's own voxels."
        )
    return sentences or ["Scans were neither registered nor corrected for bias fields beforehand."]


def _reference(name: Any, cited: _Citations) -> str:
    """Return what scans were registered to."""
    if name == "mni152":
        return f"the MNI152 template [{cited.number(REFERENCES['mni'])}]"
    return "a reference scan"


def _transfer(record: ScanRecord) -> list[str]:
    """Say how the change got to the scan's own voxels."""
    if record.settings.get("output_mode") == "network":
        return ["The result is the prediction of the network itself, interpolated to the scan's own voxels."]
    strength = "" if record.strength == 1 else f" The change was made at a strength of {record.strength:g}."
    how = "The change of contrast was applied to the scan's own voxels as a smooth, local, monotone map of intensity"
    return [f"{how}, so that anatomy and voxel grid stayed as they were.{strength}"]
