"""What a model file is: its header, checked before llama.cpp sees the file.

`read_header` refuses, with the remedy, whatever cannot answer a question:
damaged files, embedding models, projectors, adapters, and files split into
parts of which one is missing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from commonplace.engine.gguf_format import Contents, Tensor, Value, read_contents
from commonplace.errors import ModelError

_SPLIT_NAME = re.compile(r"^(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf$")
_MAX_PARTS = 999
_MAX_NUMBER = 1 << 31

_NOT_FOR_ANSWERS = {
    **dict.fromkeys(
        (
            "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2",
            "jina-bert-v3", "eurobert", "gemma-embedding", "llama-embed",
        ),
        "an embedding model",
    ),
    **dict.fromkeys(("clip", "mmproj"), "the image part of another model"),
    **dict.fromkeys(("t5", "t5encoder"), "a translation model of an older design"),
    "wavtokenizer-dec": "a speech model",
}  # fmt: skip
_WRONG_TYPES = {
    "adapter": "an adapter for another model",
    "mmproj": "the image part of another model",
    "imatrix": "a table for quantising models",
    "vocab": "a vocabulary without a model",
}
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0",
    38: "MXFP4", 39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a model before it is loaded.

    `kv_heads` has one entry per layer that keeps keys and values. `key_length`
    and `value_length` are elements per head. `file_bytes` and `parameters` add
    up all parts of a split file. `layer_bytes` are the weights of each layer,
    `tensors` what all parts say of each tensor, by name.
    `chat_template` is searched for known marks, and rendered only by
    `reference`, in a process of its own.
    """

    path: Path
    architecture: str
    name: str
    size_label: str
    context_length: int
    block_count: int
    embedding_length: int
    head_count: int
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    quantisation: str
    tokenizer: str
    vocabulary: int
    bos: int | None
    eos: int | None
    chat_template: str | None
    parameters: int
    file_bytes: int
    layer_bytes: tuple[int, ...] = ()
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def head_count_kv(self) -> int:
        """Heads that keep keys and values, in the layer that has most of them."""
        return max(self.kv_heads, default=0)


def read_header(path: Path) -> Header:
    """Read and check the header of the model at `path`.

    Raises `ModelError` with the remedy for anything that cannot answer.
    """
    contents = read_contents(path)
    fields = _Fields(path, contents)
    architecture = _checked_architecture(path, fields)
    parts = _other_parts(path, fields)
    heads = fields.number(f"{architecture}.attention.head_count", listed=True)
    width = fields.number(f"{architecture}.embedding_length")
    layers = fields.number(f"{architecture}.block_count")
    per_head = width // heads if heads else 0
    return Header(
        path=path,
        architecture=architecture,
        name=fields.text("general.name") or path.stem,
        size_label=fields.text("general.size_label"),
        context_length=fields.number(f"{architecture}.context_length"),
        block_count=layers,
        embedding_length=width,
        head_count=heads,
        kv_heads=fields.per_layer(f"{architecture}.attention.head_count_kv", layers, heads),
        key_length=fields.optional(f"{architecture}.attention.key_length") or per_head,
        value_length=fields.optional(f"{architecture}.attention.value_length") or per_head,
        quantisation=_FILE_TYPES.get(fields.optional("general.file_type") or 0, "unknown"),
        tokenizer=fields.text("tokenizer.ggml.model"),
        vocabulary=contents.lengths.get("tokenizer.ggml.tokens", 0),
        bos=fields.optional("tokenizer.ggml.bos_token_id"),
        eos=fields.optional("tokenizer.ggml.eos_token_id"),
        chat_template=fields.text("tokenizer.chat_template") or None,
        parameters=sum(p.parameters for p in (contents, *parts)),
        file_bytes=sum(p.size for p in (contents, *parts)),
        layer_bytes=tuple(
            sum(p.layer_bytes.get(layer, 0) for p in (contents, *parts)) for layer in range(layers)
        ),
        tensors={name: tensor for p in (contents, *parts) for name, tensor in p.named.items()},
    )


class _Fields:
    """Typed access to the values of a header."""

    def __init__(self, path: Path, contents: Contents) -> None:
        self._path = path
        self._values = contents.values

    def text(self, key: str) -> str:
        """Return the string at `key`, or the empty string."""
        value = self._values.get(key)
        return value.strip() if isinstance(value, str) else ""

    def optional(self, key: str) -> int | None:
        """Return the non-negative integer at `key`, or None."""
        return _natural(self._values.get(key))

    def number(self, key: str, *, listed: bool = False) -> int:
        """Return the positive integer at `key`; with `listed`, or the largest of a list."""
        value = self._values.get(key)
        if listed and isinstance(value, tuple):
            value = max(value, default=None)
        number = _natural(value)
        if not number:
            raise ModelError(
                f"{self._path.name} does not say its {key.partition('.')[2]}.",
                "It was converted badly; choose another file of the model.",
            )
        return number

    def per_layer(self, key: str, layers: int, default: int) -> tuple[int, ...]:
        """Return one number per layer from a single number, a list, or `default`."""
        value = self._values.get(key)
        if isinstance(value, tuple):
            return tuple(_natural(item) or 0 for item in value)
        number = _natural(value)
        if layers > 4096:
            raise ModelError(
                f"{self._path.name} claims {layers:,} layers.", "Choose another model."
            )
        return (default if number is None else number,) * layers


def _natural(value: Value | None) -> int | None:
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_NUMBER
    return int(value) if usable else None  # type: ignore[arg-type]


def _checked_architecture(path: Path, fields: _Fields) -> str:
    kind = fields.text("general.type")
    architecture = fields.text("general.architecture")
    what = _WRONG_TYPES.get(kind) or _NOT_FOR_ANSWERS.get(architecture)
    if what is not None:
        raise ModelError(
            f"{path.name} is {what}; it cannot answer.",
            "Choose an instruction-tuned chat model in the GGUF format.",
        )
    if not architecture:
        raise ModelError(
            f"{path.name} does not say its architecture.",
            "It was converted badly; choose another file of the model.",
        )
    return architecture


def _other_parts(path: Path, fields: _Fields) -> list[Contents]:
    """Return the headers of the other parts of a split file; none for a whole one."""
    parts = fields.optional("split.count") or 1
    if parts == 1:
        return []
    named = _SPLIT_NAME.match(path.name)
    if named is None or int(named["parts"]) != parts or parts > _MAX_PARTS:
        raise ModelError(
            f"{path.name} is one of {parts} parts, but its name does not say which.",
            "Give the parts back their names, such as model-00001-of-00002.gguf.",
        )
    names = [f"{named['stem']}-{n:05d}-of-{parts:05d}.gguf" for n in range(1, parts + 1)]
    if path.name != names[0]:
        raise ModelError(f"{path.name} is not the first part.", f"Choose {names[0]}.")
    missing = [name for name in names if not path.with_name(name).is_file()]
    if missing:
        raise ModelError(
            f"{path.name} is split into {parts} parts and {missing[0]} is missing.",
            f"Put all parts into {path.parent}.",
        )
    return [read_contents(path.with_name(name)) for name in names[1:]]


def size_in_words(count: int) -> str:
    """Return a number of bytes for people: ``"98 MB"``, ``"4.7 GB"``."""
    if count <= 0:
        return "0 MB"
    if count < 1_000_000_000:
        return f"{math.ceil(count / 1_000_000)} MB"
    return f"{count / 1_000_000_000:.1f} GB"
