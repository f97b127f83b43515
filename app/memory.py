import gc


def collect_less() -> None:
    """Once all is loaded: it stays for good, and to look through it for garbage again and again costs an import a fifth of
    its time, and each fiftieth page or so 140 ms more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)
