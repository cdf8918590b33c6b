"""How the window, or the command line, speaks with its worker processes.

One message is one line of JSON in UTF-8, written to the worker's standard
input or read from its standard output:

=============  =========================================================
who            message
=============  =========================================================
worker, first  ``{"hello": ROLE, "protocol": 1, "pid": N, "version": V}``
parent         ``{"id": N, "method": M, "params": {…}, "deadline": S}``
parent         ``{"cancel": N}``
worker         ``{"id": N, "data": {…}}``      any number, in order
worker         ``{"id": N, "result": {…}}``    or
worker         ``{"id": N, "error": {…}}``     exactly one of the two
worker         ``{"event": NAME, "data": {…}}`` at any time
=============  =========================================================

``deadline`` is in seconds from receipt. End of the worker's input means that
the parent is gone, and the worker ends. `messages` has the format, `worker`
the loop inside a worker, `calls` the parent's bookkeeping without any
transport, and `process` a blocking parent on plain pipes; the window has its
own parent on ``QProcess``.
"""
