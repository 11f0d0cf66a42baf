"""What is kept on the disk of the line PC."""
