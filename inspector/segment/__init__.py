"""From a frame to the scratches in it: bundle, runtimes, tiles, and one decode for all."""
