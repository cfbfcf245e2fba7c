"""Making smaller or faster bundles of one, each measured against it before it is written."""
