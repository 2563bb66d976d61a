"""python -m semcom."""

from semcom.cli import main

main()
