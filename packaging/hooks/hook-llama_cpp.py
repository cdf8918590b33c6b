"""llama.cpp's libraries, with the processor variants, where llama_cpp looks for them.

The three names of one library are the same file; only the one that is loaded or
linked to is taken. Built without a parser for images, so mtmd is not there.
"""

from pathlib import Path

from PyInstaller.utils.hooks import get_module_file_attribute

_lib = Path(get_module_file_attribute("llama_cpp")).parent / "lib"
_keep = [
    path
    for pattern in ("*.so", "*.so.?", "*.dylib", "*.dll")
    for path in sorted(_lib.glob(pattern))
    # A variant is loaded by its name; nothing links to its versioned one.
    if not (path.name.startswith("libggml-cpu-") and not path.name.endswith(".so"))
]
datas = [(str(path), "llama_cpp/lib") for path in _keep]
excludedimports = ["llama_cpp.server"]
