"""Speed, measured beside a ceiling in the same run. `make bench-outbox`; each prints a table and writes JSON."""
