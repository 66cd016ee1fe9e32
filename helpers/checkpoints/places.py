"""Where a checkpoint is: among the course's own, in the catalogue, in a folder, or on the model hub.

Support code. What a folder holds is read in `helpers.checkpoints.folders`.
"""

from pathlib import Path

from helpers import data
from helpers.checkpoints.models import CheckpointError

CHECKPOINTS = Path(__file__).resolve().parents[2] / "data" / "checkpoints"
OWN = ("stories", "stories_long", "real_text")  # data/checkpoints/README.md says how they were trained
FILES = ("model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json")


def locate(name_or_folder: str | Path) -> Path:
    """The folder of a checkpoint: of the catalogue, on the disk, or fetched from the model hub."""
    if name_or_folder == "minilm":
        return data.fetch("minilm")
    if name_or_folder in OWN:
        return CHECKPOINTS / name_or_folder
    folder, name = Path(name_or_folder).expanduser(), str(name_or_folder)
    put_back(folder)
    if folder.is_dir():
        return folder
    is_path = isinstance(name_or_folder, Path) or name.startswith((".", "/", "~")) or "\\" in name
    if is_path or name.count("/") > 1:
        raise CheckpointError(f"there is no folder {name}: check the path, or train and save the model first")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except Exception as error:  # no network, no such model, no permission: the hub's classes are many
        raise CheckpointError(
            f"{name!r} is no folder here, and the model hub did not give it ({type(error).__name__}): check "
            "the name and the connection, or use 'minilm', which needs no hub"
        ) from error


def aside(folder: Path) -> Path:
    """Where the older folder waits while the new one takes its place."""
    return folder.with_name(f".{folder.name}-old")


def put_back(folder: Path) -> None:
    """Mend what a crash between the two renames of `replace_folder` left."""
    if folder.name and not folder.exists() and aside(folder).is_dir():
        aside(folder).rename(folder)
