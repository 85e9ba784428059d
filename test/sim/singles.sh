#!/bin/bash
# Every scenario with every single fault, at a third of the places: sanitizers make a history dear.  All places, and
# the pairs: make sim, make sweep.
exec "$B/sim/sweep" --thin 3 test/sim/*.scn
