"""`python -m training bench`: the edge beside bare runtimes and other libraries, on this machine.

`peers.py` holds the same pictures and weights through each, `frames.py` what large frames cost and
keep, `lines.py` several lines on one PC, `report.py` the tables of docs/performance.md.
"""
