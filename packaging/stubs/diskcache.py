"""Stands for diskcache, which unpickles what it reads (CVE-2025-69872).

llama-cpp-python imports it at start, for a cache that Commonplace never uses. In
the packages this module is found in its place, so that nothing there unpickles.
"""


class Cache:
    """Refuses to be made."""

    def __init__(self, *_arguments: object, **_options: object) -> None:
        raise NotImplementedError("The packages carry no cache that unpickles.")
