"""Where a checkpoint is: among the course's own, in the catalogue, in a folder, or on the model hub.

Support code, with the way in which a finished folder takes the place of an older one.
"""

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from helpers import data
from helpers.checkpoints.configuration import CheckpointError
from helpers.checkpoints.files import FILES
from helpers.checkpoints.vocabularies import FAST

CHECKPOINTS = Path(__file__).resolve().parents[2] / "data" / "checkpoints"
# data/checkpoints/README.md says how they were trained
OWN = ("stories", "stories_long", "real_text", "wider_text", "writer")


def locate(name_or_folder: str | Path) -> Path:
    """The folder of a checkpoint: of the catalogue, on the disk, or fetched from the model hub."""
    if name_or_folder == "minilm":
        return data.fetch("minilm")
    if name_or_folder in OWN:
        return CHECKPOINTS / name_or_folder
    folder, name = Path(name_or_folder).expanduser(), str(name_or_folder)
    _mend(folder)
    if folder.is_dir():
        return folder
    is_path = isinstance(name_or_folder, Path) or name.startswith((".", "/", "~")) or "\\" in name
    if is_path or name.count("/") > 1:
        raise CheckpointError(f"there is no folder {name}: check the path, or train and save the model first")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*FILES, FAST]))
    except Exception as error:  # no network, no such model, no permission: the hub's classes are many
        raise CheckpointError(
            f"{name!r} is no folder here, and the model hub did not give it ({type(error).__name__}): check "
            "the name and the connection, or use 'minilm', which needs no hub"
        ) from error


def check_replaceable(folder: Path) -> None:
    """Refuse to put a checkpoint in the place of something else: all of it would be gone."""
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f"{folder} is a file, not a folder: choose another name for the checkpoint")
    others = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    others = [name for name in others if name not in FILES]
    if others:
        raise CheckpointError(
            f"{folder} holds more than a checkpoint ({', '.join(others[:3])}), and saving would replace "
            "everything in it: choose a folder of its own"
        )


@contextmanager
def unfinished_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside this one, which takes its place when all went well and is removed otherwise.

    One process at a time; what a killed one left is removed first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        prefix = f".{folder.name}-unfinished-"
        for left in folder.parent.glob(f"{glob.escape(prefix)}*"):
            shutil.rmtree(left, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
        try:
            yield unfinished
            replace_folder(folder, unfinished)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def replace_folder(folder: Path, unfinished: Path) -> None:
    """Put a finished folder in the place of an older one; a crash in between loses neither."""
    os.chmod(unfinished, 0o755)  # temporary folders are closed to other users
    _put_back(folder)
    old = _aside(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    try:
        unfinished.rename(folder)
    except BaseException:
        _put_back(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _alone(folder: Path) -> FileLock:
    """Held while a folder is replaced; the file lies elsewhere, so that nothing is left beside the folder."""
    name = hashlib.sha256(str(folder.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    return FileLock(Path(tempfile.gettempdir()) / f"bert-course-{name}.lock")


def _aside(folder: Path) -> Path:
    """Where the older folder waits while the new one takes its place."""
    return folder.with_name(f".{folder.name}-old")


def _mend(folder: Path) -> None:
    """`_put_back` for a reader, who waits until nobody is saving."""
    if folder.name and not folder.exists() and _aside(folder).is_dir():
        with _alone(folder):
            _put_back(folder)


def _put_back(folder: Path) -> None:
    """Mend what a crash between the two renames of `replace_folder` left."""
    if folder.name and not folder.exists() and _aside(folder).is_dir():
        _aside(folder).rename(folder)
