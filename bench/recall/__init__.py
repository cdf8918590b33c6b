"""How well, and how fast, recall finds: programs that print tables.

`questions` scores known answers and takes the ranking apart, `vectors` scores
an embedder by itself, `history` asks what a project's own past asked, `graph`
says when hnswlib beats exact search, `scale` opens a very large folder.
``python -m bench.recall --all`` prints every table.
"""
