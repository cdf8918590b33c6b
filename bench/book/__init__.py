"""Figures about notes: finding them, not disturbing code, anchors over history, scale."""
