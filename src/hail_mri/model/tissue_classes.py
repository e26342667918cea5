"""The classes of a tissue map: what a T1-weighted scan of a head shows as one kind of tissue.

Tissues that look the same in such a scan are one class: the cortices of cerebrum and cerebellum, hippocampus and
lesions are grey matter, the white matter of the cerebellum is white matter, optic nerves are connective tissue. Fat and
marrow are two classes, because fat suppression does not make them equally dark.
"""

TISSUE_CLASSES: tuple[str, ...] = (
    "background",
    "white_matter",
    "grey_matter",
    "striatum",
    "thalamus",
    "pallidum",
    "brain_stem",
    "csf",
    "vitreous",
    "blood",
    "fat",
    "marrow",
    "muscle",
    "connective_tissue",
    "mucosa",
    "bone",
)

CLASS_INDEX = {name: index for index, name in enumerate(TISSUE_CLASSES)}

BACKGROUND = CLASS_INDEX["background"]
WHITE_MATTER = CLASS_INDEX["white_matter"]
GREY_MATTER = CLASS_INDEX["grey_matter"]
CSF = CLASS_INDEX["csf"]

DEEP_TISSUES = tuple(CLASS_INDEX[name] for name in ("striatum", "thalamus", "pallidum", "brain_stem"))

# Inside the skull: the classes of a brain mask.
BRAIN = (WHITE_MATTER, GREY_MATTER, *DEEP_TISSUES, CSF)
