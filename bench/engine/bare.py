"""llama.cpp without us: a loop as short as it can be, in a process of its own.

Reads a line ``PROMPT_TOKENS ANSWER_TOKENS`` and answers with the seconds that
writing took; what the engine is compared with.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path

from commonplace.processor import spin_briefly


def main(model: Path, context: int, threads: int) -> None:
    """Serve measurements until the input ends."""
    spin_briefly()
    import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface

    quiet = C.llama_log_callback(lambda _level, _text, _data: None)
    C.llama_log_set(quiet, ctypes.c_void_p(0))
    C.llama_backend_init()
    weights = C.llama_model_load_from_file(os.fsencode(model), C.llama_model_default_params())
    params = C.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = context, 512, 512
    params.n_threads = params.n_threads_batch = threads
    ctx = C.llama_init_from_model(weights, params)
    sampler = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
    C.llama_sampler_chain_add(sampler, C.llama_sampler_init_greedy())
    memory = C.llama_get_memory(ctx)

    def decode(tokens: list[int]) -> None:
        array = (C.llama_token * len(tokens))(*tokens)
        if C.llama_decode(ctx, C.llama_batch_get_one(array, len(tokens))):
            raise RuntimeError("llama_decode failed")

    print("ready", flush=True)
    for line in sys.stdin:
        prompt, answer = map(int, line.split())
        C.llama_memory_clear(memory, True)
        decode([100 + n % 1000 for n in range(prompt)])
        token = C.llama_sampler_sample(sampler, ctx, -1)
        began = time.perf_counter()
        for _ in range(answer - 1):
            decode([token])
            token = C.llama_sampler_sample(sampler, ctx, -1)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
