"""A GGUF model as a torch model of transformers, its weights as the processor multiplies best.

transformers can load a GGUF file by itself, but reads its header twice in pure Python and
builds the map of names once per tensor, ten seconds of processor time for the smallest
model. So the header comes from `engine.gguf_format`, the numbers from gguf's quantisations,
and transformers gives what computes. Only architectures whose forms are known are taken.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from commonplace.engine.gguf_format import Contents, Tensor, read_contents
from commonplace.errors import AdapterError, ModelError
from commonplace.processor import features

_IMPORTING = threading.Lock()
"""transformers imports lazily and not safely: a run that was stopped may still be at it."""

ARCHITECTURES = {"llama": "LlamaConfig", "qwen2": "Qwen2Config", "qwen3": "Qwen3Config"}
"""By GGUF's name: transformers' configuration."""
PERMUTED = frozenset({"llama"})
"""Whose rows of Q and K llama.cpp keeps in another order; see `unpermuted`."""
BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})
"""Features of processors with instructions for bfloat16. One with the first was measured: twice
to three times the speed of float32. Without either, torch has to emulate them."""
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers of a block, all of which get an adapter."""
NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LAYER_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def gguf_name(name: str) -> str:
    """Return what GGUF calls the parameter `name` of transformers; empty if it has no name."""
    if name in NAMES:
        return NAMES[name]
    if not name.startswith("model.layers."):
        return ""
    number, _, rest = name.removeprefix("model.layers.").partition(".")
    module, _, kind = rest.rpartition(".")
    return f"blk.{number}.{LAYER_NAMES[module]}.{kind}" if module in LAYER_NAMES else ""


