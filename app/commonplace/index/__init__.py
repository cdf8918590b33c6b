"""From text to searchable memory; a cache that can always be rebuilt."""
