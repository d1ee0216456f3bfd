"""Carbon-neutral gatherings (大型活动碳中和): plan, inventory, reservation, true-up, statement.

An organisation opens a gathering, says what it expects to emit and what it will do about it, counts
afterwards what was emitted, line by line against published factors, retires at least as many
kilograms and publishes a statement that anybody checks. Footprint and reductions are different
books: an inventory posts nothing, and no reduction is ever taken off it.
"""
