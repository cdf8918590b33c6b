"""What the engine costs over llama.cpp itself, and what its memory saves.

python -m bench.engine [MODEL.gguf]
"""
