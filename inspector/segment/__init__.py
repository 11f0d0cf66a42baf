"""From a frame to the scratches in it: model bundle, runtimes, tiles and one decode for all of them."""
