"""Whether operations on one znode can be put in an order that the answers allow (Wing and Gong,
"Testing and verifying concurrent objects", with Lowe's memory of what was tried). It knows nothing
of zxids: it is the check that does not take the members' word for the order."""

from collections import namedtuple

# `start` and `end` are instants; `end` is None where no answer told the outcome, and then
# `status` is None as well: such an operation may have happened at any time since, or never.
Operation = namedtuple("Operation", "start end kind value expected status version")

ABSENT = None


def register(state, one):
    """The state after `one` as its answer says it went, or False where the answer cannot be.

    A state is ABSENT or (value, version). An unanswered operation goes as the state lets it."""
    if one.kind == "get":
        if one.status == 404:
            return state if state is ABSENT else False
        return state if state == (one.value, one.version) else False
    status, after = _outcome(state, one)
    if one.status is None:
        return after
    if one.status != status:
        return False
    if status == 200 and after[1] != one.version:
        return False
    return after


def _outcome(state, one):
    """What a znode in `state` does: the status, and the state after."""
    if one.kind == "create":
        return (201, (one.value, 0)) if state is ABSENT else (412, state)
    if one.kind == "put":
        if state is ABSENT:
            return 201, (one.value, 0)
        return 200, (one.value, state[1] + 1)
    if state is ABSENT:
        return 404, state
    if one.expected is not None and one.expected != state[1]:
        return 412, state
    if one.kind == "set":
        return 200, (one.value, state[1] + 1)
    assert one.kind == "delete", one.kind
    return 204, ABSENT


def search(operations, steps_max=400_000, initial=ABSENT):
    """"yes", "no", or "too hard" when `steps_max` states did not suffice to tell."""
    operations = sorted(operations, key=lambda one: one.start)
    needed = 0
    for number, one in enumerate(operations):
        if one.end is not None:
            needed |= 1 << number
    tried, stack = set(), [(0, 0, initial)]
    while stack:
        taken, low, state = stack.pop()
        taken, low, state = _take_what_changes_nothing(operations, taken, low, state)
        if taken & needed == needed:
            return "yes"
        if (taken, state) in tried:
            continue
        tried.add((taken, state))
        if len(tried) > steps_max:
            return "too hard"
        following = []
        for number in _candidates(operations, taken, low):
            after = register(state, operations[number])
            if after is not False and after != state:
                following.append((operations[number].end is not None, number, after))
        # The last pushed is tried first: answered before unanswered, early before late.
        following.sort(key=lambda each: (each[0], -each[1]))
        for _, number, after in following:
            stack.append((taken | 1 << number, low, after))
    return "no"


def _candidates(operations, taken, low):
    """Those that may come next: begun before any other that is left had ended."""
    found, first_end = [], float("inf")
    for number in range(low, len(operations)):
        one = operations[number]
        if one.start > first_end:
            break
        if not taken >> number & 1:
            found.append(number)
            if one.end is not None and one.end < first_end:
                first_end = one.end
    return [number for number in found if operations[number].start <= first_end]


def _take_what_changes_nothing(operations, taken, low, state):
    """An answer that fits the state and leaves it so can be taken at once: any order that has it
    later has it here as well."""
    again = True
    while again:
        again = False
        while low < len(operations) and taken >> low & 1:
            low += 1
        for number in _candidates(operations, taken, low):
            one = operations[number]
            # `== state` alone is not enough: False is no state.
            after = register(state, one) if one.end is not None else False
            if after is not False and after == state:
                taken |= 1 << number
                again = True
    return taken, low, state
