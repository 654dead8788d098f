"""What the bench prints: one line a case."""


def show(case: str, **figures: object) -> None:
    """Print a case and its figures."""
    print(f"{case}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items()))
