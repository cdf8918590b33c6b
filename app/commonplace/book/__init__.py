"""The book: notes written by people, in files of their own.

Notes are the truth and lie in Markdown files (`files`, `header`); what cannot
be read from them, such as how often a note helped, lies in a small database in
the data folder (`records`); the catalogue in the cache can always be rebuilt.
"""
