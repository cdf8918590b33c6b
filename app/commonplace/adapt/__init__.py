"""Optional test-time adaptation: a small LoRA for one open file, kept only if it proves its worth.

Nothing here changes the model. An adapter is trained in a process of its own, on
text that the user opened and that people wrote, and is thrown away unless three
questions are answered with yes (`adapt.gate`). It lives no longer than the file it
was made for stays open and unchanged.
"""
