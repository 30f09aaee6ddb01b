"""What must hold whatever happens, checked over the journals.

Each function takes the entries of the journals and returns what is wrong, one
sentence each. The entries of clients:

sent      a request, ``attempt``, for ``call``, to the process ``pid``; two
          attempts at one call are the same message, sent twice
accepted  200: the attempt will be answered
refused   another status, ``status``: it will not
broken    the connection to ``pid`` ended, and there is nothing to come back for
back      a client has come back for what is ``behind`` an event
gone      404 at coming back: the server has lost the stream, and says so
answered  the response to the attempt: ``how`` is result, failed (in-band) or error
event     one of ``stream``, with its ``number``; ``said`` is the number that the
          tool gave it, None for what no tool said
killed    the process ``pid``, by the test

and of servers:

ran       the effect of ``call``
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from tests.faults.journal import Entry

# How the ids of calls begin that have no session.
ALONE = "alone."

Check = Callable[[Sequence[Entry]], list[str]]


def one_reply(entries: Sequence[Entry]) -> list[str]:
    """I1: what was accepted is answered once, or its loss is told; what was not
    accepted is not answered.
    """
    ends = Counter(
        entry["attempt"] for entry in of(entries, "answered", "gone", "broken")
    )
    accepted = {entry["attempt"] for entry in of(entries, "accepted")}
    refused = {entry["attempt"] for entry in of(entries, "refused")}
    answered = {entry["attempt"] for entry in of(entries, "answered")}
    sent = [entry["attempt"] for entry in of(entries, "sent")]
    return [
        *(f"{a} was accepted and never answered" for a in accepted if not ends[a]),
        *(f"{a} came to {n} ends" for a, n in ends.items() if n > 1),
        *(f"{a} was answered and not accepted" for a in answered - accepted),
        *(f"{a} was refused and accepted" for a in refused & accepted),
        *(
            f"{a} came to no end"
            for a in sent
            if a not in accepted | refused and not ends[a]
        ),
    ]


def ran_once(entries: Sequence[Entry]) -> list[str]:
    """I2: a call has its effect at most once, and once if it is said to have
    succeeded, which is said once.
    """
    ran = Counter(entry["call"] for entry in of(entries, "ran"))
    call_of = {entry["attempt"]: entry["call"] for entry in of(entries, "sent")}
    succeeded = Counter(
        call_of[entry["attempt"]]
        for entry in of(entries, "answered")
        if entry["how"] == "result"
    )
    return [
        *(f"{call} ran {n} times" for call, n in ran.items() if n > 1),
        *(f"{call} succeeded and never ran" for call in succeeded if not ran[call]),
        *(f"{call} has {n} results" for call, n in succeeded.items() if n > 1),
    ]


def unbroken(entries: Sequence[Entry]) -> list[str]:
    """I3: the events of a stream are 1, 2, 3 and so on, over all connections, and
    so is what its tool said.
    """
    events: dict[str, list[Entry]] = defaultdict(list)
    for entry in of(entries, "event"):
        events[entry["stream"]].append(entry)
    wrong = []
    for stream, heard in events.items():
        numbers = [entry["number"] for entry in heard]
        said = [entry["said"] for entry in heard if entry["said"] is not None]
        wrong += _out_of_order(f"events of {stream}", numbers)
        wrong += _out_of_order(f"words of the tool on {stream}", said)
    return wrong


def _out_of_order(what: str, numbers: Iterable[int]) -> list[str]:
    for expected, number in enumerate(numbers, 1):
        if number != expected:
            kind = "a gap" if number > expected else "a double, or out of order"
            return [f"{what}: {kind}, {number} where {expected} was due"]
    return []


def spared(entries: Sequence[Entry]) -> list[str]:
    """Who had nothing to do with a killed process saw no fault."""
    killed = {entry["pid"] for entry in of(entries, "killed")}
    sent = list(of(entries, "sent"))
    call_of = {entry["attempt"]: entry["call"] for entry in sent}
    # Who died, or turned the call away, may have claimed its id before: sent again,
    # the same call is an error.
    touched = {entry["call"] for entry in sent if entry["pid"] in killed}
    touched |= {call_of[entry["attempt"]] for entry in of(entries, "refused")}
    return [
        *(
            f"{entry['attempt']} broke, and nobody killed {entry['pid']}"
            for entry in of(entries, "broken")
            if entry["pid"] not in killed
        ),
        *(
            f"{entry['attempt']} failed ({entry['how']}) in a process that lived"
            for entry in of(entries, "answered")
            if entry["how"] != "result" and call_of[entry["attempt"]] not in touched
        ),
        *(f"{entry['attempt']} was lost" for entry in of(entries, "gone")),
    ]


def none_refused(entries: Sequence[Entry]) -> list[str]:
    """Everybody was served."""
    return [
        f"{entry['attempt']} was refused with {entry['status']}"
        for entry in of(entries, "refused")
    ]


def refused_for_now(entries: Sequence[Entry]) -> list[str]:
    """Who was refused was told to come again, and needed what was away."""
    return [
        f"{entry['attempt']} was refused with {entry['status']}"
        for entry in of(entries, "refused")
        if entry["status"] != 503 or entry["attempt"].startswith(ALONE)
    ]


def stayed_open(entries: Sequence[Entry]) -> list[str]:
    """No connection ended before its time."""
    return [
        *(f"{entry['attempt']} broke" for entry in of(entries, "broken")),
        *(f"a stream ended behind {entry['behind']}" for entry in of(entries, "back")),
    ]


def of(entries: Iterable[Entry], *kinds: str) -> Iterator[Entry]:
    """Yield the entries of these kinds."""
    return (entry for entry in entries if entry["what"] in kinds)
