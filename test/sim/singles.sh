#!/bin/bash
# Every scenario with every single fault at every place (the pairs: make sweep).
exec "$B/sim/sweep" test/sim/*.scn
