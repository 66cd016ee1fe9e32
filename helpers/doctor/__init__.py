"""What a maintainer asks for first, and for each known trouble the way out: `python -m helpers.environment`.

Notebook 00 shows the same. It changes nothing and sends nothing anywhere, and it runs where the course does
not: under an older Python, without the packages, without a network.

    machine   which course, which system, which packages, how much room
    findings  each known trouble, looked for, with the way out
"""

from __future__ import annotations

import sys

from helpers.doctor.findings import Finding, as_text, diagnose
from helpers.doctor.machine import about

__all__ = ["Finding", "about", "as_text", "diagnose", "main"]


def main() -> int:
    """Print all of it; 1 where something is to be mended. For an issue of the course, copy the whole."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # whatever the terminal's encoding lacks is written as \\u4e2d
            stream.reconfigure(errors="backslashreplace")
    print("\n".join(about()), flush=True)
    findings = diagnose()
    print(as_text(findings))
    return int(not all(finding.fine for finding in findings))
