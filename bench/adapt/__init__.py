"""What adapting to single files is worth on real projects, and what it costs."""
