"""`python -m helpers.stories` writes the files in data/stories/ anew; `--check` compares them."""

import argparse
import sys

from helpers.stories.samples import FOLDER, files


def main() -> int:
    """Write the files in data/stories/, or with --check compare them with what is drawn now."""
    parser = argparse.ArgumentParser(prog="python -m helpers.stories", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file differs")
    checking = parser.parse_args().check
    different = []
    for name, content in files().items():
        path = FOLDER / name
        if not checking:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            different.append(name)
    if different:
        print(f"different from what the generator draws: {', '.join(different)}", file=sys.stderr)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
