"""Tables of what became of lesions, and of what the searches found."""

from dataclasses import fields

import pandas as pd

from hail_mri.evaluation.lesions import LesionChange

NUMBERS = tuple(field.name for field in fields(LesionChange))


def summary(lesions: pd.DataFrame) -> pd.DataFrame:
    """Average over lesions, by kind, part and method in the order of the cases."""
    rows = []
    numbers = lesions.astype(dict.fromkeys(NUMBERS, float))  # None, where nothing could be measured, does not count
    for (kind, part, method), group in numbers.groupby(["kind", "part", "method"], sort=False):
        before, after, true = (group[name].sum() for name in ("found_before", "found_after", "true_ml"))
        row = {
            "kind": kind,
            "part": part,
            "method": method,
            "lesions": len(group),
            "found/true, source %": 100 * before / true,
        }
        row |= {"all, %": 100 * after / before, "each, %": group["volume"].median()}
        row |= {"off by, %": (group["volume"] - 100).abs().median(), "reversed": int(group["reversed"].sum())}
        row["not shown"] = int(group["not shown"].sum())
        row |= {"CNR before": group["contrast_before"].mean(), "CNR after": group["contrast_after"].mean()}
        row |= {"sharpness %": group["sharpness"].median(), "Dice": group["overlap"].mean()}
        rows.append(row | {"shift mm": group["shift"].mean()})
    return pd.DataFrame(rows)


def summary_of_searches(searches: pd.DataFrame) -> pd.DataFrame:
    """Average over cases, by kind and method in the order of the cases; sums for the counts of cases."""
    numbers = [name for name in searches if name.startswith(("lost", "appeared"))]
    groups = searches.groupby(["kind", "method"], sort=False)
    table = groups[numbers].mean()
    for name in ("lost", "appeared"):
        table[f"cases with {name}"] = groups[f"{name}_n"].agg(lambda n: int((n > 0).sum()))
    table.insert(0, "cases", groups.size())
    return table.reset_index()
