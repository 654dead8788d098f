"""What has changed between a kept schema and the server's, and which queries it concerns."""
