"""`inspector calibrate`: limits, scale, and what samples say of them. Each verb is one function."""
