"""One open project: workspace, index and recall behind one object."""
