"""The benchmarks: the same extraction by ours and by others, against a server that costs next to nothing."""
