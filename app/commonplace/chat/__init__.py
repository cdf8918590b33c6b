"""Prompts under a budget and answers with citations, without input or output."""
