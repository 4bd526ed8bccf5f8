"""The check-up for the command line: the same checks as 体检, in words and for programs."""

from collections.abc import Mapping, Sequence

from client.service.checks import Check
from client.service.text import Words


def values_of(check: Check, words: Words) -> Mapping[str, object]:
    """Give a check's values for its words: `x_bytes` becomes a size named `x` as well."""
    values: dict[str, object] = dict(check.values)
    for name, value in check.values:
        if name.endswith("_bytes"):
            values[name.removesuffix("_bytes")] = words.size(float(value))
    return values


def report(checks: Sequence[Check], words: Words) -> Mapping[str, object]:
    """Write the checks as a document, the worst first."""
    rows = []
    for check in checks:
        key = f"doctor.{check.code}_{check.variant}"
        values = values_of(check, words)
        hint = words(f"{key}_hint", **values) if words.has(f"{key}_hint") else ""
        rows.append(
            {
                "code": check.code,
                "state": check.state.value,
                "message": words(key, **values),
                "hint": hint,
            }
        )
    return {"checks": rows}
