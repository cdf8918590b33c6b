"""Runs before the program: the way to add-ons, and no trace of ours in other programs.

The starter of a frozen program makes the loader look for libraries in our folder
first. Our own are loaded by then or found beside each other; git or an editor that is
started from here would load them too, and break. So the variable gets back what it was.

An add-on is a folder of Python packages beside the program: `addons/<name>`.
"""

import os
import sys
from pathlib import Path

_inside = getattr(sys, "_MEIPASS", "")
for _name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH"):
    _before = os.environ.pop(_name + "_ORIG", None)
    if _before is not None:
        os.environ[_name] = _before
    elif os.environ.get(_name, "").split(os.pathsep)[0] == _inside:
        del os.environ[_name]
# What the starter tells a process that it starts again, which must set all that for itself.
for _name in [name for name in os.environ if name.startswith("_PYI_")]:
    del os.environ[_name]

_addons = Path(sys.executable).resolve().parent / "addons"
if _addons.is_dir():
    sys.path += [str(_folder) for _folder in sorted(_addons.iterdir()) if _folder.is_dir()]
