"""What the product costs: each measurement beside its floor, in one run."""
