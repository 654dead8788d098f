"""One module a case, found by its name: `measure(options)` gives a `Result`, in which ratios have targets."""
