"""The file of a style card: JSON that anybody may have made up or edited, believed only once all of it is checked.

Means and errors are on the card's [0, 1] scale, on which white matter is 0.6; `low` and `high` are in the site's units.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator
from pydantic_core import ErrorDetails

from hail_mri.errors import InputError
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.tissue_classes import TISSUE_CLASSES, WHITE_MATTER
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.provenance.regular_file import size_of_file

FORMAT = "hail-mri style card 2"
LARGEST_BYTES = 1 << 20  # a card has a few thousand
LARGEST_MEAN = 10.0  # fat, the brightest tissue, is 1 to 2
LARGEST_ERROR = 10.0  # of a class mean; 1 to 2 where the class is not there
# Volume fractions count what the network and the intensities agree on: of whole and stripped heads 0.79 to 0.86 in all.
FRACTIONS_TOGETHER = (0.25, 1.001)
LARGEST_INTENSITY = 1e30  # float32 ends at 3e38
NARROWEST_SCALE = 1e-30
NARROWEST_SHARE = 1e-5  # of the intensities; float32 tells no shades apart within less
MOST_SCANS = 1_000_000
MOST_STAGES, MOST_CHANNELS, LARGEST_FEATURE = 16, 4096, 1e6
LONGEST_SHOWN = 40  # letters of what was found
HINT = "make one with `hail-mri style`"


def _sha256(text: str) -> str:
    """Refuse what is no SHA-256."""
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError("64 hexadecimal digits in lower case")
    return text


def _name(text: str) -> str:
    """Refuse what is no name: it will be printed."""
    if not (0 < len(text) <= 100 and text.isprintable()):
        raise ValueError("1 to 100 printable letters")
    return text


class _Entries(BaseModel):
    """An object of the file: no number in words, no entry too many."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class TissueEntries(_Entries):
    """What is known of a tissue class."""

    mean: float = Field(ge=-LARGEST_MEAN, le=LARGEST_MEAN)
    error: float = Field(ge=0, le=LARGEST_ERROR)
    volume_fraction: float = Field(gt=0, le=1)


class WhiteMatterEntries(TissueEntries):
    """What is known of white matter, which the scale goes by."""

    mean: float = Field(gt=0, le=LARGEST_MEAN)


_KINDS = {name: WhiteMatterEntries if k == WHITE_MATTER else TissueEntries for k, name in enumerate(TISSUE_CLASSES)}
_Tissues: Any = create_model("_Tissues", __base__=_Entries, **{name: (kind, ...) for name, kind in _KINDS.items()})  # type: ignore[call-overload]
_Mean = Annotated[float, Field(ge=-LARGEST_FEATURE, le=LARGEST_FEATURE)]
_Deviation = Annotated[float, Field(gt=0, le=LARGEST_FEATURE)]


class FeatureEntries(_Entries):
    """Statistics of features, a list for each stage of the encoder."""

    means: list[Annotated[list[_Mean], Field(min_length=1, max_length=MOST_CHANNELS)]] = Field(
        min_length=1, max_length=MOST_STAGES
    )
    stds: list[Annotated[list[_Deviation], Field(min_length=1, max_length=MOST_CHANNELS)]] = Field(
        min_length=1, max_length=MOST_STAGES
    )

    @model_validator(mode="after")
    def _are_of_the_same_channels(self) -> Self:
        means, stds = (list(map(len, stages)) for stages in (self.means, self.stds))
        if means != stds:
            raise ValueError(f"means are of {means} channels, stds of {stds}, expected the same")
        return self


