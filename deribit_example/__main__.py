"""The main job: `python -m deribit_example` (see --help)."""

import sys

from deribit_example.demo.main import main

if __name__ == "__main__":
    sys.exit(main())
