"""`python -m remote` is `fieldgate-agent`."""

from remote.cli import main

main()
