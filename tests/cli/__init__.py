"""The command line (命令行), by its fixed forms."""
