"""What helps to choose a dataset: what changed, what it costs, who uses it, how to cite it, what is like it."""
