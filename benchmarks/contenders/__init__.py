"""One module for each contender; each runs as a process of its own and is told what to do line by line."""
