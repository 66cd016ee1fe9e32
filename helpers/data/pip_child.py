"""What runs in pip's process: pip's own download of a wheel, or a source archive saved without being opened.

    python -P pip_child.py download …                                 pip download …
    python -P pip_child.py source NAME VERSION SHA256 SIZE FOLDER …   the archive alone; … are pip's options

`pip download` asks each source archive for its metadata, and for that runs a program in it, even with
--no-deps; no option prevents it. So for a source archive pip only finds the addresses and opens the
connection (the index, mirror, proxy, certificates and passwords that are set up for pip are used), and the
file is stored as it comes. Whoever started this compares its SHA-256 before opening it. These are inner parts
of pip, the same from 22.3 to 26.3 at least; where they are missing this fails, and nothing is run instead.

Imports nothing of the course: it runs alone.
"""

import hashlib
import os
import runpy
import sys
import threading


def end_with_parent() -> None:
    """End this process when the one that started it is gone, however that came about.

    Standard input is a pipe whose other end only the parent holds, so the system closes it with the parent.
    """
    pipe = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def wait() -> None:
        os.read(pipe, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def save_source_archive(name: str, version: str, sha256: str, size: int, folder: str, options: list) -> int:
    """Save the archive in `folder`, `size` bytes at most; pip's exit code, its words on standard output.

    Of several addresses the first whose content has the hash is taken, else what came last is left there.
    """
    from pip._internal.commands.download import DownloadCommand
    from pip._internal.exceptions import DistributionNotFound, NetworkConnectionError
    from pip._internal.network.utils import HEADERS, raise_for_status, response_chunks
    from pip._vendor.requests import RequestException
    from pip._vendor.urllib3.exceptions import HTTPError

    def save(session, link) -> bool:
        digest, left = hashlib.sha256(), size + 1  # one more than expected is enough to be wrong
        suffix = ".zip" if link.filename.endswith(".zip") else ".tar.gz"
        for earlier in os.listdir(folder):
            os.remove(os.path.join(folder, earlier))
        response = session.get(link.url.split("#")[0], headers=HEADERS, stream=True)
        raise_for_status(response)
        with open(os.path.join(folder, f"{name}-{version}{suffix}"), "wb") as file:
            for chunk in response_chunks(response, 1 << 16):
                digest.update(chunk)
                file.write(chunk[:left])
                left -= len(chunk)
                if left <= 0:
                    break
        return digest.hexdigest() == sha256

    class SaveSourceArchive(DownloadCommand):
        def run(self, options, arguments) -> int:
            session = self.get_default_session(options)
            found = self._build_package_finder(options, session).find_all_candidates(name)
            links = [c.link for c in found if str(c.version) == version and not c.link.is_wheel]
            if not links:
                raise DistributionNotFound(f"No matching distribution found for {name}=={version}")
            failure = None
            for link in sorted(links, key=lambda link: link.hash != sha256):
                try:
                    if save(session, link):
                        return 0
                except (NetworkConnectionError, RequestException, HTTPError) as error:
                    failure = error
            if failure:
                raise NetworkConnectionError(f"Could not download {name}=={version}: {failure}")
            return 0

    return SaveSourceArchive("download", "save a source archive").main(options)


if __name__ == "__main__":
    end_with_parent()
    if sys.argv[1] == "source":
        _, _, name, version, sha256, size, folder, *options = sys.argv
        sys.exit(save_source_archive(name, version, sha256, int(size), folder, options))
    sys.argv[0] = "pip"
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
