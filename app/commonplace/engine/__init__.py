"""The local model, in a process of its own.

Before loading, `gguf` reads a model file's header within hard limits, `fit`
plans where the model goes and what it needs, and `devices` says what there is
to compute on. `llama` and `ggml` are the layers over llama.cpp; `model` answers
with them, keeps what it read of a conversation in `states`, and chooses threads
and batch by `measuring`. `templates` turns messages into text and turn marks,
`grammars` holds an answer to a form. `worker` serves all that over the wire.

`ladder` knows the safer settings to fall back on and `verdicts` which of them
held; `session` drives the worker from the command line, and `remote` lets somebody
else's engine take its place. `fake` and
`fake_worker` are the same engine without a model. The values they share are in
`types`.
"""
