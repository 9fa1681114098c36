"""Git as a process, its index, and copies of its commits: what `util.git` is made of."""
