# SPDX-License-Identifier: ISC
"""After all that: what is left in the queue is what could not go, and the store is whole."""
import json

from harness import check, scenario
from outward import DEAD, GARBAGE, LAME, REFUSING
from proven import DANE, DANE_EXPIRED, STS_PLACES

STUCK = {p.domain for p in (DEAD, GARBAGE, LAME, REFUSING, DANE_EXPIRED, STS_PLACES["badcert"],
                            STS_PLACES["wrong-mx"], *DANE.values())}


@scenario()
def what_is_left(ours):
    left = {row["destination"] for row in json.loads(ours.order("queue", "list", "--json"))}
    check(left <= STUCK, f"waiting: {left - STUCK}")
    ours.order("store", "verify")
