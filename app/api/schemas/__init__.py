"""The contract's shapes, a module an area: what programs send and get. JSON is camelCase."""
