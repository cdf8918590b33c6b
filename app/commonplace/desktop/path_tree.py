"""Paths as a tree that costs nothing until a folder is opened."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, overload

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from commonplace.desktop.visible import one_line

Index = QModelIndex | QPersistentModelIndex


@dataclass(slots=True)
class _Node:
    """A file, or a folder: the slice ``low:high`` of the sorted paths below `prefix`."""

    name: str
    prefix: str
    low: int
    high: int
    parent: int
    row: int
    folder: bool
    children: list[int] | None = None


class PathTree(QAbstractItemModel):
    """A tree over sorted paths; a folder's children are found when it is opened."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._paths: list[str] = []
        self._nodes: list[_Node] = []
        self._icons: tuple[QIcon, QIcon] = (QIcon(), QIcon())
        self.set_paths([])

    def set_icons(self, folder: QIcon, file: QIcon) -> None:
        """Choose the icons of folders and files."""
        self._icons = (folder, file)

    def set_paths(self, paths: Iterable[str]) -> None:
        """Replace the tree; `paths` are relative, with ``/`` between their parts."""
        self.beginResetModel()
        self._paths = sorted(paths)
        self._nodes = [_Node("", "", 0, len(self._paths), -1, 0, folder=True)]
        self.endResetModel()

    def path_of(self, index: Index) -> str:
        """Return the path of a file or folder."""
        node = self._node(index)
        return node.prefix.rstrip("/")

    def is_folder(self, index: Index) -> bool:
        """Return whether `index` is a folder."""
        return self._node(index).folder

    def find(self, path: str) -> QModelIndex:
        """Return the index of `path`, or an invalid one."""
        index = QModelIndex()
        for part in path.split("/"):
            names = [self._nodes[n].name for n in self._children(self._number(index))]
            if part not in names:
                return QModelIndex()
            index = self.index(names.index(part), 0, index)
        return index

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        """Return the index of a child."""
        children = self._children(self._number(parent))
        if column or not 0 <= row < len(children):
            return QModelIndex()
        return self.createIndex(row, 0, children[row])

    @overload
    def parent(self) -> QObject | None: ...
    @overload
    def parent(self, child: Index) -> QModelIndex: ...
    def parent(self, child: Index | None = None) -> QObject | QModelIndex | None:
        """Return the folder of `child`; without a child, the owner of the model."""
        if child is None:
            return super().parent()
        number = self._node(child).parent if child.isValid() else -1
        if number <= 0:
            return QModelIndex()
        return self.createIndex(self._nodes[number].row, 0, number)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many children a folder has."""
        return 0 if parent.column() > 0 else len(self._children(self._number(parent)))

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: ARG002, B008
        """Return one: names."""
        return 1

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        """Tell folders from files without looking inside."""
        node = self._nodes[self._number(parent)]
        return node.folder and node.high > node.low

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the name and the icon of a file or folder."""
        if not index.isValid():
            return None
        node = self._node(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(node.name)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icons[0 if node.folder else 1]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return one_line(f"{self.tr('folder') if node.folder else ''} {node.name}")
        return None

    def _number(self, index: Index) -> int:
        return int(index.internalId()) if index.isValid() else 0

    def _node(self, index: Index) -> _Node:
        return self._nodes[self._number(index)]

    def _children(self, number: int) -> list[int]:
        node = self._nodes[number]
        if node.children is None:
            node.children = []
            if node.folder:
                self._find_children(number, node)
        return node.children

    def _find_children(self, number: int, node: _Node) -> None:
        found: list[_Node] = []
        position, skip = node.low, len(node.prefix)
        while position < node.high:
            name, slash, _ = self._paths[position][skip:].partition("/")
            prefix = node.prefix + name + slash
            end = position + 1
            if slash:  # "0" follows "/", so this is where the folder ends
                end = bisect_left(self._paths, f"{prefix[:-1]}0", position, node.high)
            found.append(_Node(name, prefix, position, end, number, 0, folder=bool(slash)))
            position = end
        found.sort(key=lambda child: (not child.folder, child.name.lower(), child.name))
        assert node.children is not None
        for row, child in enumerate(found):
            child.row = row
            node.children.append(len(self._nodes))
            self._nodes.append(child)
