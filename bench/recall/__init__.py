"""How well, and how fast, recall finds: programs that print tables.

`questions` scores known answers and takes the ranking apart, `vectors` scores
an embedder by itself, `history` asks what a project's own past asked, `sketch`
holds the search of many vectors against the exact one, `scale` opens a very
large folder.
``python -m bench.recall --all`` prints every table.
"""

import commonplace.index  # noqa: F401 - before numpy, whose threads it bounds
