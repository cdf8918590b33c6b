"""Edits: the model proposes, the person disposes.

``reading`` finds proposed edits in an answer or a patch (`patches`, `blocks`),
``placing`` puts them into the files as they are or says why it cannot,
``changes`` cuts the outcome into hunks that are accepted one by one. ``guard``
says which paths may be written at all, ``tree`` opens them without following a
link, ``journal`` and ``applying`` write all files or none, survive a crash and
take changes back. ``room`` is the door to all of that.
"""
