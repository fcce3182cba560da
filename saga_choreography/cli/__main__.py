"""`python -m saga_choreography.cli`, the same as `saga-choreography`."""

from saga_choreography.cli import main

if __name__ == "__main__":
    main()
