"""What the frozen program runs: the same entry point as ``python -m commonplace``."""

from commonplace.__main__ import main

if __name__ == "__main__":
    main()
