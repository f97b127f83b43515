"""The product as people meet it: the whole stack by its one command, and Chromium."""
