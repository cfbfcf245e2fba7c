"""Logs of failures that something else wrote: reading their lines, counting them, keeping the counts, taking them over."""
