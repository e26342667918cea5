"""Whether a result is to be trusted: one sentence, made of all that was found, in plain words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hail_mri.harmonize.check import Check
from hail_mri.report.blocks import VERDICTS, badge, listing, paragraph, plain
from hail_mri.report.scan_record import ScanRecord

NAMES = {"Source": "source", "Target": "target", "Result": "result"}


@dataclass(frozen=True)
class Concern:
    """Something that speaks against a result: "check" is worth a look, "fail" means that it should not be used."""

    verdict: str
    text: str


def concerns_of(record: ScanRecord) -> list[Concern]:
    """Return what the sidecar itself tells against a result, the worst first."""
    found = [
        Concern(check.verdict, _of_check(scan, check))
        for scan, checks in record.checks.items()
        for check in checks
        if check.verdict != "ok"
    ]
    found += [Concern("check", f"Warning: {warning}") for warning in record.warnings]
    if record.settings.get("output_mode") == "network":
        found.append(Concern("check", "This is the raw prediction of the network: blurred; lesions may be changed."))
    return worst_first(found)


def worst_first(concerns: Iterable[Concern]) -> list[Concern]:
    """Return concerns in the order of how bad they are, otherwise as they come; an unknown verdict is as bad as any."""
    return sorted(concerns, key=lambda concern: -rank(concern.verdict))


def rank(verdict: str) -> int:
    """Return how bad a verdict is, 0 is ok; a word that is not known is as bad as any."""
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS) - 1


def trust_sentence(checks: Mapping[str, Sequence[Check]], concerns: Sequence[Concern]) -> tuple[str, str]:
    """
    Say whether a result is to be trusted.

    Parameters
    ----------
    checks : mapping of str to sequence of Check
        All that were made, by scan.
    concerns : sequence of Concern
        All that speaks against it.

    Returns
    -------
    verdict : "ok", "check" or "fail"
    sentence : str

    Examples
    --------
    >>> trust_sentence({}, [Concern("check", "Warning: both header codes are 0")])
    ('check', 'Look before you use this result: one thing that was found is worth a look.')
    """
    n_checks = sum(map(len, checks.values()))
    fails = sum(rank(concern.verdict) == rank("fail") for concern in concerns)
    looks = len(concerns) - fails
    worth = "one thing that was found is worth a look" if looks == 1 else f"{looks} things are worth a look"
    if fails:
        against = "one thing speaks" if fails == 1 else f"{fails} things speak"
        more = f", and {worth}" if looks else ""
        return "fail", f"Do not use this result as it is: {against} against it{more}."
    if looks:
        return "check", f"Look before you use this result: {worth}."
    if not n_checks:
        return "check", "Look before you use this result: its sidecar tells of no checks."
    scans = _listed([NAMES[scan] for scan in checks])
    return "ok", f"Nothing was found that speaks against this result: all {n_checks} checks of {scans} are ok."


def trust_blocks(checks: Mapping[str, Sequence[Check]], concerns: Sequence[Concern]) -> list[Markup]:
    """Return the sentence and, below it, what it is made of."""
    verdict, sentence = trust_sentence(checks, concerns)
    words = {"ok": "ok", "check": "check", "fail": "fail"}
    blocks = [paragraph(Markup("{} {}").format(badge(verdict, words[verdict]), plain(sentence)), f"verdict {verdict}")]
    if concerns:
        items = [Markup("{} {}").format(badge(concern.verdict), plain(concern.text)) for concern in concerns]
        blocks.append(listing(items))
    if "Result" not in checks:
        blocks.append(paragraph("Source and target were checked; the result itself was not.", "soft"))
    return blocks


def _of_check(scan: str, check: Check) -> str:
    """Return a check in words."""
    hint = f"; {check.hint}" if check.hint else ""
    sentence = f"{NAMES[scan].capitalize()}, {check.name}: {check.found}, expected {check.expected}{hint}"
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


def _listed(names: Sequence[str]) -> str:
    """Return names as one writes them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
