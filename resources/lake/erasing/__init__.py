"""People found and erased in a lake: in what is published, what stands aside, and what runs hold."""
