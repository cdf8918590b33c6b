"""Small repairs with tests, to see task by task what each layer of memory is worth.

Every task is one file in ``set/``: a small project with one thing wrong, the
words a person would type, and a test that fails before and passes after.
"""

from bench.tasks.task import Task, tasks

__all__ = ["Task", "tasks"]
