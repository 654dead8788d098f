"""How a request goes out and what its answer means: token, retry, throttle, transport, and their policy."""
