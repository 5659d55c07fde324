"""`python -m extractify` is the command line."""

from extractify.cli import main

main()
