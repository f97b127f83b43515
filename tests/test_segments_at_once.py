"""A program names a segment while somebody saves its rule: both stay."""

from concurrent.futures import ThreadPoolExecutor

from tests.people import Person


def test_a_name_and_a_rule_that_are_changed_at_once_both_stay(ada: Person):
    address = f"/api/segments/{ada.post('/api/segments', {'name': 'Best', 'rule': {'rules': []}})['id']}"
    with ThreadPoolExecutor(4) as together:
        for number in range(25):
            rule = {"match": "all", "rules": [{"field": "spend", "op": "atLeast", "value": number}]}
            changes = [{"name": f"Best {number}"}, {"rule": rule}]
            list(together.map(lambda change: ada.put(address, change), changes if number % 2 else changes[::-1]))
            standing = ada.get(address)
            assert (standing["name"], standing["rule"]) == (f"Best {number}", rule)
