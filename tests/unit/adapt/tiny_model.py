"""Tiny random models in the GGUF format, with a tokenizer of single bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

HIDDEN, LAYERS, HEADS, KV_HEADS, WIDE = 64, 2, 4, 2, 128
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def byte_letters() -> list[str]:
    """Return the letter that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    others = (byte for byte in range(256) if byte not in letters)
    letters |= {byte: chr(256 + number) for number, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


def write_model(path: Path, architecture: str = "llama", *, seed: int = 0) -> Path:
    """Write a random model of two layers to `path`, in float32, and return it."""
    draw = np.random.default_rng(seed)
    writer = GGUFWriter(path, architecture)
    writer.add_name("Tiny")
    writer.add_context_length(4096)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(0)
    per_head = HIDDEN // HEADS
    if architecture == "llama":
        writer.add_rope_dimension_count(per_head)
        writer.add_vocab_size(256 + len(MARKS))
    if architecture == "qwen3":
        writer.add_key_length(per_head)
        writer.add_value_length(per_head)
    tokens = [*byte_letters(), *MARKS]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * 256 + [TokenType.CONTROL] * len(MARKS))
    writer.add_token_merges(["a b"])  # there has to be one; its result is no token
    writer.add_eos_token_id(256)
    writer.add_bos_token_id(256)
    writer.add_add_bos_token(False)

    def tensor(name: str, *shape: int, scale: float = 0.25, around: float = 0.0) -> None:
        writer.add_tensor(name, (around + scale * draw.standard_normal(shape)).astype(np.float32))

    tensor("token_embd.weight", len(tokens), HIDDEN, scale=0.12)
    tensor("output_norm.weight", HIDDEN, scale=0.1, around=1.0)
    for layer in range(LAYERS):
        start = f"blk.{layer}."
        for name, rows in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            tensor(f"{start}attn_{name}.weight", rows * per_head, HIDDEN)
            if architecture == "qwen2":
                tensor(f"{start}attn_{name}.bias", rows * per_head, scale=0.1)
        if architecture == "qwen3":
            tensor(f"{start}attn_q_norm.weight", per_head, scale=0.1, around=1.0)
            tensor(f"{start}attn_k_norm.weight", per_head, scale=0.1, around=1.0)
        tensor(f"{start}attn_output.weight", HIDDEN, HEADS * per_head)
        tensor(f"{start}ffn_gate.weight", WIDE, HIDDEN)
        tensor(f"{start}ffn_up.weight", WIDE, HIDDEN)
        tensor(f"{start}ffn_down.weight", HIDDEN, WIDE)
        tensor(f"{start}attn_norm.weight", HIDDEN, scale=0.1, around=1.0)
        tensor(f"{start}ffn_norm.weight", HIDDEN, scale=0.1, around=1.0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
