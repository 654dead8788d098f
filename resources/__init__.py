"""What assets are made with; everything works in a notebook too, without a run."""
