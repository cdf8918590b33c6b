"""Commonplace: a desktop coding assistant whose memory lives outside the model."""

__version__ = "0.1.0"
