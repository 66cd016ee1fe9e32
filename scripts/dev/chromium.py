"""A Chromium that reaches nothing but this machine, for tests and trials that look at pages.

BROWSER names another one. Needs playwright (requirements-dev.txt), which brings the driver, not the browser.
"""

import os
import shutil

from playwright.sync_api import Browser, Playwright

__all__ = ["launch"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def launch(playwright: Playwright) -> Browser:
    """The browser, started; LookupError, saying what to do, where there is none."""
    found = os.environ.get("BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise LookupError(
            "There is no Chromium on this machine: install it (Debian: apt install chromium), or name yours "
            "in the environment variable BROWSER."
        )
    options = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium's own, around its processes: root can't have it
    return playwright.chromium.launch(executable_path=found, args=options)
