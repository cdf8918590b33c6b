"""The local model, in a process of its own.

`gguf` reads a model file's header within hard limits before anything native
touches the file; `fit` says what the model will need; `templates` turns
messages into text and turn marks. `llama` is the layer over llama.cpp and the
only module that imports it; `model` answers with it, and `worker` serves that
over the wire. `ladder` knows the safer settings to fall back on, `session`
drives the worker from the command line, and `library` finds the models. `fake`
and `fake_worker` are the same engine without a model. The values they share
are in `types`.
"""
