"""One machine, one command: the embedded Valkey, the Procfile's processes, the demo."""
