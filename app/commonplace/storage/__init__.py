"""What every store of truth needs, in one place.

Truth is what cannot be made again: conversations, what is known about notes, the
journal of edits, settings, texts that are not saved yet. For all of it the same holds:

* it says which version of its form it has; none said means the first;
* a newer program brings it to the new form, once it was copied beside itself as
  ``NAME.before-VERSION`` (`versions`); the copies are bounded, and nothing of the
  migration is seen until all of it is done;
* a form that is newer than this program knows is refused with `NewerDataError`, and
  not a byte of it is changed;
* what is damaged is moved aside, never thrown away.

`database` holds this for SQLite files, `documents` for small TOML and JSON files.
`places` knows which disks are elsewhere, and what the machine refuses at the start.
Caches do none of this: they are dropped and made again.
"""
