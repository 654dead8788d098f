"""What `targetdata doctor` looks at, in the order in which things break; nothing is changed."""