def unpermuted(rows: Any, heads: int) -> Any:
    """Return rows (heads·d, …) of Q or K, as llama.cpp keeps them, in transformers' order.

    llama.cpp rotates neighbours of a head, transformers one half with the other.
    """
    shape = rows.shape
    return rows.reshape(heads, shape[0] // heads // 2, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def permuted(rows: Any, heads: int) -> Any:
    """Return rows (heads·d, …) of Q or K, as transformers keeps them, in llama.cpp's order."""
    shape = rows.shape
    return rows.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def heads_of(name: str, config: Any) -> int:
    """Return how many heads the rows of a parameter of Q or K make; 0 for any other."""
    if ".q_proj." in name:
        return int(config.num_attention_heads)
    return int(config.num_key_value_heads) if ".k_proj." in name else 0


def halved() -> bool:
    """Whether this processor is better given large matrices as bfloat16 than as float32."""
    return not BFLOAT16.isdisjoint(features())


def load_model(path: Path, check: Callable[[], None]) -> Any:
    """Return the model at `path` for torch, frozen, on the processor.

    Its matrices are bfloat16 where `halved` says so and no graphics card computes; all else,
    the embedding too, is float32. `check` is called between tensors and may raise. Raises
    `ModelError` for a damaged file, `AdapterError` for one that cannot be trained.
    """
    contents = read_contents(path)
    architecture = str(contents.values.get("general.architecture", ""))
    if architecture not in ARCHITECTURES:
        raise AdapterError(
            f"Models of the kind {architecture} cannot be loaded for training.",
            "Choose a model of the kind llama, qwen2 or qwen3 to adapt.",
        )
    quiet()
    with _IMPORTING:
        import peft  # noqa: F401 - takes longest, and is needed next
        import torch
        from transformers import AutoModelForCausalLM

    check()
    config = config_of(contents, architecture)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    matrices = torch.bfloat16 if halved() and not torch.cuda.is_available() else torch.float32
    weights = dict(_weights(path, contents, model, architecture, check, matrices))
    missing = model.load_state_dict(weights, strict=False, assign=True).missing_keys
    if config.tie_word_embeddings:
        model.tie_weights()
        missing = [name for name in missing if name != "lm_head.weight"]
    if missing:
        raise ModelError(
            f"{path.name} lacks {missing[0]}.", "Download it again, or choose another model."
        )
    head = model.lm_head.weight
    if head.dtype != matrices:  # tied to the embedding, which begins the sums and stays exact
        model.lm_head.weight = torch.nn.Parameter(head.to(matrices), requires_grad=False)
    _rotary_anew(model, config)
    return model.requires_grad_(requires_grad=False).eval()


def config_of(contents: Contents, architecture: str) -> Any:
    """Return transformers' configuration of the model that a header describes."""
    import transformers

    def value(key: str, default: Any = None) -> Any:
        found = contents.values.get(f"{architecture}.{key}", default)
        if found is None or isinstance(found, tuple):
            raise AdapterError(
                f"The model's header says nothing usable of its {key.replace('_', ' ')}.",
                "Choose another file of the model to adapt.",
            )
        return found

    heads, width = value("attention.head_count"), value("embedding_length")
    tied = "output.weight" not in contents.named
    kind = getattr(transformers, ARCHITECTURES[architecture])
    return kind(
        vocab_size=contents.named["token_embd.weight"].shape[1],
        hidden_size=width,
        intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"),
        num_attention_heads=heads,
        num_key_value_heads=value("attention.head_count_kv", heads),
        head_dim=value("attention.key_length", width // heads),
        max_position_embeddings=value("context_length"),
        rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": value("rope.freq_base", 10000.0)},
        tie_word_embeddings=tied,
        **(
            {"attention_bias": "blk.0.attn_q.bias" in contents.named}
            if "qwen2" not in kind.model_type
            else {}
        ),
    )


def quiet() -> None:
    """Keep the training libraries off the network and off the terminal; before their import."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _weights(
    path: Path,
    contents: Contents,
    model: Any,
    architecture: str,
    check: Callable[[], None],
    matrices: Any,
) -> Iterator[tuple[str, Any]]:
    import torch

    with path.open("rb") as file:
        for name, parameter in model.named_parameters():
            check()
            tensor = contents.named.get(gguf_name(name))
            if tensor is None:
                continue
            file.seek(contents.data_start + tensor.offset)
            numbers = _numbers(file.read(tensor.bytes), tensor)
            heads = heads_of(name, model.config) if architecture in PERMUTED else 0
            if heads:
                numbers = unpermuted(numbers, heads)
            if tuple(numbers.shape) != tuple(parameter.shape):
                raise ModelError(
                    f"{path.name} has {gguf_name(name)} of a size that does not fit.",
                    "Download it again, or choose another model.",
                )
            kind = matrices if _is_matrix(name) else torch.float32
            weight = torch.tensor(numbers, dtype=kind)
            yield name, torch.nn.Parameter(weight, requires_grad=False)


def _is_matrix(name: str) -> bool:
    """Whether a parameter of transformers only ever multiplies; the embedding is looked up."""
    module = name.removesuffix(".weight").rpartition(".")[2]
    return module in LINEAR or module == "lm_head"


def _numbers(data: bytes, tensor: Tensor) -> Any:
    """Return a tensor's numbers as float32, shaped with the slowest size first."""
    import numpy as np
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    kind = GGMLQuantizationType(tensor.kind)
    raw = np.frombuffer(data, dtype=np.uint8)
    try:
        if kind == GGMLQuantizationType.F32:
            numbers = raw.view(np.float32)
        elif kind == GGMLQuantizationType.F16:
            numbers = raw.view(np.float16).astype(np.float32)
        else:
            numbers = dequantize(raw.reshape(tensor.shape[-1], -1), kind)
    except NotImplementedError as error:
        raise AdapterError(
            f"Weights kept as {kind.name} cannot be read for training.",
            "Choose another quantisation of the model, such as Q8_0 or Q4_K_M.",
        ) from error
    return numbers.reshape(tuple(reversed(tensor.shape)))


def _rotary_anew(model: Any, config: Any) -> None:
    """Compute what no file holds and was made without numbers: the rotary frequencies."""
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
