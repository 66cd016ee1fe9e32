"""Make the reading edition of the course, a folder of web pages: `make site`.

    python scripts/site/build.py                   into build/site/
    python scripts/site/build.py --out FOLDER      elsewhere

The pages show the notebooks as they are stored; nothing is executed and nothing is fetched, neither now nor
by the pages. A warning is an error. Look at it with: python -m http.server --directory build/site
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.data.output import accept_any_text  # noqa: E402
from scripts.dev import badges  # noqa: E402
from scripts.site import pages  # noqa: E402

HERE = Path(__file__).parent


def gather(sources: Path) -> None:
    """The notebooks, their pictures and the start page, in a folder that holds nothing else."""
    shutil.rmtree(sources, ignore_errors=True)
    sources.mkdir(parents=True)
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        shutil.copy2(path, sources)
    shutil.copytree(ROOT / "notebooks" / "images", sources / "images")
    address = f"https://github.com/{badges.repository()}"
    template = (HERE / "index.md").read_text(encoding="utf-8")
    (sources / "index.md").write_text(pages.start_page(template, sources, address), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    accept_any_text()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="default: build/site")
    out = parser.parse_args(arguments).out.resolve()
    try:
        from sphinx.cmd.build import build_main
    except ModuleNotFoundError:
        raise SystemExit(
            "Sphinx, which makes the pages, is not installed. "
            "Run: python -m pip install -r requirements-dev.txt -c constraints.txt"
        ) from None
    work = out.with_name(out.name + ".tmp")
    shutil.rmtree(work, ignore_errors=True)
    gather(work / "sources")
    started = time.time()
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(HERE), "-d", str(work / "doctrees")]
    failed = build_main([*options, str(work / "sources"), str(work / "pages")])
    if failed:
        print(f"no site was made, because of the warnings above; the pages so far lie in {work / 'pages'}")
        return failed
    (work / "pages" / ".nojekyll").touch()  # GitHub Pages: serve folders that begin with an underscore, too
    shutil.rmtree(out, ignore_errors=True)
    (work / "pages").rename(out)
    shutil.rmtree(work)
    count = len(list(out.glob("*.html")))
    print(f"{count} pages in {out}, {time.time() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
