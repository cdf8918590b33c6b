"""A project with a little code, and its book."""

import pytest

from commonplace.book.book import Book


class DiskCode:
    """A project read from the disk, without an index."""

    def __init__(self, root):
        self.root = root

    def read(self, path):
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except OSError:
            return None

    def version(self, path):
        return self.read(path) or ""

    def files(self):
        return sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*.py"))

    def named(self, name):
        last = name.rpartition(".")[2]
        return [path for path in self.files() if last in (self.read(path) or "")]

    def generation(self):
        return "".join(map(self.version, self.files()))


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(
        "class Loader:\n    def load(self, path):\n        rows = self.read(path)\n"
        "        return [row.strip() for row in rows if row]\n\n\n"
        "def dump(rows, path):\n    with open(path, 'w') as out:\n        out.writelines(rows)\n"
    )
    return folder


@pytest.fixture
def code(root):
    return DiskCode(root)


@pytest.fixture
def book(root, state):
    found = Book(root, state, state.project_cache(root))
    yield found
    found.close()


@pytest.fixture
def notes(root):
    folder = root / ".commonplace" / "notes"
    folder.mkdir(parents=True)
    return folder