class CardEntries(_Entries):
    """All that the file of a style card holds."""

    format: str  # checked before all others
    model: Annotated[str, AfterValidator(_name)]
    weights_sha256: Annotated[str, AfterValidator(_sha256)]
    low: float = Field(ge=-LARGEST_INTENSITY, le=LARGEST_INTENSITY)
    high: float = Field(ge=-LARGEST_INTENSITY, le=LARGEST_INTENSITY)
    n_scans: int = Field(ge=1, le=MOST_SCANS)
    tissues: _Tissues | None = None
    features: FeatureEntries | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        narrowest = max(NARROWEST_SCALE, NARROWEST_SHARE * max(abs(self.low), abs(self.high)))
        if not self.high - self.low >= narrowest:
            raise ValueError(f"low is {self.low:g} and high is {self.high:g}, expected high above low")
        if (self.tissues is None) == (self.features is None):
            raise ValueError("it has both tissues and features, or neither, expected one of them")
        if self.tissues is not None:
            total, (least, most) = sum(entries.volume_fraction for entries in self._by_class()), FRACTIONS_TOGETHER
            if not least <= total <= most:
                raise ValueError(f"volume fractions of tissues add up to {total:.3g}, expected about 1")
        return self

    def _by_class(self) -> list[TissueEntries]:
        """Return the entries of the tissues, in the order of the classes."""
        return [getattr(self.tissues, name) for name in TISSUE_CLASSES]

    def style(self) -> TissueStyle | FeatureStyle:
        """Return the style they describe."""
        if self.features is not None:
            return FeatureStyle(*(tuple(map(tuple, stages)) for stages in (self.features.means, self.features.stds)))
        rows = [(tissue.mean, tissue.error, tissue.volume_fraction) for tissue in self._by_class()]
        return TissueStyle(*zip(*rows, strict=True))


def read_card(path: Path) -> CardEntries:
    """
    Read the file of a style card.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is not a style card; the message names the first entry that is wrong, what it is and what it should be.
    """
    size = size_of_file(path, expected="a style card")
    try:
        if size > LARGEST_BYTES:
            raise InputError(f"it has {size} bytes, expected a few thousand")
        with path.open("rb") as file:
            return check_card(_parsed(file.read(LARGEST_BYTES)))
    except (OSError, InputError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path} is not a style card: {reason}", HINT) from error


def check_card(entries: Any) -> CardEntries:
    """
    Check what a JSON file held, or what is to be written to one.

    Raises
    ------
    InputError
        If it is no style card.
    """
    if not isinstance(entries, dict):
        raise InputError(f"it holds {_shown(entries)}, expected an object")
    if entries.get("format") != FORMAT:
        raise InputError(f"its format is {_shown(entries.get('format'))}, expected {FORMAT!r}")
    try:
        return CardEntries.model_validate(entries)
    except ValidationError as error:
        # A misspelt key is unknown and missing at once; the first helps more.
        raise InputError(_sentence(min(error.errors(), key=lambda e: e["type"] != "extra_forbidden"))) from error


def _parsed(content: bytes) -> Any:
    """Parse JSON, more strictly than Python does by itself."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except InputError:
        raise
    except RecursionError as error:
        raise InputError("it is nested too deeply") from error
    except ValueError as error:
        raise InputError(f"it is no JSON ({error})") from error


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its entries, each there once: of two with one name, nobody knows which one counts."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        raise InputError(f"it has {_shown(next(n for n in names if names.count(n) > 1))} twice in one object")
    return entries


def _refuse_constant(name: str) -> NoReturn:
    """Refuse what Python takes for a number in JSON."""
    raise InputError(f"it holds {name}, expected finite numbers")


_EXPECTED = {
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_type": "a whole number",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list",
    "model_type": "an object",
    "string_type": "a text",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entry",
    "value_error": "{error}",
}


def _sentence(error: ErrorDetails) -> str:
    """Say what is wrong with an entry."""
    *folders, last = [str(part) for part in error["loc"]] or [""]
    name = ".".join([*folders, last if len(last) <= LONGEST_SHOWN and last.isprintable() else _shown(last)])
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "extra_forbidden":
        return f"{name} is unknown, expected no such entry"
    expected = _EXPECTED.get(error["type"], error["msg"]).format(**error.get("ctx", {}))
    if isinstance(error["input"], (dict, BaseModel)) and error["type"] == "value_error":
        return f"{name}: {expected}" if name else expected
    return f"{name} is {_shown(error['input'])}, expected {expected}"


def _shown(value: Any) -> str:
    """Return what was found, in short."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
