"""Print the lowest versions that requirements.txt admits, as constraints for pip.

    python scripts/dev/lowest_constraints.py > lowest.txt
    python -m pip install -r requirements.txt -c lowest.txt

So a lower bound is a version that was tried, not a guess. Only torch's was not tried by hand: it is Colab's.
"""

import sys
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def lowest(requirements: str) -> list[str]:
    """`name==bound` for each `name>=bound` line. Raises ValueError for a line without a lower bound."""
    pins = []
    for line in requirements.splitlines():
        text = line.split("#")[0].strip()
        if not text:
            continue
        requirement = Requirement(text)
        bounds = [s.version for s in requirement.specifier if s.operator == ">="]
        if len(bounds) != 1:
            raise ValueError(f"{text!r} in requirements.txt has no lower bound: write it as name>=version.")
        pins.append(f"{requirement.name}=={bounds[0]}")
    return pins


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "requirements.txt"
    print("\n".join(lowest(path.read_text(encoding="utf-8"))))
