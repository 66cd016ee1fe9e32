"""`python -m helpers.stories` writes the files in data/stories/ anew; `--check` compares them."""

import argparse
import sys

from helpers.stories.samples import files, is_written, write


def main() -> int:
    """Write the files in data/stories/, or with --check compare them with what is drawn now."""
    for stream in (sys.stdout, sys.stderr):  # as helpers/data/output.py, a room above this one
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(prog="python -m helpers.stories", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file differs")
    checking = parser.parse_args().check
    different = []
    for name, content in files().items():
        try:
            if not checking:
                write(name, content)
            elif not is_written(name, content):
                different.append(name)
        except OSError as error:
            print(f"error: {error}. Make room, or check that it is a file that you may use.", file=sys.stderr)
            return 1
    if different:
        print(f"different from what the generator draws: {', '.join(different)}", file=sys.stderr)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
