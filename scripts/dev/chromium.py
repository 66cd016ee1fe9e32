"""A Chromium that reaches nothing but this machine, for tests and trials that look at pages.

BROWSER names another one. Needs playwright (requirements-dev.txt), which brings the driver, not the browser.
"""

import json
import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

__all__ = ["launch", "launch_as_visited"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HERE = "MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def launch(playwright: Playwright) -> Browser:
    """The browser, started; LookupError, saying what to do, where there is none."""
    return playwright.chromium.launch(executable_path=executable(), args=arguments())


def launch_as_visited(playwright: Playwright, profile: Path, **options) -> BrowserContext:
    """The browser with a profile of its own, in which frames of other hosts may keep what they need.

    A page in a window that leaves no traces may not: service workers of its frames are refused there.
    """
    settings = profile / "Default" / "Preferences"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"profile": {"cookie_controls_mode": 0}}), encoding="utf-8")
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=executable(),
        args=[*arguments(), "--disable-features=ThirdPartyStoragePartitioning"], **options,
    )  # fmt: skip


def executable() -> str:
    found = os.environ.get("BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise LookupError(
            "There is no Chromium on this machine: install it (Debian: apt install chromium), or name yours "
            "in the environment variable BROWSER."
        )
    return found


def arguments() -> list[str]:
    options = [f"--host-resolver-rules={HERE}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium's own, around its processes: root can't have it
    return options
