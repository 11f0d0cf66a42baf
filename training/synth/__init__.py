"""Generated pictures of scratched and good parts, with the exact truth of every scratch."""
