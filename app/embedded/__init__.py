"""The embedded runtime 内嵌运行时: PostgreSQL, Redis and a chain as children of one process.

Real servers from pinned packages, in one data directory, for one machine: started, checked, logged,
locked against a second owner, and stopped in order. Lowest layer of the shell, beside the kernel.
"""
