"""Figures of the test bench: one line a case, the same for all, which `pytest -s` shows."""


def show(case: str, **figures: object) -> None:
    """Print the name of a case and its numbers."""
    shown = ", ".join(
        f"{name.replace('_', ' ')} {value:,}"
        if isinstance(value, int)
        else f"{name.replace('_', ' ')} {value:,.2f}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in figures.items()
    )
    print(f"\n[chaos] {case}: {shown}")
