"""The window: paints, never computes, and stays responsive whatever the workers do.

`app` starts it, `window` lays it out, `controller` carries what happens between the
views and the worker processes. `worker`, `memory_link` and `engine_link` speak with
those processes; everything else is a view that touches no storage.
"""
