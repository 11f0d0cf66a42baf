"""The operator's web page: what the line sees and says, read by people. It never judges."""
