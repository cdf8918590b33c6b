"""How soon the window is there, and whether it ever keeps a user waiting."""
