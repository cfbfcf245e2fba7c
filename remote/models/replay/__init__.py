"""Two bundles over the same pictures: which boxes both give, which only one; from a folder, or beside a running worker."""
